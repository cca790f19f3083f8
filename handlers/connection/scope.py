"""How wide to read for one connection, round by round."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from handlers.connection.backends import Target, backends_of
from handlers.connection.dns import DNS_APP, DNS_NAMESPACE, DNS_PORT
from handlers.connection.ends import Ends
from handlers.connection.forwarding import frontend_of
from handlers.connection.handovers import backends_named, handovers, services_of_controllers
from handlers.connection.legs import places_of
from handlers.connection.outbound import outbound_of
from handlers.connection.policies import some_policy_names_services
from handlers.connection.trial import Trial
from handlers.model.cluster import Service
from handlers.model.connection import Connection
from handlers.model.endpoint import Address, EndpointName, HostName, Kind, Named
from handlers.model.entrance import Entrances
from handlers.model.facts import Facts, Lacking, attempt, needed
from handlers.model.parts import Part
from handlers.model.scope import FlowMatch, FlowQuery, PodQuery, Scope
from handlers.model.snapshot import Gap, Known, Missing
from handlers.names.entrances import service_named_outside
from handlers.names.resolve import End, Meaning, Resolved, is_cluster_name, name_inside, resolve
from handlers.names.services import all_services, node_named, service_at
from handlers.names.spelling import nearest

MOST_AGENTS = 6
"""Agents asked for one connection; a workload on more nodes is judged by the pods of these."""
MOST_GATEWAYS = 2
"""Gateway nodes asked besides."""
MOST_PODS_IN_A_FILTER = 40
"""Pods named in a flow filter; beyond, the filter names their namespace."""


def connection_scope(connection: Connection, span: timedelta, so_far: Facts) -> Scope:
    """Return the widths that are known by now."""
    everywhere = any(
        isinstance(name, Named) and name.namespace is None and name.kind is not Kind.NODE
        for name in (connection.source, connection.destination)
    )
    namespaces = _namespaces(connection, so_far)
    trial = Trial(connection, so_far)
    ends, may_be_blocked = trial.ends, _may_be_blocked(trial)
    waits = not isinstance(ends, Lacking) and _backends_may_come(connection, ends, so_far)
    return Scope(
        namespaces=None if namespaces is None else tuple(sorted(namespaces | {DNS_NAMESPACE})),
        all_namespaces=everywhere,
        pods=_pod_queries(connection, so_far, everywhere),
        nodes=None if isinstance(ends, Lacking) or waits else _nodes(connection, ends, so_far),
        flows=None if isinstance(ends, Lacking) or waits else _flow_query(connection, span, ends, so_far),
        identities=_identities(so_far, may_be_blocked),
        all_policies=may_be_blocked,
        named_ports=_some_egress_rule_names_ports(so_far) or None,
        all_services=_may_be_a_service(connection, so_far) or None,
        entrances=_may_lead_in(connection.destination) or None,
        policy_services=some_policy_names_services(so_far) or None,
    )


def name_scope(name: EndpointName, so_far: Facts) -> Scope:
    """Return the widths, known by now, that tell what a single name means: its namespaces, or who has the address."""
    alone = Connection(name, name)
    everywhere = isinstance(name, Named) and name.namespace is None and name.kind is not Kind.NODE
    namespaces = _namespaces(alone, so_far)
    return Scope(
        namespaces=None if namespaces is None else tuple(sorted(namespaces)),
        all_namespaces=everywhere,
        pods=(PodQuery(),) if everywhere else _pods_of_ends(alone, so_far),
        all_services=_may_be_a_service(alone, so_far) or None,
    )


def _namespaces(connection: Connection, so_far: Facts) -> set[str] | None:
    """Return the namespaces of both ends, None while a part that tells them can still come."""
    found: set[str] = set()
    for end in End:
        namespaces = attempt(partial(_namespaces_of, connection, end, so_far))
        if not isinstance(namespaces, Lacking):
            found |= namespaces
        elif namespaces.missing.gap is Gap.NOT_ASKED:
            return None
    return found


def namespaces_meant(namespace: str, so_far: Facts) -> set[str] | None:
    """Return a namespace, with those that may be meant where there is none of this name; None before they are read.

    Where it is misspelt, the names offered instead have to be there.
    """
    known = so_far.look(Part.NAMESPACES)
    if isinstance(known, Missing):
        return None if known.gap is Gap.NOT_ASKED else {namespace}
    spaces = {space.name for space in known.value}
    return {namespace} if namespace in spaces else {namespace, *nearest(namespace, spaces)}


def _name_at(connection: Connection, end: End, so_far: Facts) -> EndpointName:
    """Return the name at an end; an address, or a node, where a name is one of that.

    Raises:
        PartMissingError: if the nodes were not read, and the name could be one's.
    """
    name = connection.source if end is End.SOURCE else connection.destination
    if isinstance(name, HostName) and name.name in {node.name for node in so_far.nodes}:
        return Named(None, name.name, Kind.NODE)
    return _address_in(name) or name


def _namespaces_of(connection: Connection, end: End, so_far: Facts) -> set[str]:
    name = _name_at(connection, end, so_far)
    match name:
        case Address() | Named(kind=Kind.NODE) if service := _service_at(connection, end, so_far):
            return {service.namespace}
        case Named(namespace=str(namespace)):
            return namespaces_meant(namespace, so_far) or {namespace}
        case HostName():
            inside = name_inside(name)
            spaces = {space.name for space in so_far.namespaces} if inside else set()
            own = {inside.namespace} & spaces if isinstance(inside, Named) and inside.namespace else set()
            return own or (_led_to(name, so_far) if end is End.DESTINATION else set())
        case Address() | Named(kind=Kind.NODE):
            found = resolve(name, so_far, end, connection.port, connection.protocol)
            return {pod.namespace for pod in found.pods}
    return set()


def _led_to(name: HostName, so_far: Facts) -> set[str]:
    """Return the namespaces of what a host name of the outside leads to.

    Raises:
        PartMissingError: while Ingresses, Gateways and Services were not read.
    """
    if not _may_lead_in(name):
        return set()
    entrances: Entrances = so_far.value(Part.ENTRANCES)
    found = tuple(entrance for entrance in entrances.found if entrance.serves(name.name))
    if not found:
        frontend = service_named_outside(name.name, None, None, so_far) if all_services(so_far) else None
        return {frontend.service.namespace} if frontend and frontend.service else set()
    end = Resolved(name, Meaning.ENTRANCE, name.name, entrances=found)
    controllers = (service for _, service in services_of_controllers(end, so_far) if service)
    return {*(one.namespace for one in backends_named(end)), *(service.namespace for service in controllers)}


def _may_lead_in(name: EndpointName) -> bool:
    """Whether a name may be one that an Ingress, a Gateway or a load balancer has."""
    return isinstance(name, HostName) and not is_cluster_name(name)


def _service_at(connection: Connection, end: End, so_far: Facts) -> Service | None:
    """Return the Service behind an address or a port of a node; only what is dialled is a port of a node."""
    name, is_dialled = _name_at(connection, end, so_far), end is End.DESTINATION
    if not isinstance(name, Address) and not (is_dialled and connection.port):
        return None
    return service_at(name, so_far, connection.port if is_dialled else None, connection.protocol)


def _may_be_a_service(connection: Connection, so_far: Facts) -> bool:
    """Whether an end is an address, a port of a node or a host name, which may be any Service's."""
    to = attempt(lambda: _name_at(connection, End.DESTINATION, so_far))
    may_be_node = isinstance(to, Named) and (to.kind is Kind.NODE or (to.namespace is None and to.kind is None))
    is_node_port = may_be_node and connection.port is not None
    return (
        _may_lead_in(connection.destination)
        or is_node_port
        or any(_address_in(name) for name in (connection.source, connection.destination))
    )


