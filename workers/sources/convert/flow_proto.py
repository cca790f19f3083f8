"""A flow as Hubble's protobuf carries it to the model; the same result as ``flow_json`` for the same flow."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from handlers.model.flow import (
    DnsRecord,
    Flow,
    FlowDirection,
    FlowEnd,
    FlowPolicy,
    FlowType,
    FlowVerdict,
    HttpRecord,
)
from handlers.model.traffic import Protocol
from workers.sources.convert.flow_window import FlowKey
from workers.sources.convert.flow_words import DIRECTIONS, ICMP, PORTED, TYPES, VERDICTS, drop_reason, query_name
from workers.sources.convert.reading import FIRST_YEAR, LAST_YEAR, MalformedError, without_cluster
from workers.sources.hubble_pb import triage_hubble_pb2 as pb

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000_000


def _by_number(enum: Any, words: Mapping[str, T]) -> Mapping[int, T]:
    return {value.number: words[value.name] for value in enum.DESCRIPTOR.values if value.name in words}


_VERDICTS = _by_number(pb.Verdict, VERDICTS)
_TYPES = _by_number(pb.FlowType, TYPES)
_DIRECTIONS = _by_number(pb.TrafficDirection, DIRECTIONS)


def name_of_value(enum: Any, number: int) -> str:
    """Return the name of an enum's value, or its number where Hubble is newer than this project."""
    found = enum.DESCRIPTOR.values_by_number.get(number)
    return found.name if found is not None else str(number)


def moment_of(stamp: Timestamp) -> datetime:
    """Return a protobuf time; what is below a microsecond is cut.

    Raises:
        MalformedError: if it lies in years that nothing was observed in.
    """
    nanos = stamp.nanos
    try:
        if not 0 <= nanos < _SECOND:
            raise ValueError(nanos)
        found = _EPOCH + timedelta(0, stamp.seconds, nanos // 1000)
    except (ValueError, OverflowError) as error:
        raise MalformedError("time is out of range") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise MalformedError("time is out of range")
    return found


def key_of_proto(flow: pb.Flow) -> FlowKey:
    """Return the fields that queries compare, without building the whole flow."""
    source, destination = flow.source, flow.destination
    which = flow.l4.WhichOneof("protocol")
    ports = getattr(flow.l4, which) if which in PORTED else None
    return FlowKey(
        source=f"{source.namespace}/{source.pod_name}",
        source_ip=flow.IP.source,
        source_port=ports.source_port if ports is not None else None,
        destination=f"{destination.namespace}/{destination.pod_name}",
        destination_ip=flow.IP.destination,
        destination_port=ports.destination_port if ports is not None else None,
        verdict=_VERDICTS.get(flow.verdict, FlowVerdict.UNKNOWN),
    )


def flow_from_proto(flow: pb.Flow) -> Flow:
    """Read one flow.

    Raises:
        MalformedError: if it has no time.
    """
    if not flow.HasField("time"):
        raise MalformedError("time is missing")
    protocol, ports, icmp_type = _layer4(flow.l4)
    service = flow.destination_service
    reason = name_of_value(pb.DropReason, flow.drop_reason_desc) if flow.drop_reason_desc else None
    return Flow(
        time=moment_of(flow.time),
        verdict=_VERDICTS.get(flow.verdict, FlowVerdict.UNKNOWN),
        type=_TYPES.get(flow.Type, FlowType.UNKNOWN),
        event_type=flow.event_type.type,
        event_sub_type=flow.event_type.sub_type,
        node=without_cluster(flow.node_name),
        source=_end(flow.source, flow.IP.source, ports[0], flow.source_names),
        destination=_end(flow.destination, flow.IP.destination, ports[1], flow.destination_names),
        protocol=protocol,
        direction=_DIRECTIONS.get(flow.traffic_direction, FlowDirection.UNKNOWN),
        drop_reason=drop_reason(reason, flow.drop_reason),
        is_reply=flow.is_reply.value if flow.HasField("is_reply") else None,
        tcp_flags=_flags(flow.l4.TCP.flags.SerializeToString()) if protocol is Protocol.TCP else frozenset(),
        observation_point=name_of_value(pb.TraceObservationPoint, flow.trace_observation_point)
        if flow.trace_observation_point
        else None,
        policy_match_type=flow.policy_match_type,
        allowed_by=_policies(flow.egress_allowed_by) + _policies(flow.ingress_allowed_by),
        denied_by=_policies(flow.egress_denied_by) + _policies(flow.ingress_denied_by),
        dns=_dns(flow.l7),
        http=_http(flow.l7),
        proxy_port=flow.proxy_port,
        icmp_type=icmp_type,
        destination_service=f"{service.namespace}/{service.name}" if service.name else None,
        source_translated=flow.IP.source_xlated or None,
        uuid=flow.uuid,
    )


def _layer4(layer4: pb.Layer4) -> tuple[Protocol | None, tuple[int | None, int | None], int | None]:
    which = layer4.WhichOneof("protocol")
    if which in PORTED:
        of_protocol = getattr(layer4, which)
        return PORTED[which], (of_protocol.source_port, of_protocol.destination_port), None
    if which in ICMP:
        return ICMP[which], (None, None), getattr(layer4, which).type
    return None, (None, None), None


@lru_cache(maxsize=512)
def _flags(written: bytes) -> frozenset[str]:
    """Return the names of the flags that are set; few combinations occur, many times each."""
    return frozenset(field.name for field, is_set in pb.TCPFlags.FromString(written).ListFields() if is_set)


class _Who(NamedTuple):
    """What is said of an endpoint in every flow of it."""

    identity: int
    namespace: str
    pod: str
    labels: tuple[str, ...]
    workloads: tuple[tuple[str, str], ...]


@lru_cache(maxsize=4096)
def _who(written: bytes) -> _Who:
    """Read an endpoint; its flows repeat it byte for byte, and then share what was read."""
    endpoint = pb.Endpoint.FromString(written)
    return _Who(
        endpoint.identity,
        endpoint.namespace,
        endpoint.pod_name,
        tuple(endpoint.labels),
        tuple((item.kind, item.name) for item in endpoint.workloads),
    )


def _end(endpoint: pb.Endpoint, ip: str, port: int | None, names: Iterable[str]) -> FlowEnd:
    who = _who(endpoint.SerializeToString())
    return FlowEnd(
        ip=ip,
        port=port,
        identity=who.identity,
        namespace=who.namespace,
        pod=who.pod,
        labels=who.labels,
        names=tuple(query_name(name) for name in names),
        workloads=who.workloads,
    )


def _policies(policies: Sequence[pb.Policy]) -> tuple[FlowPolicy, ...]:
    if not policies:
        return ()
    return tuple(FlowPolicy(item.kind, item.namespace, item.name) for item in policies if item.name)


def _dns(layer7: pb.Layer7) -> DnsRecord | None:
    if layer7.WhichOneof("record") != "dns":
        return None
    return DnsRecord(
        query=query_name(layer7.dns.query),
        ips=tuple(layer7.dns.ips),
        rcode=layer7.dns.rcode,
        is_response=layer7.type == pb.RESPONSE,
    )


def _http(layer7: pb.Layer7) -> HttpRecord | None:
    if layer7.WhichOneof("record") != "http":
        return None
    return HttpRecord(method=layer7.http.method, url=layer7.http.url, code=layer7.http.code)
