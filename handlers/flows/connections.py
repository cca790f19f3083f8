"""Flows as connections: both nodes' sights of one, its replies and its retransmissions are one connection.

A connection is told by its ends' addresses and ports (for ICMP by addresses alone), whoever saw it. What Hubble's proxy
records of requests stands beside it, one for each kind of request.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from handlers.connection.drop_groups import is_neighbour_noise
from handlers.flows.end_names import EndNames
from handlers.model.flow import EventType, Flow, FlowEnd, FlowVerdict
from handlers.model.traffic import Protocol

_REFUSED = 5
_RCODES = {0: "", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", _REFUSED: "REFUSED"}
"""RFC 1035, 4.1.1."""
_MOST_POLICIES = 2
_LONGEST_URL = 60
_NO_ANSWER, _RESET = "no answer seen", "refused by a reset"
_ANSWERED_WITHIN = timedelta(seconds=3)

Key = tuple[str, int | None, str, int | None, Protocol | None, str]


class Fate(StrEnum):
    """What became of a connection, by the worst that was seen of it."""

    DROPPED = "dropped"
    AUDIT = "audit"
    REDIRECTED = "redirected"
    FORWARDED = "forwarded"


_FATES = {
    FlowVerdict.DROPPED: Fate.DROPPED,
    FlowVerdict.ERROR: Fate.DROPPED,
    FlowVerdict.AUDIT: Fate.AUDIT,
    FlowVerdict.REDIRECTED: Fate.REDIRECTED,
}


class Layer(StrEnum):
    """Whether packets were seen, or requests that a proxy understands."""

    PACKETS = ""
    DNS = "DNS"
    HTTP = "HTTP"


@dataclass(frozen=True, slots=True)
class SeenConnection:
    """One connection, or one kind of request on it. ``requests`` counts these, 1 for packets."""

    source: FlowEnd
    destination: FlowEnd
    protocol: Protocol | None
    layer: Layer
    fate: Fate
    why: str
    """The reason of a drop with the policies that Hubble names, those that allowed it, or what came back."""
    at: datetime
    """The newest event."""
    requests: int = 1
    flows: int = 1
    """Events of the node that saw most of them: the other node's are the same packets."""

    @property
    def port(self) -> str:
        """Return ``8080/TCP``, ``53/UDP DNS``, ``ICMP``."""
        number = "" if self.destination.port is None else f"{self.destination.port}/"
        return f"{number}{self.protocol or '?'} {self.layer}".strip()


def connections(flows: Iterable[Flow], now: datetime) -> tuple[SeenConnection, ...]:
    """Return the connections of flows, the newest first. Neighbour discovery and socket events are no connections.

    An attempt of just ``now`` may still be answered.
    """
    kept = [flow for flow in flows if flow.event_type != EventType.TRACE_SOCK and not is_neighbour_noise(flow)]
    opened = {_forward(flow) for flow in kept if flow.is_reply is not None}
    there: defaultdict[Key, list[Flow]] = defaultdict(list)
    back: defaultdict[Key, list[Flow]] = defaultdict(list)
    for flow in kept:
        key, is_back = _placed(flow, opened)
        (back if is_back else there)[key].append(flow)
    found = [_connection(there.get(key, []), back.get(key, []), now) for key in dict.fromkeys([*there, *back])]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def _key(source: FlowEnd, destination: FlowEnd, flow: Flow) -> Key:
    return source.ip, source.port, destination.ip, destination.port, flow.protocol, _request(flow)


def _forward(flow: Flow) -> Key:
    ends = (flow.source, flow.destination)
    return _key(*(ends[::-1] if flow.is_reply else ends), flow)


def _placed(flow: Flow, opened: set[Key]) -> tuple[Key, bool]:
    """Return the connection of a flow, and whether it is a reply: drops never say, what else was seen does."""
    if flow.is_reply is not None:
        return _forward(flow), flow.is_reply
    ahead, reverse = _key(flow.source, flow.destination, flow), _key(flow.destination, flow.source, flow)
    is_back = ahead not in opened and (reverse in opened or flow.tcp_flags >= {"SYN", "ACK"})
    return (reverse if is_back else ahead), is_back


def _request(flow: Flow) -> str:
    if flow.dns:
        return f"DNS {flow.dns.query}"
    return f"HTTP {flow.http.method} {flow.http.url}" if flow.http else ""