def _address_in(name: EndpointName) -> Address | None:
    """Return the address that a name is or stands for, None for other names."""
    inside = name_inside(name) if isinstance(name, HostName) else name
    return inside if isinstance(inside, Address) else None


def _pod_queries(connection: Connection, so_far: Facts, everywhere: bool) -> tuple[PodQuery, ...] | None:
    if everywhere:
        return (PodQuery(),)
    of_ends = _pods_of_ends(connection, so_far)
    dns = PodQuery(namespace=DNS_NAMESPACE, labels=f"k8s-app={DNS_APP}")
    return None if of_ends is None else tuple(dict.fromkeys([dns, *of_ends]))


def _pods_of_ends(connection: Connection, so_far: Facts) -> tuple[PodQuery, ...] | None:
    queries: list[PodQuery] = []
    for end in End:
        name = attempt(partial(_name_at, connection, end, so_far))
        if isinstance(name, Lacking):
            if name.missing.gap is Gap.NOT_ASKED:
                return None
            continue
        if isinstance(name, Address) or (isinstance(name, Named) and name.kind is Kind.NODE):
            found = attempt(partial(_pods_at, connection, end, so_far))
            if not isinstance(found, Lacking):
                queries += found
            elif found.missing.gap is Gap.NOT_ASKED:
                return None
            continue
        namespaces = attempt(partial(_namespaces_of, connection, end, so_far))
        if not isinstance(namespaces, Lacking):
            queries += [PodQuery(namespace=namespace) for namespace in sorted(namespaces)]
        elif namespaces.missing.gap is Gap.NOT_ASKED:
            return None
    return tuple(dict.fromkeys(queries))


