"""From a name to what the cluster has under it: exactly one thing, or the reason why not."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from handlers.model.cluster import Node, Pod, Service, Workload
from handlers.model.endpoint import Address, EndpointName, Entity, EntityName, HostName, Kind, Named
from handlers.model.entrance import Entrance
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, Known
from handlers.model.traffic import Protocol
from handlers.names.entrances import entrances_at, service_named_outside
from handlers.names.frontends import Frontend, pod_at_node, service_at_address, service_at_node
from handlers.names.services import all_services
from handlers.names.spelling import nearest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Meaning(StrEnum):
    """What a name turned out to be."""

    POD = "Pod"
    WORKLOAD = "workload"
    SERVICE = "Service"
    NODE = "Node"
    OUTSIDE = "address outside the cluster"
    HOST_NAME = "DNS name"
    ENTRANCE = "host name of an Ingress or a Gateway"
    ENTITY = "entity"


class Obstacle(StrEnum):
    """Why a name could not be resolved."""

    NO_NAMESPACE = "no-namespace"
    NOTHING = "nothing"
    SEVERAL = "several"
    RANGE_INSIDE = "range-inside"
    """A range that holds addresses of nodes or pods: each of them is somebody else to policy."""


class End(StrEnum):
    """Which end of the flow a name stands for; a bare name may mean another thing at each."""

    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a name means now.

    ``pods`` are those behind it (for a Service: none here, its backends come from its slices). ``by_address`` tells
    that the asker gave an address, so that no DNS look-up happens. ``note`` says which of several readings was taken.
    """

    asked: EndpointName
    meaning: Meaning | None
    title: str
    pods: tuple[Pod, ...] = ()
    service: Service | None = None
    node: Node | None = None
    addresses: tuple[str, ...] = ()
    by_address: bool = False
    note: str = ""
    obstacle: Obstacle | None = None
    candidates: tuple[str, ...] = ()
    """Other names to ask for, in the asker's own grammar, nearest first."""
    ref: str = ""
    """``Kind/namespace/name`` of the object, empty for what is no object."""
    frontend: Frontend | None = None
    """What is dialled, where that is a port of a node or an address outside that leads to the Service or the pod."""
    entrances: tuple[Entrance, ...] = ()
    """The Ingresses and Gateways that take requests for the host name."""
    gone_from: str = ""
    """The node in whose pod range an address lies that no pod has now, empty for every other name."""


PARTS: tuple[AnyPart, ...] = (Part.NAMESPACES, Part.NODES, Part.PODS, Part.SERVICES)
"""Parts without which a name cannot be told from no name."""

OPTIONAL_PARTS: tuple[AnyPart, ...] = (
    Part.WORKLOADS,
    Part.ALL_SERVICES,
    Part.POLICY_SERVICES,
    Part.API_SERVER,
    Part.ENTRANCES,
)
"""Parts that only sharpen the reading."""


def resolve(name: EndpointName, facts: Facts, end: End, port: int | None, protocol: Protocol | None) -> Resolved:
    """Return what ``name`` means at this end of a flow to ``port``.

    Raises:
        PartMissingError: if a part that decides the reading was not read.
    """
    return facts.once(("resolve", name, end, port, protocol), lambda: _resolve(name, facts, end, port, protocol))


def _resolve(name: EndpointName, facts: Facts, end: End, port: int | None, protocol: Protocol | None) -> Resolved:
    match name:
        case Named(kind=Kind.NODE):
            return _node(name, facts, end, port, protocol)
        case Named(namespace=None):
            return _bare(name, facts, end, port, protocol)
        case Named():
            return _named(name, facts, end, port, protocol)
        case Address():
            return _address(name, facts, end, port, protocol)
        case HostName():
            return _host_name(name, facts, end, port, protocol)
        case Entity():
            return Resolved(name, Meaning.ENTITY, f"entity {name}")


