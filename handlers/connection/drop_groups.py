"""Dropped flows, grouped by cause: who, to whom, on which port, why; packets counted once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers.model.flow import EventType, Flow, FlowDirection, FlowEnd, FlowVerdict
from handlers.model.traffic import Protocol

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
    last_at: datetime
    example: Flow


Owners = Mapping[tuple[str, str], str]
"""Namespace and name of a pod, to the name of its workload: flows name the workload of local pods only."""


def drop_groups(flows: Iterable[Flow], owners: Owners) -> tuple[DropGroup, ...]:
    """Group dropped and audited flows, the largest group first.

    A packet shows as a drop and as a policy verdict; the larger of both counts is the number of packets, and the
    verdict's direction is the one to trust. A refusal by the proxy shows as an L7 record alone.
    """
    groups: dict[tuple[object, ...], list[Flow]] = {}
    for flow in flows:
        if flow.verdict in (FlowVerdict.DROPPED, FlowVerdict.AUDIT):
            groups.setdefault(_key(flow, owners), []).append(flow)
    found = [_group(group, owners) for group in groups.values()]
    return tuple(sorted(found, key=lambda group: (-group.count, group.source, group.destination)))


def _key(flow: Flow, owners: Owners) -> tuple[object, ...]:
    return (
        name_of(flow.source, owners),
        name_of(flow.destination, owners),
        _port(flow),
        flow.protocol,
        _reason(flow),
        flow.verdict is FlowVerdict.AUDIT,
    )


def _group(flows: list[Flow], owners: Owners) -> DropGroup:
    newest = max(flows, key=lambda flow: flow.time)
    verdicts = [flow for flow in flows if flow.event_type == EventType.POLICY_VERDICT]
    return DropGroup(
        source=name_of(newest.source, owners),
        destination=name_of(newest.destination, owners),
        port=_port(newest),
        protocol=newest.protocol,
        reason=_reason(newest),
        direction=(verdicts or [newest])[-1].direction,
        is_audit=newest.verdict is FlowVerdict.AUDIT,
        count=max(Counter(flow.event_type for flow in flows).values()),
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


def name_of(end: FlowEnd, owners: Owners) -> str:
    """Return an end as an asker would name it: workload, pod, DNS name, address, or entity."""
    if end.pod:
        workload = end.workloads[0][1] if end.workloads else owners.get((end.namespace, end.pod), end.pod)
        return f"{end.namespace}/{workload}"
    if end.names:
        return end.names[0].rstrip(".")
    return end.ip


def entity_of(end: FlowEnd) -> str:
    """Return the reserved labels of an end in words, empty for pods."""
    names = [label.removeprefix("reserved:") for label in end.labels if label.startswith("reserved:")]
    return "" if end.pod else " ".join(names[:_SUFFIXES])
