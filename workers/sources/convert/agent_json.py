"""What ``cilium-dbg ... -o json`` prints on one node, to the model.

Shapes as of Cilium 1.19 (api/v1/models; seen on a two-node cluster): absent statistics are 2^64-1, ports of policy
maps stand in network byte order, and missing addresses are ``0.0.0.0`` or words.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.model.agent import (
    AddressIdentity,
    AgentEndpoint,
    AgentIdentity,
    AgentStatus,
    Controller,
    EgressGatewayEntry,
    Encryption,
    EndpointLogEntry,
    HealthProbe,
    LearntName,
    LoadBalancerEntry,
    Metric,
    PeerNode,
    PolicyMapEntry,
    ProbeWay,
)
from handlers.model.cluster import PodPort
from workers.sources.convert.agent_words import (
    address_or_none,
    address_pools,
    counted,
    enforcing,
    gateway_or_none,
    owner_of_address,
    version_of_state,
)
from workers.sources.convert.flow_words import query_name
from workers.sources.convert.reading import (
    Body,
    MalformedError,
    each,
    flag,
    host_port,
    labels,
    moment,
    number,
    rows,
    struct,
    text,
    texts,
    values,
    without_cluster,
)

_STATIC_BITS = 40
"""Bits of a policy map key before protocol and port: identity, direction, padding (Cilium, pkg/maps/policymap)."""

_DENY = 1


def status(body: Any) -> AgentStatus:
    """Read ``status -o json``, which leaves out what the health prober says of peers.

    Raises:
        MalformedError: if it is not what that command prints.
    """
    whole = _object(body, "status")
    own = struct(whole, "cilium")
    message = text(own, "msg") or ""
    components = {
        name: (state, text(part, "msg") or "")
        for name, part in whole.items()
        if name != "cilium" and isinstance(part, Mapping) and (state := text(part, "state"))
    }
    prober = struct(struct(whole, "cluster"), "ciliumHealth")
    if state := text(prober, "state"):
        components["cilium-health"] = (state, text(prober, "msg") or "")
    proxy, ipam, routing = struct(whole, "proxy"), struct(whole, "ipam"), struct(whole, "routing")
    return AgentStatus(
        version=version_of_state(message),
        state=text(own, "state") or "",
        message=message,
        components=components,
        failing=tuple(found for item in rows(whole, "controllers") if (found := _failing(item)) is not None),
        peers=None,
        proxy_redirects=(number(proxy, "total-redirects") or 0) if proxy else None,
        kube_proxy_replacement=text(struct(whole, "kube-proxy-replacement"), "mode"),
        pools=address_pools(text(ipam, "status") or ""),
        given_to=tuple(sorted(map(owner_of_address, labels(ipam, "allocations").values()))),
        routing=text(routing, "inter-host-routing-mode") or "",
        tunnel=text(routing, "tunnel-protocol") or "",
        encryption=_encryption(struct(whole, "encryption")),
        host_firewall=None if (mode := text(struct(whole, "host-firewall"), "mode")) is None else mode == "Enabled",
        masquerading=_masquerading(struct(whole, "masquerading")),
        map_sizes={
            name: size
            for item in rows(struct(whole, "bpf-maps"), "maps")
            if (name := text(item, "name")) and (size := number(item, "size")) is not None
        },
    )


def _masquerading(body: Body) -> str:
    if not body:
        return ""
    return (text(body, "mode") or "") if flag(body, "enabled") else "Disabled"


def _encryption(body: Body) -> Encryption | None:
    mode = text(body, "mode")
    if mode is None:
        return None
    interface = next(iter(rows(struct(body, "wireguard"), "interfaces")), {})
    return Encryption(
        mode=mode,
        public_key=text(interface, "public-key") or "",
        # Go leaves out a count of zero.
        peers=(number(interface, "peer-count") or 0) if interface else None,
        keys_in_use=number(struct(body, "ipsec"), "keys-in-use"),
    )


def _failing(body: Body) -> Controller | None:
    state = struct(body, "status")
    failures = number(state, "consecutive-failure-count") or 0
    if failures == 0:
        return None
    return Controller(
        name=text(body, "name") or "",
        failures=failures,
        error=text(state, "last-failure-msg") or "",
        last_failure_at=moment(state, "last-failure-timestamp"),
    )


def peers(body: Any) -> tuple[PeerNode, ...]:
    """Read ``cilium-health status -o json``: every node but the local one. A probe without ``status`` succeeded."""
    whole = _object(body, "health status")
    local = text(struct(whole, "local"), "name")
    return tuple(_peer(item) for item in rows(whole, "nodes") if text(item, "name") != local)


def _peer(body: Body) -> PeerNode:
    host = struct(struct(body, "host"), "primary-address")
    endpoint = struct(struct(body, "health-endpoint"), "primary-address") or struct(body, "endpoint")
    return PeerNode(
        name=without_cluster(text(body, "name") or ""),
        probes=(*_probes(host, of_endpoint=False), *_probes(endpoint, of_endpoint=True)),
    )


def _probes(address: Body, *, of_endpoint: bool) -> Iterator[HealthProbe]:
    for way in ProbeWay:
        if address.get(way.lower()) is not None:
            probe = struct(address, way.lower())
            error, latency = text(probe, "status") or "", number(probe, "latency")
            seconds = round(latency / 1e9, 9) if latency and not error else None
            yield HealthProbe(way, of_endpoint, error, moment(probe, "lastProbed"), seconds)


def endpoints(body: Any) -> tuple[AgentEndpoint, ...]:
    """Read ``endpoint list -o json``."""
    return each("endpoint", _list(body), _endpoint)


def _endpoint(body: Body) -> AgentEndpoint:
    state = struct(body, "status")
    policy = struct(state, "policy")
    realized, spec = struct(policy, "realized"), struct(policy, "spec")
    of_pod = struct(state, "external-identifiers")
    identity = struct(state, "identity")
    mode = text(realized, "policy-enabled")
    audit = text(struct(struct(state, "realized"), "options"), "PolicyAuditMode")
    namespace, _, pod = (text(of_pod, "pod-name") or "").partition("/")
    return AgentEndpoint(
        id=_needed(number(body, "id"), "id"),
        namespace=text(of_pod, "k8s-namespace") or namespace,
        pod=text(of_pod, "k8s-pod-name") or pod,
        identity=number(identity, "id") or 0,
        labels=_labels(identity),
        ips=tuple(
            ip
            for item in rows(struct(state, "networking"), "addressing")
            for family in ("ipv4", "ipv6")
            if (ip := text(item, family))
        ),
        state=text(state, "state") or "",
        ingress_enforcing=enforcing(mode, "ingress"),
        egress_enforcing=enforcing(mode, "egress"),
        desired_revision=number(spec, "policy-revision"),
        realized_revision=number(realized, "policy-revision"),
        audit=None if audit is None else audit == "Enabled",
        health=text(struct(state, "health"), "overallHealth"),
        named_ports=tuple(
            PodPort(text(item, "name"), number(item, "port") or 0, text(item, "protocol") or "TCP")
            for item in rows(state, "namedPorts")
        ),
        log=tuple(map(_log_entry, rows(state, "log"))),
        failing=tuple(found for item in rows(state, "controllers") if (found := _failing(item)) is not None),
    )


def _log_entry(body: Body) -> EndpointLogEntry:
    return EndpointLogEntry(
        code=text(body, "code") or "",
        message=text(body, "message") or "",
        state=text(body, "state") or "",
        at=moment(body, "timestamp"),
    )


def identities(body: Any) -> tuple[AgentIdentity, ...]:
    """Read ``identity list -o json``."""
    return each(
        "identity",
        _list(body),
        lambda item: AgentIdentity(number=_needed(number(item, "id"), "id"), labels=_labels(item)),
    )


def _labels(body: Body) -> tuple[str, ...]:
    """Return labels in one order; the agent's differs from call to call."""
    return tuple(sorted(texts(body, "labels")))