def _node(name: Named, facts: Facts, end: End, port: int | None, protocol: Protocol | None) -> Resolved:
    for node in facts.nodes:
        if node.name == name.name:
            return _at_node(name, node, node.ips, facts, end, port, protocol) or _of_node(name, node)
    close = nearest(name.name, (node.name for node in facts.nodes))
    return Resolved(
        name, None, f"node {name.name}", obstacle=Obstacle.NOTHING, candidates=tuple(f"node/{other}" for other in close)
    )


def _of_node(name: EndpointName, node: Node, *, by_address: bool = False) -> Resolved:
    return Resolved(
        name,
        Meaning.NODE,
        f"node {node.name}",
        node=node,
        addresses=node.ips,
        by_address=by_address,
        ref=f"Node//{node.name}",
    )


def _at_node(
    name: EndpointName,
    node: Node,
    addresses: Iterable[str],
    facts: Facts,
    end: End,
    port: int | None,
    protocol: Protocol | None,
) -> Resolved | None:
    """Return what a port of a node leads to, None where that is the node itself."""
    if end is End.SOURCE or port is None or (protocol is not None and protocol.is_icmp):
        return None
    frontend = service_at_node(node, addresses, port, protocol, all_services(facts)) or pod_at_node(
        node, port, protocol, facts.pods
    )
    return _of_frontend(name, frontend, f"{port} of node {node.name}") if frontend else None


def _of_frontend(name: EndpointName, frontend: Frontend, dialled: str) -> Resolved:
    if frontend.service:
        service = frontend.service
        found = _of_service(Named(service.namespace, service.name, Kind.SERVICE), service, by_address=True)
    elif frontend.pod:
        pod = frontend.pod
        asked = Named(pod.namespace, pod.name, Kind.POD)
        found = _of_pods(asked, Meaning.POD, f"pod {pod}", [pod], by_address=True)
    else:
        return Resolved(name, None, str(name), obstacle=Obstacle.NOTHING)
    title = f"{found.title} behind node {frontend.node.name}" if frontend.node else found.title
    note = f"{dialled} is the {frontend.kind} of {found.title}"
    return _with_note(replace(found, title=title, frontend=frontend), note)


def _bare(name: Named, facts: Facts, end: End, port: int | None, protocol: Protocol | None) -> Resolved:
    """A name without namespace: it is taken where exactly one namespace, or a node, has it."""
    namespaces = sorted(
        {pod.namespace for pod in facts.pods if name.name in _names_of(pod)}
        | {service.namespace for service in facts.services if service.name == name.name}
    )
    nodes = [node for node in facts.nodes if name.kind is None and node.name == name.name]
    if nodes and not namespaces:
        found = _node(Named(None, name.name, Kind.NODE), facts, end, port, protocol)
        return _with_note(found, f"{name.name} is a node")
    if len(namespaces) == 1 and not nodes:
        found = _named(Named(namespaces[0], name.name, name.kind), facts, end, port, protocol)
        note = f"no namespace was given; only {namespaces[0]} has a {name.name}"
        return _with_note(found, note)
    if namespaces:
        candidates = [str(Named(namespace, name.name, name.kind)) for namespace in namespaces]
        candidates += [f"node/{node.name}" for node in nodes]
        return Resolved(name, None, name.name, obstacle=Obstacle.SEVERAL, candidates=tuple(candidates))
    known = {f"{pod.namespace}/{label}" for pod in facts.pods for label in _names_of(pod) if label != pod.name}
    known |= {f"node/{node.name}" for node in facts.nodes}
    known |= {str(service) for service in facts.services}
    by_name = {entry.partition("/")[2]: entry for entry in sorted(known)}
    close = tuple(by_name[word] for word in nearest(name.name, by_name))
    return Resolved(name, None, name.name, obstacle=Obstacle.NOTHING, candidates=close)