def _pods_at(connection: Connection, end: End, so_far: Facts) -> list[PodQuery]:
    """Return what pods an address or a port of a node may lead to: those behind a Service, or on the node itself."""
    name, queries = _name_at(connection, end, so_far), []
    if isinstance(name, Address) and ipaddress.ip_network(name.cidr).num_addresses == 1:
        queries.append(PodQuery(ip=name.cidr))
    if service := _service_at(connection, end, so_far):
        queries.append(PodQuery(namespace=service.namespace))
    elif end is End.DESTINATION and connection.port and (node := node_named(name, so_far)):
        queries.append(PodQuery(node=node.name))
    return queries


def _nodes(connection: Connection, ends: Ends, so_far: Facts) -> tuple[str, ...]:
    nodes = [*_nodes_of(ends.source), *_nodes_of(ends.destination)]
    if ends.destination.entrances:
        nodes += [target.node for target in _handed_to(ends, so_far) if target.node]
    if ends.destination.frontend and ends.destination.frontend.node:
        nodes.append(ends.destination.frontend.node.name)
    nodes += [backend.node for backend in _backends(connection, ends, so_far) if backend.node]
    return tuple(dict.fromkeys([*tuple(dict.fromkeys(nodes))[:MOST_AGENTS], *_gateways(connection, so_far)]))


def _gateways(connection: Connection, so_far: Facts) -> tuple[str, ...]:
    """Return the nodes through which egress gateway policies lead packets out, as far as is known by now."""
    found = attempt(lambda: outbound_of(Trial(connection, so_far)))
    if isinstance(found, Lacking):
        return ()
    ways = (way for outbound in found for entry in outbound.choice.taken for way in outbound.ways(entry))
    return tuple(dict.fromkeys(way.node.name for way in ways if way.node))[:MOST_GATEWAYS]


def _backends(connection: Connection, ends: Ends, so_far: Facts) -> tuple[Target, ...]:
    """Return the backends; where they cannot be told the service probe says so, and the other end is worth a look."""
    backends = attempt(lambda: backends_of(connection, ends.destination, so_far))
    return () if isinstance(backends, Lacking) else backends


def _handed_to(ends: Ends, so_far: Facts) -> tuple[Target, ...]:
    """Return the backends behind the routes of an entrance; none where they cannot be told."""
    found = attempt(lambda: handovers(ends.destination, so_far))
    return () if isinstance(found, Lacking) else tuple(target for one in found for target in one.targets)


def _backends_may_come(connection: Connection, ends: Ends, so_far: Facts) -> bool:
    """Whether a later round tells what stands behind the Service."""
    backends: object = attempt(lambda: backends_of(connection, ends.destination, so_far))
    if ends.destination.entrances:
        backends = attempt(lambda: handovers(ends.destination, so_far))
    return isinstance(backends, Lacking) and backends.missing.gap is Gap.NOT_ASKED


