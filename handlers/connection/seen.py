"""What flows showed of a stretch: delivered, answered, refused, dropped, or nothing.

Facts of Hubble that this rests on: a forwarded packet is not a delivered one; drops carry no reply flag; a drop shows
twice, as a drop and as a policy verdict (facts of a real cluster; Cilium, pkg/hubble/parser).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from handlers.connection.legs import Stretch
from handlers.connection.places import Place, PlaceKind
from handlers.model.flow import EventType, Flow, FlowDirection, FlowEnd, FlowVerdict
from handlers.model.traffic import Protocol
from handlers.policy.entities import telling_labels

LEAVING = ("TO_OVERLAY", "TO_NETWORK")
"""Where a packet is seen as it leaves its node for another one."""


@dataclass(frozen=True, slots=True)
class DroppedPackets:
    """Packets dropped for one reason on one node; ``count`` is distinct packets, retransmissions included."""

    reason: str
    direction: FlowDirection
    node: str
    count: int
    last_at: datetime
    denied_by: tuple[str, ...]
    """Policies that Hubble names, ``Kind/namespace/name``: only for explicit denies."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of one stretch; times are of the newest such event, None where there was none."""

    sent_at: datetime | None = None
    """A packet left towards the destination."""
    delivered_at: datetime | None = None
    """A packet was handed to the destination's endpoint."""
    answered_at: datetime | None = None
    """A reply that is no refusal came back."""
    refused_at: datetime | None = None
    """The destination answered a connection attempt with RST: nothing listens."""
    audited_at: datetime | None = None
    drops: tuple[DroppedPackets, ...] = ()
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


@dataclass(frozen=True, slots=True)
class Side:
    """Places in a form in which a flow's end is found fast."""

    pods: frozenset[tuple[str, str]]
    ips: frozenset[str]
    names: frozenset[str]
    labels: frozenset[str]

    @classmethod
    def of(cls, places: Iterable[Place]) -> "Side":
        """Gather places."""
        places = tuple(places)
        own = [place.pod for place in places if place.kind is PlaceKind.POD and place.pod]
        return cls(
            pods=frozenset((pod.namespace, pod.name) for pod in own),
            ips=frozenset(ip for place in places for ip in place.ips),
            names=frozenset(place.host_name for place in places if place.kind is PlaceKind.HOST_NAME),
            labels=frozenset(label for place in places if place.entity for label in telling_labels(place.entity)),
        )

    def holds(self, end: FlowEnd) -> bool:
        """Whether an end of a flow is one of the places."""
        if end.pod and self.pods:
            # An address may have had another owner; the flow names the one of its time.
            return (end.namespace, end.pod) in self.pods
        return (
            end.ip in self.ips
            or (bool(self.names) and not self.names.isdisjoint(name.rstrip(".") for name in end.names))
            or (bool(self.labels) and not self.labels.isdisjoint(end.labels))
        )


def is_at(end: FlowEnd, place: Place) -> bool:
    """Whether an end of a flow is this place."""
    return Side.of((place,)).holds(end)


def sight_of(stretch: Stretch, flows: Iterable[Flow]) -> Sight:
    """Return what these flows show of the stretch."""
    there, back = both_ways(stretch, flows)
    passed = [flow for flow in there if flow.verdict in (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED)]
    return Sight(
        sent_at=_newest(passed),
        delivered_at=_newest(flow for flow in passed if flow.observation_point == "TO_ENDPOINT"),
        answered_at=_newest(
            [
                *(flow for flow in back if "RST" not in flow.tcp_flags and _is_delivery(flow)),
                *(flow for flow in passed if goes_on(flow)),
            ]
        ),
        refused_at=_newest(flow for flow in back if _refuses(flow, there, back)),
        audited_at=_newest(flow for flow in there if flow.verdict is FlowVerdict.AUDIT),
        drops=drops_of(there),
        flows=len(there) + len(back),
        attempts=sum(flow.tcp_flags == {"SYN"} and flow.observation_point == "TO_ENDPOINT" for flow in passed),
    )


