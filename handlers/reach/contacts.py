"""Who can reach an end, and what it can reach: by identity, by port, and by the rule that lets it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from handlers.model.decision import Decision, Reason, Verdict
from handlers.reach.bits import members
from handlers.reach.ends import ClusterEnd
from handlers.reach.port_classes import PortClass
from handlers.reach.sides import Row
from handlers.reach.state import State

MOST_EXPLAINED = 600
"""Pairs and ports for which the rules are named; beyond, lines say where and not why."""


class Way(StrEnum):
    """From which end one looks: at those who reach it, or at those whom it reaches."""

    FROM = "can reach it"
    TO = "it can reach"


@dataclass(frozen=True, slots=True)
class Passage:
    """Some ports on which a peer is reached: for certain or not, through a proxy or not, and by which rules.

    ``because`` names for each side the rules or the reason why it lets pass; empty where nobody asked.
    """

    ports: tuple[PortClass, ...]
    verdict: Verdict
    through_proxy: bool
    because: tuple[str, ...] = ()
    is_every_port: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """Peers with whom an end has the same passages."""

    peers: tuple[ClusterEnd, ...]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """All contacts of one end, both ways."""

    end: ClusterEnd
    ways: tuple[tuple[Way, tuple[Contact, ...]], ...]


def reach(state: State, number: int, ways: Iterable[Way] = tuple(Way)) -> Reach:
    """Say who can reach an end and whom it can reach."""
    return Reach(state.roster.ends[number], tuple((way, _contacts(state, number, way)) for way in ways))


def _contacts(state: State, number: int, way: Way) -> tuple[Contact, ...]:
    """Gather, for each peer, the port classes on which something passes, and join peers that are alike."""
    states: dict[int, list[tuple[int, Verdict, bool]]] = {}
    for position, ports in enumerate(state.classes):
        for peer, verdict, proxied in _passing(state.on(ports).both, number, way):
            states.setdefault(peer, []).append((position, verdict, proxied))
    budget = MOST_EXPLAINED
    joined: dict[tuple[Passage, ...], list[ClusterEnd]] = {}
    for peer in sorted(states):
        explained = budget > 0
        budget -= len(states[peer]) if explained else 0
        passages = tuple(_passages(state, number, peer, way, states[peer], explained))
        joined.setdefault(passages, []).append(state.roster.ends[peer])
    contacts = [Contact(tuple(peers), passages) for passages, peers in joined.items()]
    return tuple(sorted(contacts, key=lambda one: one.peers[0].title))


def _passing(rows: Sequence[Row], number: int, way: Way) -> Iterable[tuple[int, Verdict, bool]]:
    if way is Way.TO:
        row = rows[number]
        for peer in members(row.allowed):
            yield peer, Verdict.ALLOWED, bool(row.redirected >> peer & 1)
        for peer in members(row.unknown):
            yield peer, Verdict.UNKNOWN, False
        return
    for peer, row in enumerate(rows):
        if row.allowed >> number & 1:
            yield peer, Verdict.ALLOWED, bool(row.redirected >> number & 1)
        elif row.unknown >> number & 1:
            yield peer, Verdict.UNKNOWN, False


def _passages(
    state: State, number: int, peer: int, way: Way, states: list[tuple[int, Verdict, bool]], explained: bool
) -> Iterable[Passage]:
    """Join the port classes of a peer on which the same happens for the same reasons."""
    joined: dict[tuple[Verdict, bool, tuple[str, ...]], list[PortClass]] = {}
    for position, verdict, proxied in states:
        ports = state.classes[position]
        because = _because(state, number, peer, way, ports) if explained else ()
        joined.setdefault((verdict, proxied, because), []).append(ports)
    for (verdict, proxied, because), classes in joined.items():
        yield Passage(tuple(classes), verdict, proxied, because, len(classes) == len(state.classes))


def _because(state: State, number: int, peer: int, way: Way, ports: PortClass) -> tuple[str, ...]:
    source, destination = (number, peer) if way is Way.TO else (peer, number)
    parties = state.matrix.parties
    both = state.policies.combine(parties[source], parties[destination], ports.sample)
    return tuple(f"{side.direction}: {reason_in_words(side)}" for side in both if side.verdict is Verdict.ALLOWED)


_REASONS = {
    Reason.NO_POLICY: "no policy selects it",
    Reason.DEFAULT_ALLOW: "no policy denies by default",
    Reason.ALLOW_LOCALHOST: "the node always reaches its pods",
    Reason.DEFAULT_DENY: "denied by default",
    Reason.CONFLICT: "rules contradict each other",
    Reason.MISSING_FACT: "not everything was read",
    Reason.BEYOND: "something is in force whose meaning is not known",
    Reason.NOT_AN_ENDPOINT: "under nobody's policy",
}


def reason_in_words(side: Decision) -> str:
    """Say why a side decides as it does: the rules by name and place, or the reason there is none."""
    if side.reason in (Reason.RULE, Reason.EXPLICIT_DENY):
        return ", ".join(f"{origin.policy.short}{origin.pointer}" for origin in side.rules)
    return _REASONS[side.reason]
