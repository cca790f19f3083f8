"""What flows showed of a leg: delivered, answered, refused, dropped, or nothing.

Facts of Hubble that this rests on: a forwarded packet is not a delivered one; drops carry no reply flag; a drop shows
twice, as a drop and as a policy verdict (facts of a real cluster; Cilium, pkg/hubble/parser).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from handlers.model.endpoint import EntityName
from handlers.model.flow import EventType, Flow, FlowDirection, FlowEnd, FlowVerdict
from handlers.model.traffic import Protocol
from handlers.path.legs import Leg, Place, PlaceKind

_RESERVED_OF_ENTITY = {name: f"reserved:{name}" for name in EntityName}


@dataclass(frozen=True, slots=True)
class Drops:
    """Packets dropped for one reason on one node; ``count`` is distinct packets, retransmissions included."""

    reason: str
    direction: FlowDirection
    node: str
    count: int
    first_at: datetime
    last_at: datetime
    denied_by: tuple[str, ...]
    """Policies that Hubble names, ``Kind/namespace/name``: only for explicit denies."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of one leg; times are of the newest such event, None where there was none."""

    sent_at: datetime | None = None
    """A packet left towards the destination."""
    delivered_at: datetime | None = None
    """A packet was handed to the destination's endpoint."""
    answered_at: datetime | None = None
    """A reply that is no refusal came back."""
    refused_at: datetime | None = None
    """The destination answered a connection attempt with RST: nothing listens."""
    audited_at: datetime | None = None
    drops: tuple[Drops, ...] = ()
    flows: int = 0
    attempts: int = 0
    """Connection attempts (TCP SYN) that were handed to the destination, retransmissions included."""

    @property
    def dropped_at(self) -> datetime | None:
        """The newest drop."""
        return max((drop.last_at for drop in self.drops), default=None)

    @property
    def passed_at(self) -> datetime | None:
        """The newest sign that packets pass: an answer, a refusal by the application, or a delivery."""
        return max(filter(None, (self.answered_at, self.refused_at, self.delivered_at)), default=None)


def sight_of(leg: Leg, flows: Iterable[Flow]) -> Sight:
    """Return what these flows show of the leg."""
    there = [flow for flow in flows if _is_forward(flow, leg)]
    back = [flow for flow in flows if _is_backward(flow, leg)]
    passed = [flow for flow in there if flow.verdict in (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED)]
    return Sight(
        sent_at=_newest(passed),
        delivered_at=_newest(flow for flow in passed if flow.observation_point == "TO_ENDPOINT"),
        answered_at=_newest(flow for flow in back if "RST" not in flow.tcp_flags and _is_delivery(flow)),
        refused_at=_newest(flow for flow in back if _refuses(flow, back)),
        audited_at=_newest(flow for flow in there if flow.verdict is FlowVerdict.AUDIT),
        drops=drops_of(there),
        flows=len(there) + len(back),
        attempts=sum(flow.tcp_flags == {"SYN"} and flow.observation_point == "TO_ENDPOINT" for flow in passed),
    )


def drops_of(flows: Iterable[Flow]) -> tuple[Drops, ...]:
    """Group dropped flows by reason, direction and node.

    A packet shows as a drop and as a policy verdict: the larger of the two counts is the number of packets, and the
    verdict's direction is the one to trust.
    """
    groups: dict[tuple[str, str], list[Flow]] = {}
    for flow in flows:
        if flow.verdict is FlowVerdict.DROPPED:
            groups.setdefault((flow.drop_reason or "L7", flow.node), []).append(flow)
    found = []
    for (reason, node), group in groups.items():
        verdicts = [flow for flow in group if flow.event_type == EventType.POLICY_VERDICT]
        kinds = Counter(flow.event_type for flow in group)
        found.append(
            Drops(
                reason=reason,
                direction=(verdicts or group)[-1].direction,
                node=node,
                count=max(kinds.values()),
                first_at=min(flow.time for flow in group),
                last_at=max(flow.time for flow in group),
                denied_by=tuple(sorted({policy.ref for flow in group for policy in flow.denied_by})),
            )
        )
    return tuple(sorted(found, key=lambda drop: drop.last_at, reverse=True))


def is_at(end: FlowEnd, place: Place) -> bool:
    """Whether an end of a flow is this place."""
    if place.kind is PlaceKind.POD and place.pod:
        return (end.namespace, end.pod) == (place.pod.namespace, place.pod.name) or end.ip in place.ips
    if place.kind is PlaceKind.HOST_NAME:
        return place.host_name in {name.rstrip(".") for name in end.names}
    if place.kind is PlaceKind.ENTITY and place.entity:
        return _RESERVED_OF_ENTITY[place.entity] in end.labels
    return end.ip in place.ips


def _is_forward(flow: Flow, leg: Leg) -> bool:
    return (
        flow.is_reply is not True
        and _is_protocol(flow, leg)
        and (leg.port is None or leg.protocol.is_icmp or flow.destination.port in (leg.port, leg.dialled))
        and is_at(flow.source, leg.source)
        and is_at(flow.destination, leg.destination)
        and not _is_icmp_answer(flow)
        and flow.event_type != EventType.TRACE_SOCK
    )


def _is_backward(flow: Flow, leg: Leg) -> bool:
    return (
        flow.is_reply is True
        and _is_protocol(flow, leg)
        and (leg.port is None or leg.protocol.is_icmp or flow.source.port in (leg.port, leg.dialled))
        and is_at(flow.source, leg.destination)
        and is_at(flow.destination, leg.source)
    )


def _is_protocol(flow: Flow, leg: Leg) -> bool:
    return flow.protocol is leg.protocol


def _is_icmp_answer(flow: Flow) -> bool:
    answers = {Protocol.ICMP: 0, Protocol.ICMPV6: 129}
    return flow.protocol in answers and flow.icmp_type == answers[flow.protocol]


def _is_delivery(flow: Flow) -> bool:
    """Whether a reply got as far as the asker: at its endpoint, at its host's stack, or at the proxy."""
    return flow.verdict in (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED)


def _refuses(flow: Flow, back: list[Flow]) -> bool:
    """Whether a RST refuses a connection rather than ends one: nothing else came back on that port pair."""
    if "RST" not in flow.tcp_flags:
        return False
    return not any(other.destination.port == flow.destination.port and "RST" not in other.tcp_flags for other in back)


def _newest(flows: Iterable[Flow]) -> datetime | None:
    return max((flow.time for flow in flows), default=None)