def both_ways(stretch: Stretch, flows: Iterable[Flow]) -> tuple[list[Flow], list[Flow]]:
    """Return the flows of the stretch: towards the destination, and back."""
    sources, destinations = Side.of(stretch.sources), Side.of(stretch.destinations)
    mine = [flow for flow in flows if flow.protocol is stretch.protocol]
    there = [flow for flow in mine if _is_forward(flow, stretch, sources, destinations)]
    if stretch.port is None:
        there = _without_replies(there, mine)
    return there, [flow for flow in mine if _is_backward(flow, stretch, sources, destinations)]


def drops_of(flows: Iterable[Flow]) -> tuple[DroppedPackets, ...]:
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
            DroppedPackets(
                reason=reason,
                direction=(verdicts or group)[-1].direction,
                node=node,
                count=max(kinds.values()),
                last_at=max(flow.time for flow in group),
                denied_by=tuple(sorted({policy.ref for flow in group for policy in flow.denied_by})),
            )
        )
    return tuple(sorted(found, key=lambda drop: drop.last_at, reverse=True))


def _is_forward(flow: Flow, stretch: Stretch, sources: Side, destinations: Side) -> bool:
    return (
        flow.is_reply is not True
        and sources.holds(flow.source)
        and _is_there(flow.destination, stretch, destinations)
        and not _is_icmp_answer(flow)
        and flow.event_type != EventType.TRACE_SOCK
    )


def _is_backward(flow: Flow, stretch: Stretch, sources: Side, destinations: Side) -> bool:
    return flow.is_reply is True and _is_there(flow.source, stretch, destinations) and sources.holds(flow.destination)


def _is_there(end: FlowEnd, stretch: Stretch, destinations: Side) -> bool:
    """Whether an end of a flow is the far end of the stretch, or the Service before it."""
    if end.ip in stretch.service_ips:
        return _is_any_port(stretch) or end.port == stretch.dialled
    return (_is_any_port(stretch) or end.port in (stretch.port, stretch.dialled)) and destinations.holds(end)


def _is_any_port(stretch: Stretch) -> bool:
    return stretch.port is None or stretch.protocol.is_icmp


def _is_icmp_answer(flow: Flow) -> bool:
    answers = {Protocol.ICMP: 0, Protocol.ICMPV6: 129}
    return flow.protocol in answers and flow.icmp_type == answers[flow.protocol]


def _is_delivery(flow: Flow) -> bool:
    """Whether a reply got as far as the asker: at its endpoint, at its host's stack, or at the proxy."""
    only_left = flow.observation_point in LEAVING and bool(flow.destination.pod)
    return flow.verdict in (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED) and not only_left


def goes_on(flow: Flow) -> bool:
    """Whether a client's packet shows that it has got an answer: no other follows a handshake."""
    return flow.protocol is Protocol.TCP and "ACK" in flow.tcp_flags and not flow.tcp_flags & {"SYN", "RST"}


def _refuses(flow: Flow, there: list[Flow], back: list[Flow]) -> bool:
    """Whether a RST refuses a connection rather than ends one: nothing but attempts went, nothing else came back."""
    if "RST" not in flow.tcp_flags:
        return False
    sent = [other.tcp_flags for other in there if other.source.port == flow.destination.port and other.tcp_flags]
    answers = [other for other in back if other.destination.port == flow.destination.port]
    return all("SYN" in flags for flags in sent) and all("RST" in other.tcp_flags for other in answers)


def _without_replies(there: list[Flow], flows: list[Flow]) -> list[Flow]:
    """Leave out packets that answer a conversation of the other direction: drops never say that they are replies."""
    opened = {_conversation(flow.source, flow.destination) for flow in flows if flow.is_reply is False}
    return [flow for flow in there if _conversation(flow.destination, flow.source) not in opened]


def _conversation(source: FlowEnd, destination: FlowEnd) -> tuple[str, int | None, str, int | None]:
    return source.ip, source.port, destination.ip, destination.port


def _newest(flows: Iterable[Flow]) -> datetime | None:
    return max((flow.time for flow in flows), default=None)