def _nodes_of(end: Resolved) -> Iterator[str]:
    if end.node:
        yield end.node.name
    yield from (pod.node for pod in end.pods if pod.node and pod.is_running)


def _flow_query(connection: Connection, span: timedelta, ends: Ends, so_far: Facts) -> FlowQuery:
    source_pods = _pod_names(ends.source)
    source_ips = () if source_pods else _addresses(ends.source)
    destination_pods, destination_ips = _pod_names(ends.destination), _addresses(ends.destination)
    if ends.destination.service:
        backends = _backends(connection, ends, so_far)
        destination_pods = _capped(str(backend.pod) for backend in backends if backend.pod)
        if not destination_pods:
            destination_ips = tuple(dict.fromkeys([*(backend.ip for backend in backends), *destination_ips]))
    if ends.destination.entrances:
        # Whoever serves the entrance stands between: its own packets to the backends are what tells.
        behind = _capped(str(target.pod) for target in _handed_to(ends, so_far) if target.pod)
        around = [FlowMatch(destination_pods=behind), FlowMatch(source_pods=behind)] if behind else []
        around.append(FlowMatch(source_pods=source_pods, destination_ports=(DNS_PORT,)))
        around.append(FlowMatch(destination_pods=source_pods, source_ports=(DNS_PORT,)))
        return FlowQuery(tuple(around), so_far.now - span, so_far.now)
    if destination_pods:
        destination_ips = ()
    if source_ips and frontend_of(ends.destination, places_of(ends.source, so_far)):
        # A node that forwards puts an address of its own in the source's place.
        source_ips = (*source_ips, *(ip for node in so_far.nodes for ip in node.ips + node.cilium_ips))
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
    if (service := ends.destination.service) and not service.is_headless and destination_pods:
        # Where packets are translated one by one they are seen at the Service's own address as well.
        own = tuple(ip for ip in service.cluster_ips if ip)
        matches.append(FlowMatch(source_pods=source_pods, source_ips=source_ips, destination_ips=own))
        matches.append(FlowMatch(source_ips=own, destination_pods=source_pods, destination_ips=source_ips))
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


def _identities(so_far: Facts, may_be_blocked: bool | None) -> tuple[int, ...] | None:
    """Ask for every identity only where a patch may be needed, to tell whom else it opens; else for the ends alone."""
    endpoints = so_far.look(Part.CILIUM_ENDPOINTS)
    if may_be_blocked is None or not isinstance(endpoints, Known):
        return None
    if may_be_blocked:
        return ()
    numbers = {endpoint.identity for endpoint in endpoints.value if endpoint.identity}
    return tuple(sorted(numbers)) or None


def _may_be_blocked(trial: Trial) -> bool | None:
    """Whether some side denies the connection or cannot be told yet, None before policies were read."""
    if not isinstance(trial.facts.look(Part.POLICIES), Known):
        return None
    legs = attempt(lambda: (*needed(trial.judgements), *needed(trial.lookups)))
    if isinstance(legs, Lacking):
        return None if legs.missing.gap is Gap.NOT_ASKED else False
    return not all(side.passes for leg in legs for side in leg.sides)


def _some_egress_rule_names_ports(so_far: Facts) -> bool:
    """Whether a port name occurs in an egress section: it means the ports of that name of every pod."""
    policies = so_far.look(Part.POLICIES)
    return isinstance(policies, Known) and any(_names_egress_port(policy.manifest) for policy in policies.value)


def _names_egress_port(manifest: Mapping[str, Any]) -> bool:
    specs = manifest.get("specs")
    for spec in [manifest.get("spec"), *(specs if isinstance(specs, list) else [])]:
        if isinstance(spec, Mapping):
            for section in ("egress", "egressDeny"):
                if any(not port.isdigit() for port in _ports(spec.get(section))):
                    return True
    return False


def _ports(node: object, depth: int = 0) -> Iterator[str]:
    if depth > 8:
        return
    if isinstance(node, Mapping):
        if isinstance(node.get("port"), str):
            yield node["port"]
        for child in node.values():
            yield from _ports(child, depth + 1)
    elif isinstance(node, list):
        for child in node:
            yield from _ports(child, depth + 1)