def _connection(there: list[Flow], back: list[Flow], now: datetime) -> SeenConnection:
    both = [*there, *back]
    newest = max(both, key=lambda flow: flow.time)
    source, destination = _ends(there, back)
    layer = Layer.DNS if newest.dns else Layer.HTTP if newest.http else Layer.PACKETS
    # An event that says nothing of a fate (traced, translated) leaves it to the others.
    fates = {_FATES.get(flow.verdict, Fate.FORWARDED) for flow in both}
    fate = next(one for one in Fate if one in fates)
    decisive = [flow for flow in both if _FATES.get(flow.verdict, Fate.FORWARDED) is fate]
    return SeenConnection(
        source=source,
        destination=destination,
        protocol=newest.protocol,
        layer=layer,
        fate=fate,
        why=_why(fate, layer, decisive, there, back, now - _ANSWERED_WITHIN),
        at=newest.time,
        requests=1 if layer is Layer.PACKETS else max(len(there), len(back)),
        flows=max(Counter(flow.node for flow in both).values()),
    )


def _ends(there: list[Flow], back: list[Flow]) -> tuple[FlowEnd, FlowEnd]:
    """Return the ends as the flow saw them that knows most of both: a node knows its own pods best."""
    seen = [(flow.source, flow.destination) for flow in there] + [(flow.destination, flow.source) for flow in back]
    return max(seen, key=lambda ends: sum(bool(end.pod) + bool(end.workloads) + bool(end.names) for end in ends))


def _why(fate: Fate, layer: Layer, decisive: list[Flow], there: list[Flow], back: list[Flow], settled: datetime) -> str:
    newest = max(decisive, key=lambda flow: flow.time)
    if layer is not Layer.PACKETS:
        return _of_request(fate, newest, [*there, *back])
    if fate is Fate.DROPPED:
        named = _policies(policy.ref for flow in decisive for policy in flow.denied_by)
        reason = next((flow.drop_reason for flow in decisive if flow.drop_reason), "no reason given")
        return f"{reason} by {named}" if named else reason
    if fate is Fate.AUDIT:
        return "passed only because of audit mode"
    allowed = _policies(policy.ref for flow in there for policy in flow.allowed_by)
    return _answered(there, back, settled) or (f"allowed by {allowed}" if allowed else "")


def _answered(there: list[Flow], back: list[Flow], settled: datetime) -> str:
    """Say of a TCP connection that it never came about, nothing of any other."""
    flags = [flow.tcp_flags for flow in there if flow.tcp_flags]
    if not flags or any(flag != {"SYN"} for flag in flags):
        return ""
    if not back:
        return _NO_ANSWER if max(flow.time for flow in there) <= settled else ""
    return _RESET if all("RST" in flow.tcp_flags for flow in back) else ""


def _of_request(fate: Fate, newest: Flow, flows: list[Flow]) -> str:
    if newest.dns:
        rcode = next((flow.dns.rcode for flow in flows if flow.dns and flow.dns.rcode), 0)
        said = _RCODES.get(rcode, f"RCODE {rcode}") or ("" if fate is not Fate.DROPPED else "REFUSED")
        return " ".join(filter(None, (said, newest.dns.query)))
    code = next((flow.http.code for flow in flows if flow.http and flow.http.code), 0)
    url = newest.http.url if newest.http else ""
    short = url if len(url) <= _LONGEST_URL else f"{url[:_LONGEST_URL]}…"
    return " ".join(filter(None, (str(code or ""), newest.http.method if newest.http else "", short)))


def _policies(refs: Iterable[str]) -> str:
    counted = list(Counter(ref.partition("/")[2].removeprefix("/") for ref in refs))
    more = f" and {len(counted) - _MOST_POLICIES} more" if len(counted) > _MOST_POLICIES else ""
    return ", ".join(counted[:_MOST_POLICIES]) + more


@dataclass(frozen=True, slots=True)
class Group:
    """Connections that differ in the client's port and the pods alone. ``example`` is the newest of them."""

    source: str
    destination: str
    port: str
    fate: Fate
    why: str
    count: int
    """Connections; requests where requests were seen."""
    flows: int
    at: datetime
    example: SeenConnection

    @property
    def is_unanswered(self) -> bool:
        """Whether attempts to connect were forwarded, and nobody took them."""
        return self.why in (_NO_ANSWER, _RESET)


def grouped(found: Iterable[SeenConnection], names: EndNames) -> tuple[Group, ...]:
    """Return the connections by workloads, port, fate and reason, the newest first."""
    groups: defaultdict[tuple[str, str, str, Fate, str], list[SeenConnection]] = defaultdict(list)
    for one in found:
        groups[names.of(one.source), names.of(one.destination), one.port, one.fate, one.why].append(one)
    made = []
    for key, alike in groups.items():
        newest = max(alike, key=lambda one: one.at)
        count, flows = sum(one.requests for one in alike), sum(one.flows for one in alike)
        made.append(Group(*key, count, flows, newest.at, newest))
    return tuple(sorted(made, key=lambda group: group.at, reverse=True))