def addresses(body: Any) -> tuple[AddressIdentity, ...]:
    """Read ``ip list -o json``."""
    return each(
        "address",
        _list(body),
        lambda item: AddressIdentity(
            cidr=_needed(text(item, "cidr"), "cidr"), identity=_needed(number(item, "identity"), "identity")
        ),
    )


def learnt_names(body: Any) -> tuple[LearntName, ...]:
    """Read ``fqdn cache list -o json``."""
    return each(
        "DNS name",
        _list(body),
        lambda item: LearntName(
            name=query_name(_needed(text(item, "fqdn"), "fqdn")),
            ips=texts(item, "ips"),
            endpoint=number(item, "endpoint-id") or None,
            expires_at=moment(item, "expiration-time"),
        ),
    )


def policy_map(body: Any) -> tuple[PolicyMapEntry, ...]:
    """Read ``bpf policy get --all -o json``."""
    entries = each("policy map", _list(body), _entries_of_endpoint)
    return tuple(entry for of_endpoint in entries for entry in of_endpoint)


def _entries_of_endpoint(body: Body) -> tuple[PolicyMapEntry, ...]:
    endpoint = _needed(number(body, "EndpointID"), "EndpointID")
    return tuple(_entry(endpoint, item) for item in rows(body, "Content"))


