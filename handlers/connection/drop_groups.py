"""Dropped flows, grouped by cause: who, to whom, on which port, why; packets counted once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers.model.flow import EventType, Flow, FlowDirection, FlowEnd, FlowVerdict
from handlers.model.labels import NAMESPACE_LABEL, LabelSet, Source
from handlers.model.traffic import Protocol

ROUTER_SOLICITATION, REDIRECT = 133, 137
"""The ICMPv6 types of neighbour discovery: from the first to the last (RFC 4861)."""
_SUFFIXES = 2


@dataclass(frozen=True, slots=True)
class DropGroup:
    """Packets with one cause. ``example`` is the newest flow; ``count`` packets, retransmissions included.

    ``source`` and ``destination`` are workloads as ``namespace/name``, entities, or addresses.
    """

    source: str
    destination: str
    port: int | None
    protocol: Protocol | None
    reason: str
    direction: FlowDirection
    is_audit: bool
    count: int
    first_at: datetime
    last_at: datetime
    example: Flow


NamesTold = Mapping[tuple[str, frozenset[str]], frozenset[str]]
"""An address and the names that a flow lists for it, to those of them that are meant."""

Owners = Mapping[tuple[str, str], str]
"""Namespace and name of a pod, to the name of its workload: flows name the workload of local pods only."""


def drop_groups(flows: Iterable[Flow], owners: Owners) -> tuple[DropGroup, ...]:
    """Group dropped and audited flows, the largest group first.

    A packet shows as a drop and as a policy verdict; the larger of both counts is the number of packets, and the
    verdict's direction is the one to trust. A refusal by the proxy shows as an L7 record alone.
    """
    groups: dict[tuple[object, ...], list[Flow]] = {}
    stopped = [flow for flow in flows if flow.verdict in (FlowVerdict.DROPPED, FlowVerdict.AUDIT)]
    told = names_told(stopped)
    for flow in stopped:
        groups.setdefault(_key(flow, owners, told), []).append(flow)
    found = [_group(group, owners, told) for group in groups.values()]
    return tuple(sorted(found, key=lambda group: (-group.count, group.source, group.destination)))


def _key(flow: Flow, owners: Owners, told: NamesTold) -> tuple[object, ...]:
    return (
        name_of(flow.source, owners, told),
        name_of(flow.destination, owners, told),
        _port(flow),
        flow.protocol,
        _reason(flow),
        flow.verdict is FlowVerdict.AUDIT,
    )


def _group(flows: list[Flow], owners: Owners, told: NamesTold) -> DropGroup:
    newest = max(flows, key=lambda flow: flow.time)
    verdicts = [flow for flow in flows if flow.event_type == EventType.POLICY_VERDICT]
    return DropGroup(
        source=name_of(newest.source, owners, told),
        destination=name_of(newest.destination, owners, told),
        port=_port(newest),
        protocol=newest.protocol,
        reason=_reason(newest),
        direction=(verdicts or [newest])[-1].direction,
        is_audit=newest.verdict is FlowVerdict.AUDIT,
        count=max(Counter(flow.event_type for flow in flows).values()),
        first_at=min(flow.time for flow in flows),
        last_at=newest.time,
        example=next(iter(verdicts), newest),
    )


def _reason(flow: Flow) -> str:
    if flow.drop_reason:
        return flow.drop_reason
    if flow.dns:
        return "DNS_REFUSED"
    if flow.http:
        return "HTTP_REFUSED"
    return "AUDIT" if flow.verdict is FlowVerdict.AUDIT else "UNKNOWN"


def _port(flow: Flow) -> int | None:
    if flow.protocol and flow.protocol.is_icmp:
        return flow.icmp_type
    return flow.destination.port


def name_of(end: FlowEnd, owners: Owners, told: NamesTold) -> str:
    """Return an end as an asker would name it: workload, pod, DNS name, address, or entity."""
    if end.pod:
        workload = end.workloads[0][1] if end.workloads else owners.get((end.namespace, end.pod), end.pod)
        return f"{end.namespace}/{workload}"
    if end.names:
        return " or ".join(name.rstrip(".") for name in sorted(told[end.ip, frozenset(end.names)]))
    return end.ip


def names_told(flows: Iterable[Flow]) -> NamesTold:
    """Tell which of an address's names are meant, where one flow carries more of them than another.

    An agent lists every name that it has learnt for an address, in the order of the alphabet: of names that share an
    address, the one that flows carry alone is the one that was looked up.
    """
    listed: dict[str, set[frozenset[str]]] = {}
    for flow in flows:
        for end in (flow.source, flow.destination):
            if end.names:
                listed.setdefault(end.ip, set()).add(frozenset(end.names))
    return {
        (ip, names): frozenset.intersection(*(other for other in sets if other <= names)) or names
        for ip, sets in listed.items()
        for names in sets
    }


def is_neighbour_noise(flow: Flow) -> bool:
    """Whether a drop is IPv6 neighbour or router discovery (RFC 4861): links make it all the time, no pod needs it."""
    discovery = flow.icmp_type is not None and ROUTER_SOLICITATION <= flow.icmp_type <= REDIRECT
    to_all = flow.drop_reason == "UNSUPPORTED_L3_PROTOCOL" and flow.destination.ip.lower().startswith("ff02:")
    return (flow.protocol is Protocol.ICMPV6 and discovery) or to_all


def entity_of(end: FlowEnd) -> str:
    """Return the reserved labels of an end in words, empty for pods."""
    names = [label.removeprefix("reserved:") for label in end.labels if label.startswith("reserved:")]
    return "" if end.pod else " ".join(names[:_SUFFIXES])


def namespaces_of_end(end: FlowEnd) -> frozenset[str]:
    """Return the namespaces that an end may be subject to the policies of: by its name, and by its labels."""
    label = LabelSet.parse(end.labels).find(Source.ANY, NAMESPACE_LABEL) if end.labels else None
    return frozenset({end.namespace, label.value if label else ""} - {""})
