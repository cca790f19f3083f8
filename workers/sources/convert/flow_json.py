"""A flow as jsonpb writes it (``hubble observe -o json``, and the flow files of a sysdump) to the model.

Zero values are left out there, and 64-bit numbers are strings. Enum values this project does not know are kept as
"unknown" or by name, never refused: Hubble adds some in every release.
"""

from collections.abc import Mapping
from functools import lru_cache

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
from workers.sources.convert.flow_words import (
    DIRECTIONS,
    ICMP,
    PORTED,
    TYPES,
    VERDICTS,
    drop_reason,
    query_name,
)
from workers.sources.convert.reading import (
    Body,
    MalformedError,
    flag,
    moment,
    number,
    rows,
    struct,
    text,
    texts,
    values,
    without_cluster,
)


def flow_from_json(body: Body) -> Flow:
    """Read one flow (the object under ``flow`` of a response).

    Raises:
        MalformedError: if it has no time, or a field of another type.
    """
    time = moment(body, "time")
    if time is None:
        raise MalformedError("time is missing")
    addresses, layer4, layer7 = struct(body, "IP"), struct(body, "l4"), struct(body, "l7")
    protocol, ports, icmp_type = _layer4(layer4)
    event = struct(body, "event_type")
    service = struct(body, "destination_service")
    point = text(body, "trace_observation_point")
    return Flow(
        time=time,
        verdict=VERDICTS.get(text(body, "verdict") or "", FlowVerdict.UNKNOWN),
        type=TYPES.get(text(body, "Type") or "", FlowType.UNKNOWN),
        event_type=number(event, "type") or 0,
        event_sub_type=number(event, "sub_type") or 0,
        node=without_cluster(text(body, "node_name") or ""),
        source=_end(struct(body, "source"), text(addresses, "source"), ports[0], texts(body, "source_names")),
        destination=_end(
            struct(body, "destination"), text(addresses, "destination"), ports[1], texts(body, "destination_names")
        ),
        protocol=protocol,
        direction=DIRECTIONS.get(text(body, "traffic_direction") or "", FlowDirection.UNKNOWN),
        drop_reason=drop_reason(body.get("drop_reason_desc"), body.get("drop_reason")),
        is_reply=flag(body, "is_reply"),
        tcp_flags=frozenset([key for key, is_set in struct(struct(layer4, "TCP"), "flags").items() if is_set is True]),
        observation_point=None if point == "UNKNOWN_POINT" else point,
        policy_match_type=number(body, "policy_match_type") or 0,
        allowed_by=_policies(body, "egress_allowed_by") + _policies(body, "ingress_allowed_by"),
        denied_by=_policies(body, "egress_denied_by") + _policies(body, "ingress_denied_by"),
        dns=_dns(layer7),
        http=_http(layer7),
        proxy_port=number(body, "proxy_port") or 0,
        icmp_type=icmp_type,
        destination_service=f"{text(service, 'namespace')}/{text(service, 'name')}" if text(service, "name") else None,
        source_translated=text(addresses, "source_xlated") or None,
        uuid=text(body, "uuid") or "",
    )


def key_from_json(body: Body) -> FlowKey:
    """Read only what queries compare: the key of the flow that ``flow_from_json`` returns for the same body.

    Raises:
        MalformedError: if one of these fields is of another type.
    """
    addresses, source, destination = struct(body, "IP"), struct(body, "source"), struct(body, "destination")
    _, ports, _ = _layer4(struct(body, "l4"))
    return FlowKey(
        source=f"{text(source, 'namespace') or ''}/{text(source, 'pod_name') or ''}",
        source_ip=text(addresses, "source") or "",
        source_port=ports[0],
        destination=f"{text(destination, 'namespace') or ''}/{text(destination, 'pod_name') or ''}",
        destination_ip=text(addresses, "destination") or "",
        destination_port=ports[1],
        verdict=VERDICTS.get(text(body, "verdict") or "", FlowVerdict.UNKNOWN),
    )


def _layer4(body: Body) -> tuple[Protocol | None, tuple[int | None, int | None], int | None]:
    for name, protocol in PORTED.items():
        if name in body:
            of_protocol = struct(body, name)
            source, destination = number(of_protocol, "source_port"), number(of_protocol, "destination_port")
            return protocol, (source or 0, destination or 0), None
    for name, protocol in ICMP.items():
        if name in body:
            return protocol, (None, None), number(struct(body, name), "type") or 0
    return None, (None, None), None


def _end(body: Body, ip: str | None, port: int | None, names: tuple[str, ...]) -> FlowEnd:
    return FlowEnd(
        ip=ip or "",
        port=port,
        identity=number(body, "identity") or 0,
        namespace=text(body, "namespace") or "",
        pod=text(body, "pod_name") or "",
        labels=_labels(body),
        names=tuple(map(query_name, names)) if names else (),
        workloads=tuple([(text(item, "kind") or "", text(item, "name") or "") for item in rows(body, "workloads")]),
    )


def _labels(body: Body) -> tuple[str, ...]:
    found = values(body, "labels")
    try:
        return _same(tuple(found))
    except TypeError:  # a label that is a list or an object
        return texts(body, "labels")


@lru_cache(maxsize=4096)
def _same(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return one tuple for all that are equal: the flows of an endpoint repeat its labels, and then share them."""
    return texts({"labels": labels}, "labels")


def _policies(body: Body, key: str) -> tuple[FlowPolicy, ...]:
    """Name the policies; an implicit allow (``allow-localhost-ingress``) has labels only and is no policy."""
    if key not in body:
        return ()
    return tuple(
        FlowPolicy(kind=text(item, "kind") or "", namespace=text(item, "namespace") or "", name=name)
        for item in rows(body, key)
        if (name := text(item, "name"))
    )


def _dns(layer7: Body) -> DnsRecord | None:
    if not isinstance(layer7.get("dns"), Mapping):
        return None
    dns = struct(layer7, "dns")
    return DnsRecord(
        query=query_name(text(dns, "query") or ""),
        ips=texts(dns, "ips"),
        rcode=number(dns, "rcode") or 0,
        is_response=text(layer7, "type") == "RESPONSE",
    )


def _http(layer7: Body) -> HttpRecord | None:
    if not isinstance(layer7.get("http"), Mapping):
        return None
    http = struct(layer7, "http")
    return HttpRecord(method=text(http, "method") or "", url=text(http, "url") or "", code=number(http, "code") or 0)
