"""Under which identity nodes saw an end: what they saw outweighs what is computed of an address.

A node's address is computed to be the node. Packets that the node forwards for clients outside bear that address too,
and the world's identity: only the flows of the node that decides tell them apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.connection.legs import Leg
from handlers.connection.places import Place, PlaceKind
from handlers.connection.seen import is_at
from handlers.model.facts import Facts
from handlers.model.flow import Flow, FlowEnd
from handlers.model.labels import LabelSet
from handlers.model.parts import Part
from handlers.model.party import Party, PartyKind
from handlers.model.snapshot import Known
from handlers.policy.entities import kind_of
from handlers.policy.parties import party_of_labels
from handlers.policy.views import NODE_KINDS

MOST_IDENTITIES = 3
"""Identities of one address that are judged."""
_NODES = (*NODE_KINDS, PartyKind.REMOTE_NODE, PartyKind.KUBE_APISERVER)
_COMPUTED = (PlaceKind.NODE, PlaceKind.OUTSIDE)
"""Places whose identity is computed of an address; pods publish theirs, and an entity is one."""


@dataclass(frozen=True, slots=True)
class SeenIdentity:
    """An identity that a node saw for an address; ``packets`` counts its reports."""

    address: str
    node: str
    labels: tuple[str, ...]
    packets: int

    @property
    def party(self) -> Party:
        """Who that is to policy: whoever bears these labels, at no address of its own."""
        return party_of_labels(LabelSet.parse(self.labels), name=self.in_words)

    @property
    def in_words(self) -> str:
        """The identity as people write it: ``world``."""
        return ",".join(label.removeprefix("reserved:") for label in self.labels)


def seen_otherwise(leg: Leg, *, at_source: bool, facts: Facts) -> tuple[SeenIdentity, ...]:
    """Return the identities, other than the computed one, under which the other end's node saw an end of a leg."""
    found = _seen(leg, at_source=at_source, facts=facts)
    return tuple(seen for seen in found if not _is_as_computed(seen, leg, at_source=at_source))


def was_seen_as_computed(leg: Leg, *, at_source: bool, facts: Facts) -> bool:
    """Whether the other end's node saw an end under the identity that is computed of it."""
    found = _seen(leg, at_source=at_source, facts=facts)
    return any(_is_as_computed(seen, leg, at_source=at_source) for seen in found)


def _seen(leg: Leg, *, at_source: bool, facts: Facts) -> tuple[SeenIdentity, ...]:
    place, other = (leg.source, leg.destination) if at_source else (leg.destination, leg.source)
    look = facts.look(Part.FLOWS)
    if place.kind not in _COMPUTED or other.kind is not PlaceKind.POD or not isinstance(look, Known):
        return ()
    counted: dict[tuple[str, tuple[str, ...]], int] = {}
    for flow in look.value.flows:
        if flow.node != other.node or flow.is_reply is True or flow.protocol is not leg.protocol:
            continue
        mine, theirs = (flow.source, flow.destination) if at_source else (flow.destination, flow.source)
        if _is_of(mine, place) and is_at(theirs, other) and _is_to_port(flow, leg):
            counted[mine.ip, mine.labels] = counted.get((mine.ip, mine.labels), 0) + 1
    most = sorted(counted.items(), key=lambda item: -item[1])[:MOST_IDENTITIES]
    return tuple(SeenIdentity(ip, other.node or "", labels, count) for (ip, labels), count in most)


def _is_of(end: FlowEnd, place: Place) -> bool:
    return end.ip in place.ips and bool(end.labels) and not end.pod


def _is_to_port(flow: Flow, leg: Leg) -> bool:
    return leg.port is None or leg.protocol.is_icmp or flow.destination.port in (leg.port, leg.dialled)


def _is_as_computed(seen: SeenIdentity, leg: Leg, *, at_source: bool) -> bool:
    place = leg.source if at_source else leg.destination
    kind = kind_of(LabelSet.parse(seen.labels))
    if place.kind is PlaceKind.NODE:
        return kind in _NODES
    return kind is PartyKind.OUTSIDE


def ends_seen_otherwise(leg: Leg, facts: Facts) -> Iterator[tuple[Place, SeenIdentity]]:
    """Yield each end of a leg with an identity that was seen of it and is not the computed one."""
    for at_source, place in ((True, leg.source), (False, leg.destination)):
        for seen in seen_otherwise(leg, at_source=at_source, facts=facts):
            yield place, seen
