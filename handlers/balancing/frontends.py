"""The frontends of a Service as each node should have them, held against the node's own table.

A node answers for the cluster IPs, and where Cilium replaces kube-proxy for nodePorts, load balancer and external
addresses. For clients outside, externalTrafficPolicy Local leaves it the backends of its own; for those inside,
internalTrafficPolicy Local does (Kubernetes, Virtual IPs and Service Proxies; recorded tables agree).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.connection.backends import Target
from handlers.connection.forwarding import CILIUM_ENVOY, forwarding_of
from handlers.model.agent import LoadBalancerEntry
from handlers.model.cluster import Pod, Service, ServicePort
from handlers.model.facts import Facts

_SETTLES = timedelta(seconds=60)
"""How old a backend is before a node that does not know it is behind: changes take seconds to arrive."""
_PROXY_NAME = "service.kubernetes.io/service-proxy-name"
_OF_SEVERAL_CLUSTERS = ("service.cilium.io/global", "io.cilium/global-service")
_NEAR_FIRST = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")


@dataclass(frozen=True, slots=True)
class NodeFrontend:
    """An address and port of a Service on one node, and the backends, ``ip:port``, that it should lead to there."""

    address: str
    protocol: str
    port: ServicePort
    for_inside: bool
    backends: frozenset[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a node's table differs from what it should be. ``is_absent``: the frontend is not there at all."""

    frontend: str
    missing: tuple[str, ...]
    stale: tuple[str, ...]
    is_absent: bool
    known: int
    """Backends of the node's table that are right."""


def frontends_on(node: str, service: Service, targets: Iterable[Target], facts: Facts) -> tuple[NodeFrontend, ...]:
    """Return the frontends that the node should have, each with the ready backends that it may pick there."""
    targets = tuple(target for target in targets if target.ready)
    forwarding = forwarding_of(facts)
    replaces = forwarding is not None and forwarding.replaces_kube_proxy
    return tuple(_frontends(node, service, targets, replaces=replaces))


def _frontends(node: str, service: Service, targets: tuple[Target, ...], *, replaces: bool) -> Iterator[NodeFrontend]:
    if service.is_headless or service.type == "ExternalName":
        return
    for port in service.ports:
        mine = [target for target in targets if target.service_port == port]
        own = [target for target in mine if target.node == node]
        inside = own if service.internal_traffic_policy == "Local" else mine
        outside = own if service.external_traffic_policy == "Local" else mine
        for ip in service.cluster_ips:
            if ip:
                yield _frontend(ip, port.port, port, inside, for_inside=False)
        if not replaces:
            continue
        if port.node_port:
            yield _frontend("", port.node_port, port, outside, for_inside=False)
        for ip in (*service.balancer_ips, *service.external_ips):
            yield _frontend(ip, port.port, port, outside, for_inside=False)


def _frontend(ip: str, number: int, port: ServicePort, targets: list[Target], *, for_inside: bool) -> NodeFrontend:
    host = f"[{ip}]" if ":" in ip else ip
    family = ":" in ip if ip else None
    backends = frozenset(address_of(one) for one in targets if family in (None, ":" in one.ip))
    return NodeFrontend(f"{host}:{number}", port.protocol, port, for_inside, backends)


def address_of(target: Target) -> str:
    """Write a backend as agents do: ``10.0.0.1:80``, ``[fd00::1]:80``."""
    return f"[{target.ip}]:{target.port}" if ":" in target.ip else f"{target.ip}:{target.port}"


def is_comparable(service: Service, targets: Iterable[Target]) -> bool:
    """Whether Cilium balances the Service, by its slices alone: no other proxy does, no Envoy, no other cluster."""
    foreign = _PROXY_NAME in service.labels or any(
        service.annotations.get(key, "").lower() == "true" for key in _OF_SEVERAL_CLUSTERS
    )
    return not foreign and not any(target.ip == CILIUM_ENVOY for target in targets)


def differences(
    frontends: Iterable[NodeFrontend], entries: Iterable[LoadBalancerEntry], service: Service, fresh: frozenset[str]
) -> Iterator[Difference]:
    """Yield how a node's table differs; ``fresh`` are backends that are too young to be missed."""
    table: dict[tuple[str, str], list[LoadBalancerEntry]] = {}
    for entry in entries:
        if not entry.for_inside:
            table.setdefault((_key(entry), entry.protocol), []).append(entry)
    for frontend in frontends:
        found = table.get((frontend.address, frontend.protocol), [])
        if any(entry.kind == "LocalRedirect" for entry in found):
            continue
        known = {backend for entry in found for backend in entry.backends}
        near_first = any(key in service.annotations for key in _NEAR_FIRST)
        missing = frontend.backends - known - fresh
        if near_first and known & frontend.backends:
            missing = frozenset()
        stale = known - frontend.backends
        is_absent = not found and not frontend.address.startswith(":") and bool(frontend.backends - fresh)
        if missing or stale or is_absent:
            yield Difference(
                f"{frontend.address}/{frontend.protocol}",
                tuple(sorted(missing)),
                tuple(sorted(stale)),
                is_absent,
                len(known & frontend.backends),
            )


def _key(entry: LoadBalancerEntry) -> str:
    """Return a frontend's address; every node address that answers for a nodePort is one."""
    return f":{entry.frontend.rpartition(':')[2]}" if entry.kind == "NodePort" else entry.frontend


def too_young(targets: Iterable[Target], pods: Iterable[Pod], now: datetime) -> frozenset[str]:
    """Return the backends whose pods are so new that the nodes may not have heard of them yet."""
    young = {str(pod) for pod in pods if pod.created_at and now - pod.created_at < _SETTLES}
    return frozenset(address_of(target) for target in targets if target.pod in young)
