"""Corrected egress gateway policies for a connection, each decided again."""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.connection.outbound import Outbound, outbound_of
from handlers.connection.trial import Trial
from handlers.egress.choice import Entry, choose
from handlers.egress.correction import Correction, NoCorrectionError, another_selector, at_node, without_exclusion
from handlers.egress.gateways import WayOut, ways_out
from handlers.egress.policy import read_policy
from handlers.model.agent import EgressGatewayEntry
from handlers.model.facts import Lacking, attempt
from handlers.model.report import Patch


@dataclass(frozen=True, slots=True)
class Corrections:
    """Patches of egress gateway policies, and why there is none where there is none."""

    patches: tuple[Patch, ...] = ()
    notes: tuple[str, ...] = ()


def corrections_of(trial: Trial) -> Corrections:
    """Correct what is clear: a range that is excluded, a selector that matches no node, an address of another node."""
    found = attempt(lambda: outbound_of(trial))
    if isinstance(found, Lacking):
        return Corrections()
    patches: dict[str, Patch] = {}
    notes: list[str] = []
    for outbound in found:
        try:
            for correction in _corrections(outbound):
                if _holds(correction, outbound):
                    patches.setdefault(correction.policy.ref, _patch(correction, outbound))
        except NoCorrectionError as error:
            notes.append(f"No patch: {error}")
    return Corrections(tuple(patches.values()), tuple(dict.fromkeys(notes)))


def _corrections(outbound: Outbound) -> Iterator[Correction]:
    choice = outbound.choice
    if not outbound.is_on or choice.is_open or choice.is_conflict:
        return
    if choice.kept_out_of:
        yield from (without_exclusion(entry.policy, entry.cidr) for entry in choice.deciding if entry.is_excluded)
    for entry in choice.taken[:1]:
        for way in outbound.ways(entry):
            if way.node is None:
                yield another_selector(entry.policy, way.gateway, outbound.nodes)
            elif _lacks_address(outbound, way):
                yield at_node(entry.policy, way.gateway, outbound.nodes)


def _lacks_address(outbound: Outbound, way: WayOut) -> bool:
    told = outbound.entry_on(way.node.name) if way.node else None
    return isinstance(told, EgressGatewayEntry) and told.egress_ip is None


def _holds(correction: Correction, outbound: Outbound) -> bool:
    """Whether the corrected policy takes the packets out through a node."""
    return bool(_nodes(correction, outbound))


def _nodes(correction: Correction, outbound: Outbound) -> tuple[str, ...]:
    corrected = read_policy(correction.corrected)
    others = [entry.policy for entry in _entries(outbound) if entry.policy.ref != corrected.ref]
    decided = choose([corrected, *others], outbound.choice.address)
    if decided.is_conflict or not decided.taken:
        return ()
    ways = ways_out(decided.taken[0].policy, outbound.facts.nodes, outbound.version)
    return tuple(way.node.name for way in ways if way.node) if all(way.node for way in ways) else ()


def _entries(outbound: Outbound) -> tuple[Entry, ...]:
    return (*outbound.choice.deciding, *outbound.choice.overruled)


def _patch(correction: Correction, outbound: Outbound) -> Patch:
    through = ", ".join(_nodes(correction, outbound))
    proof = f"decided again: {outbound.source.title} leaves for {outbound.choice.address} through {through}"
    return correction.as_patch((proof, *correction.also))