def _named(name: Named, facts: Facts, end: End, port: int | None, protocol: Protocol | None) -> Resolved:
    namespace = name.namespace or ""
    spaces = [space.name for space in facts.namespaces]
    if namespace not in spaces:
        close = tuple(found for other in nearest(namespace, spaces) for found in _there(name, other, facts))
        return Resolved(name, None, str(name), obstacle=Obstacle.NO_NAMESPACE, candidates=close)
    readings = _readings(name, facts)
    services = [reading for reading in readings if reading.meaning is Meaning.SERVICE]
    others = [reading for reading in readings if reading.meaning is not Meaning.SERVICE]
    if len(others) > 1:
        return Resolved(
            name, None, str(name), obstacle=Obstacle.SEVERAL, candidates=tuple(str(other.asked) for other in readings)
        )
    if services and others:
        return _service_or_workload(services[0], others[0], end, port, protocol)
    if readings:
        return readings[0]
    return Resolved(name, None, str(name), obstacle=Obstacle.NOTHING, candidates=_near(name, facts))


def _there(name: Named, namespace: str, facts: Facts) -> tuple[str, ...]:
    """Return the name in another namespace, as far as that was read: as it is, else the nearest spellings."""
    names = {label for pod in facts.pods if pod.namespace == namespace for label in _names_of(pod)}
    names |= {service.name for service in facts.services if service.namespace == namespace}
    if name.name in names:
        return (str(Named(namespace, name.name, name.kind)),)
    return tuple(f"{namespace}/{label}" for label in nearest(name.name, names, most=2))


def _readings(name: Named, facts: Facts) -> list[Resolved]:
    """Return everything in the namespace that carries the name, one entry a kind."""
    namespace = name.namespace or ""
    pods = [pod for pod in facts.pods if pod.namespace == namespace]
    found: dict[Kind, Resolved] = {}
    if name.kind in (None, Kind.SERVICE):
        for service in facts.services:
            if service.namespace == namespace and service.name == name.name:
                found[Kind.SERVICE] = _of_service(Named(namespace, name.name, Kind.SERVICE), service)
    for pod in pods:
        if pod.name == name.name and name.kind in (None, Kind.POD):
            found[Kind.POD] = _of_pods(Named(namespace, name.name, Kind.POD), Meaning.POD, f"pod {pod}", [pod])
    for kind in _workload_kinds(name, pods, facts):
        mine = [pod for pod in pods if pod.owner and (pod.owner.kind, pod.owner.name) == (kind, name.name)]
        found[kind] = _of_pods(
            Named(namespace, name.name, kind), Meaning.WORKLOAD, f"{kind} {namespace}/{name.name}", mine
        )
    return list(found.values())


def _workload_kinds(name: Named, pods: Iterable[Pod], facts: Facts) -> list[Kind]:
    """Return the kinds of workload that carry the name: by the owners of pods, and by the controllers themselves."""
    kinds = {pod.owner.kind for pod in pods if pod.owner and pod.owner.name == name.name}
    # The controllers are looked at only where no pod tells: a workload without pods.
    if not kinds and isinstance(look := facts.look(Part.WORKLOADS), Known):
        workloads: tuple[Workload, ...] = look.value
        kinds |= {
            workload.kind
            for workload in workloads
            if (workload.namespace, workload.name) == (name.namespace, name.name)
        }
    return sorted(kind for kind in kinds if name.kind in (None, kind))


def _service_or_workload(
    service: Resolved, other: Resolved, end: End, port: int | None, protocol: Protocol | None
) -> Resolved:
    """A bare name is both: the Service is meant as a destination unless the port asked is none of its ports."""
    if end is End.SOURCE:
        return _with_note(other, f"{service.title} has the same name; what sends is {other.title}")
    ports = service.service.ports if service.service else ()
    is_its_port = any(entry.port == port and protocol in (None, Protocol(entry.protocol)) for entry in ports)
    if protocol and protocol.is_icmp:
        return _with_note(other, f"{other.title} is meant, since a Service answers no ping")
    if port is None or is_its_port:
        return _with_note(service, f"{service.title} is meant; for {other.title} itself ask {other.asked}")
    return _with_note(other, f"{other.title} is meant, since {port} is no port of {service.title}")


