"""How wide to read for one connection, round by round."""

import ipaddress
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta

from handlers.model.connection import Connection
from handlers.model.endpoint import Address, HostName, Kind, Named
from handlers.model.facts import Facts, PartMissingError
from handlers.model.scope import FlowMatch, FlowQuery, PodQuery, Scope
from handlers.model.snapshot import Known, Part
from handlers.names.resolve import Meaning, Resolved, service_name
from handlers.path.backends import backends_of
from handlers.path.dns import DNS_APP, DNS_NAMESPACE
from handlers.path.ends import Ends, ends_of

MOST_AGENTS = 6
"""Agents asked for one connection; a workload on more nodes is judged by the pods of these."""
MOST_PODS_IN_A_FILTER = 40
"""Pods named in a flow filter; beyond, the filter names their namespace."""


def connection_scope(connection: Connection, span: timedelta, so_far: Facts) -> Scope:
    """Return the widths that are known by now."""
    everywhere = any(
        isinstance(name, Named) and name.namespace is None and name.kind is not Kind.NODE
        for name in (connection.source, connection.destination)
    )
    first = _named_namespaces(connection, so_far)
    try:
        ends = ends_of(connection, so_far)
    except PartMissingError:
        ends = None
    namespaces = first if ends is None or first is None else first | _resolved_namespaces(ends)
    waits = not everywhere and ends is None and _has_address(connection)
    return Scope(
        namespaces=None if namespaces is None or waits else tuple(sorted(namespaces | {DNS_NAMESPACE})),
        all_namespaces=everywhere,
        pods=_pod_queries(connection, first, everywhere),
        nodes=None if ends is None else _nodes(connection, ends, so_far),
        flows=None if ends is None else _flow_query(connection, span, ends, so_far),
        identities=_identities(so_far),
        policy_services=_has_address(connection) or _some_policy_names_services(so_far) or None,
    )


def _named_namespaces(connection: Connection, so_far: Facts) -> set[str] | None:
    """Return the namespaces that the names themselves tell, None where only the list of namespaces can."""
    found: set[str] = set()
    for name in (connection.source, connection.destination):
        if isinstance(name, Named) and name.namespace:
            found.add(name.namespace)
        elif isinstance(name, HostName) and (inside := service_name(name)):
            spaces = so_far.look(Part.NAMESPACES)
            if not isinstance(spaces, Known):
                return None
            if any(space.name == inside.namespace for space in spaces.value):
                found.add(inside.namespace or "")
    return found


def _resolved_namespaces(ends: Ends) -> set[str]:
    pods = {pod.namespace for end in (ends.source, ends.destination) for pod in end.pods}
    return pods | {end.service.namespace for end in (ends.source, ends.destination) if end.service}


def _has_address(connection: Connection) -> bool:
    return any(isinstance(name, Address) for name in (connection.source, connection.destination))


def _pod_queries(connection: Connection, namespaces: set[str] | None, everywhere: bool) -> tuple[PodQuery, ...] | None:
    if everywhere:
        return (PodQuery(),)
    if namespaces is None:
        return None
    addresses = [
        name.cidr
        for name in (connection.source, connection.destination)
        if isinstance(name, Address) and ipaddress.ip_network(name.cidr).num_addresses == 1
    ]
    return (
        *(PodQuery(namespace=namespace) for namespace in sorted(namespaces)),
        *(PodQuery(ip=address) for address in addresses),
        PodQuery(namespace=DNS_NAMESPACE, labels=f"k8s-app={DNS_APP}"),
    )


def _nodes(connection: Connection, ends: Ends, so_far: Facts) -> tuple[str, ...]:
    nodes = [*_nodes_of(ends.source), *_nodes_of(ends.destination)]
    # Where the backends cannot be told the service probe says so; the nodes of the other end are still worth asking.
    with suppress(PartMissingError):
        nodes += [backend.node for backend in backends_of(connection, ends.destination, so_far) if backend.node]
    return tuple(dict.fromkeys(nodes))[:MOST_AGENTS]


def _nodes_of(end: Resolved) -> Iterator[str]:
    if end.node:
        yield end.node.name
    yield from (pod.node for pod in end.pods if pod.node and pod.is_running)


def _flow_query(connection: Connection, span: timedelta, ends: Ends, so_far: Facts) -> FlowQuery:
    source_pods = _pod_names(ends.source)
    source_ips = () if source_pods else _addresses(ends.source)
    destination_pods, destination_ips = _pod_names(ends.destination), _addresses(ends.destination)
    if ends.destination.service:
        try:
            backends = backends_of(connection, ends.destination, so_far)
        except PartMissingError:
            backends = ()
        destination_pods = _capped(str(backend.pod) for backend in backends if backend.pod)
        if not destination_pods:
            destination_ips = tuple(dict.fromkeys([*(backend.ip for backend in backends), *destination_ips]))
    if destination_pods:
        destination_ips = ()
    matches = [
        FlowMatch(
            source_pods=source_pods,
            source_ips=source_ips,
            destination_pods=destination_pods,
            destination_ips=destination_ips,
        ),
        FlowMatch(
            source_pods=destination_pods,
            source_ips=destination_ips,
            destination_pods=source_pods,
            destination_ips=source_ips,
        ),
    ]
    if source_pods:
        matches.append(FlowMatch(source_pods=source_pods, destination_ports=(53,)))
        matches.append(FlowMatch(source_ports=(53,), destination_pods=source_pods))
    return FlowQuery(tuple(matches), so_far.now - span, so_far.now)


def _pod_names(end: Resolved) -> tuple[str, ...]:
    return _capped(str(pod) for pod in end.pods if not pod.host_network)


def _capped(names: Iterable[str]) -> tuple[str, ...]:
    pods = tuple(dict.fromkeys(names))
    if len(pods) <= MOST_PODS_IN_A_FILTER:
        return pods
    return tuple(dict.fromkeys(f"{pod.partition('/')[0]}/" for pod in pods))


def _addresses(end: Resolved) -> tuple[str, ...]:
    if end.meaning is Meaning.NODE and end.node:
        return end.node.ips + end.node.cilium_ips
    return end.addresses


def _identities(so_far: Facts) -> tuple[int, ...] | None:
    """Ask for every identity only where a policy could be patched, for the blast radius; else for those of the ends."""
    policies, endpoints = so_far.look(Part.POLICIES), so_far.look(Part.CILIUM_ENDPOINTS)
    if not isinstance(policies, Known) or not isinstance(endpoints, Known):
        return None
    if policies.value:
        return ()
    numbers = {endpoint.identity for endpoint in endpoints.value if endpoint.identity}
    return tuple(sorted(numbers)) or None


def _some_policy_names_services(so_far: Facts) -> bool:
    policies = so_far.look(Part.POLICIES)
    return isinstance(policies, Known) and any("toServices" in str(policy.manifest) for policy in policies.value)