def _entry(endpoint: int, body: Body) -> PolicyMapEntry:
    key = struct(body, "Key")
    prefix = number(key, "Prefixlen")
    return PolicyMapEntry(
        endpoint=endpoint,
        ingress=(number(key, "TrafficDirection") or 0) == 0,
        deny=bool((number(body, "Flags") or 0) & _DENY),
        identity=number(key, "Identity") or 0,
        protocol=number(key, "Nexthdr") or 0,
        port=_host_order(number(key, "DestPortNetwork") or 0),
        prefix=None if prefix is None else max(0, prefix - _STATIC_BITS),
        proxy_port=_host_order(number(body, "ProxyPortNetwork") or 0),
        packets=counted(number(body, "Packets")),
    )


def _host_order(port: int) -> int:
    return int.from_bytes((port & 0xFFFF).to_bytes(2, "little"), "big")


def egress_gateways(body: Any) -> tuple[EgressGatewayEntry, ...]:
    """Read ``bpf egress list -o json``."""
    return each(
        "egress gateway entry",
        _list(body),
        lambda item: EgressGatewayEntry(
            source_ip=_needed(text(item, "SourceIP"), "SourceIP"),
            destination_cidr=_needed(text(item, "DestCIDR"), "DestCIDR"),
            egress_ip=address_or_none(text(item, "EgressIP")),
            gateway_ip=gateway_or_none(text(item, "GatewayIP")),
        ),
    )


def services(body: Any) -> tuple[LoadBalancerEntry, ...]:
    """Read ``service list -o json``: the agent's table from which it fills the datapath's."""
    return each("service", _list(body), _service)


def _service(body: Body) -> LoadBalancerEntry:
    realized = struct(struct(body, "status"), "realized") or struct(body, "spec")
    front, flags = struct(realized, "frontend-address"), struct(realized, "flags")
    backends = rows(realized, "backend-addresses")
    return LoadBalancerEntry(
        frontend=_address_and_port(front),
        protocol=(text(front, "protocol") or "TCP").upper(),
        backends=tuple(_address_and_port(item) for item in backends if _is_active(item)),
        namespace=text(flags, "namespace") or "",
        name=text(flags, "name") or "",
        kind=text(flags, "type") or "",
        for_inside=text(front, "scope") == "internal",
        idle=tuple(_address_and_port(item) for item in backends if not _is_active(item)),
    )


def _is_active(backend: Body) -> bool:
    return (text(backend, "state") or "active") == "active"


def _address_and_port(body: Body) -> str:
    return host_port(text(body, "ip") or "", number(body, "port") or 0)


def metrics(body: Any) -> tuple[Metric, ...]:
    """Read ``metrics list -o json``."""
    return each("metric", _list(body), _metric)


def _metric(body: Body) -> Metric:
    # Go leaves out a value of zero.
    value = body.get("value", 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedError("value is no number")
    return Metric(name=_needed(text(body, "name"), "name"), labels=labels(body, "labels"), value=float(value))


def _object(body: Any, what: str) -> Body:
    if not isinstance(body, Mapping):
        raise MalformedError(f"the {what} is no object")
    return body


def _list(body: Any) -> list[Any]:
    return values({"the output": body}, "the output")


def _needed(value: Any, key: str) -> Any:
    if value is None:
        raise MalformedError(f"{key} is missing")
    return value