def _address(name: Address, facts: Facts, end: End, port: int | None, protocol: Protocol | None) -> Resolved:
    network = ipaddress.ip_network(name.cidr)
    if network.num_addresses > 1:
        inside = next((node for node in facts.nodes if _overlaps(network, node)), None)
        if inside:
            note = f"{name.cidr} holds addresses of node {inside.name} or its pods, which no range means to policy"
            return Resolved(name, None, name.cidr, by_address=True, obstacle=Obstacle.RANGE_INSIDE, note=note)
        return Resolved(name, Meaning.OUTSIDE, name.cidr, addresses=(name.cidr,), by_address=True)
    address = str(network.network_address)
    for pod in facts.pods:
        if address in pod.ips and not pod.host_network and pod.is_running:
            found = _of_pods(
                Named(pod.namespace, pod.name, Kind.POD), Meaning.POD, f"pod {pod}", [pod], by_address=True
            )
            return _with_note(found, f"{address} is {found.title}")
    for service in all_services(facts):
        if address in service.cluster_ips:
            found = _of_service(Named(service.namespace, service.name, Kind.SERVICE), service, by_address=True)
            return _with_note(found, f"{address} is {found.title}")
    for node in facts.nodes:
        if address in node.health_ips:
            health = Entity(EntityName.HEALTH)
            note = f"{address} is the health endpoint of node {node.name}"
            return Resolved(health, Meaning.ENTITY, f"entity {health}", by_address=True, note=note)
        if address in node.ips and (found_at := _at_node(name, node, (address,), facts, end, port, protocol)):
            return found_at
        if address in node.ips + node.cilium_ips:
            return _with_note(_of_node(name, node, by_address=True), f"{address} is node {node.name}")
    if frontend := service_at_address(address, port, protocol, all_services(facts)):
        return _of_frontend(name, frontend, address)
    for node in facts.nodes:
        if any(_inside(address, cidr) for cidr in node.pod_cidrs):
            return Resolved(name, Meaning.OUTSIDE, address, addresses=(address,), by_address=True, gone_from=node.name)
    return Resolved(name, Meaning.OUTSIDE, address, addresses=(address,), by_address=True)


def _overlaps(network: Network, node: Node) -> bool:
    own = [*node.pod_cidrs, *node.ips]
    networks = (ipaddress.ip_network(cidr, strict=False) for cidr in own if _is_network(cidr))
    return any(other.version == network.version and other.overlaps(network) for other in networks)


def _is_network(cidr: str) -> bool:
    try:
        ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
    return True


def _host_name(name: HostName, facts: Facts, end: End, port: int | None, protocol: Protocol | None) -> Resolved:
    if any(node.name == name.name for node in facts.nodes):
        # Clouds name nodes as DNS does.
        return _node(Named(None, name.name, Kind.NODE), facts, end, port, protocol)
    inside = name_inside(name)
    if isinstance(inside, Address):
        return _with_note(_address(inside, facts, end, port, protocol), f"{name} is the name of address {inside}")
    spaces = {space.name for space in facts.namespaces} if inside else set()
    if inside and (inside.namespace in spaces or is_cluster_name(name)):
        return _of_cluster_name(name, inside, facts, end, port, protocol)
    # Outside names are looked up by who dials them; nobody sends under one, so as a source such a name is nobody.
    if is_cluster_name(name) or end is End.SOURCE:
        return Resolved(name, None, name.name, obstacle=Obstacle.NOTHING)
    return _leading_in(name, facts, port, protocol) or Resolved(name, Meaning.HOST_NAME, name.name)


def _leading_in(name: HostName, facts: Facts, port: int | None, protocol: Protocol | None) -> Resolved | None:
    """Return what in the cluster a host name of the outside leads to, None for nothing that was read."""
    if found := entrances_at(name.name, facts):
        note = f"{name} is a host name of {', '.join(map(str, found))}"
        first = found[0]
        ref = f"{first.kind}/{first.namespace}/{first.name}"
        return Resolved(name, Meaning.ENTRANCE, name.name, entrances=found, note=note, ref=ref)
    frontend = service_named_outside(name.name, port, protocol, facts)
    return replace(_of_frontend(name, frontend, str(name)), asked=name, by_address=False) if frontend else None


def _of_cluster_name(
    name: HostName, inside: Named, facts: Facts, end: End, port: int | None, protocol: Protocol | None
) -> Resolved:
    """``cart.shop`` is what DNS answers, the Service; for what sends, or where there is none, what bears the name."""
    found = _named(inside, facts, end, port, protocol)
    if not is_cluster_name(name) and (found.obstacle is not None or end is End.SOURCE):
        found = _named(Named(inside.namespace, inside.name), facts, end, port, protocol)
    return _with_note(found, f"{name} is the name of {found.title}") if found.obstacle is None else found


def is_cluster_name(name: HostName) -> bool:
    """Whether a DNS name can only be one of the cluster's own."""
    return name.name.endswith((".svc", ".cluster.local"))


def name_inside(name: HostName) -> Named | Address | None:
    """Return what a DNS name would mean inside the cluster, None where it can mean nothing there.

    ``cart.shop``, ``cart.shop.svc`` and ``cart.shop.svc.cluster.local`` are Services, ``db-0.db.shop.svc`` is a pod
    behind a headless one, ``10-0-0-1.shop.pod`` an address (Kubernetes, DNS for Services and Pods). The first form may
    be a name outside just as well.
    """
    labels = name.name.removesuffix(".cluster.local").split(".")
    match labels:
        case [service, namespace] | [service, namespace, "svc"]:
            return Named(namespace, service, Kind.SERVICE)
        case [pod, _, namespace, "svc"]:
            return Named(namespace, pod, Kind.POD)
        case [address, _, "pod"]:
            try:
                # Dashes stand for the dots of IPv4, and for the colons of IPv6 (Kubernetes, DNS for Services and Pods).
                separator = "." if address.count("-") == 3 and address.replace("-", "").isdigit() else ":"
                return Address(str(ipaddress.ip_address(address.replace("-", separator))))
            except ValueError:
                return None
    return None


def _of_service(asked: Named, service: Service, *, by_address: bool = False) -> Resolved:
    return Resolved(
        asked,
        Meaning.SERVICE,
        f"Service {service}",
        service=service,
        addresses=() if service.is_headless else service.cluster_ips,
        by_address=by_address,
        ref=f"Service/{service.namespace}/{service.name}",
    )


def _of_pods(asked: Named, meaning: Meaning, title: str, pods: list[Pod], *, by_address: bool = False) -> Resolved:
    kind = asked.kind or Kind.POD
    return Resolved(
        asked,
        meaning,
        title,
        pods=tuple(pods),
        by_address=by_address,
        ref=f"{kind}/{asked.namespace}/{asked.name}",
    )


def _near(name: Named, facts: Facts) -> tuple[str, ...]:
    namespace = name.namespace or ""
    labels = {
        label for pod in facts.pods if pod.namespace == namespace for label in _names_of(pod) if label != pod.name
    }
    labels |= {service.name for service in facts.services if service.namespace == namespace}
    close = [f"{namespace}/{label}" for label in nearest(name.name, labels)]
    elsewhere = {
        f"{pod.namespace}/{name.name}"
        for pod in facts.pods
        if pod.namespace != namespace and name.name in _names_of(pod)
    }
    return tuple(dict.fromkeys([*sorted(elsewhere), *close]))


def _names_of(pod: Pod) -> tuple[str, ...]:
    return (pod.name, pod.owner.name) if pod.owner else (pod.name,)


def _with_note(found: Resolved, note: str) -> Resolved:
    return replace(found, note=f"{note}; {found.note}" if found.note else note)


def _inside(address: str, cidr: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
