"""The legs of a connection: which concrete endpoint talks to which, on which port."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from handlers.connection.backends import Target, backends_of, ports_asked
from handlers.connection.ends import Ends
from handlers.connection.forwarding import as_seen_behind, frontend_of, is_outside, reached, untold
from handlers.connection.handovers import as_end, handovers, services_of_controllers
from handlers.connection.places import Place, PlaceKind
from handlers.model.cluster import Pod
from handlers.model.connection import Connection
from handlers.model.endpoint import Entity, EntityName
from handlers.model.facts import Facts, PartMissingError
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, Gap, Known, Missing
from handlers.model.traffic import Protocol, Traffic
from handlers.names.frontends import Frontend
from handlers.names.resolve import Meaning, Resolved
from handlers.policy.pods import endpoint_of_pod

LEG_PARTS: tuple[AnyPart, ...] = (Part.ENDPOINT_SLICES, Part.CILIUM_ENDPOINTS, Part.CONFIG)
"""Parts that tell the legs: what stands behind a Service, how nodes forward to it, and which pods are alike."""
MOST_ALIKE = 2
"""Pods alike to policy that are judged by themselves."""
MOST_DESTINATIONS = 40
"""Destinations whose answers are looked at one by one."""
_OF_ONE_POD = (
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index",
)
"""Labels that differ from pod to pod and are no part of identities (Cilium, pkg/labelsfilter/filter.go:229-252)."""
_MOVED_ON = "In a live cluster the next look may find it; an archive will not: ask for the pods behind the Service."
ECHO_REQUEST = 8
"""The ICMP type of a ping (RFC 792)."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One pair of places. ``port`` None means that the asker named no port and nothing tells one.

    ``dialled`` is the Service port behind which the leg lies, None where no Service is between.
    """

    source: Place
    destination: Place
    protocol: Protocol
    port: int | None
    dialled: int | None = None
    service: str = ""
    """The Service between, ``namespace/name``; empty where there is none."""

    @property
    def traffic(self) -> Traffic | None:
        """What policy sees, None while the port is open."""
        return None if self.port is None else Traffic(self.protocol, self.port)


@dataclass(frozen=True, slots=True)
class Stretch:
    """All legs to one port, taken together: any of the sources to any of the destinations."""

    sources: tuple[Place, ...]
    destinations: tuple[Place, ...]
    protocol: Protocol
    port: int | None
    dialled: int | None = None
    service: str = ""
    service_ips: tuple[str, ...] = ()
    """Addresses of the Service between: packets bear them before they are translated, and answers after, where that is
    done packet by packet and not when the client connects (Cilium, bpf/bpf_lxc.c)."""

    def legs(self) -> Iterator[Leg]:
        """Yield every pair of places."""
        for source in self.sources:
            for destination in self.destinations:
                yield Leg(source, destination, self.protocol, self.port, self.dialled, self.service)

    def limited_to(self, legs: Iterable[Leg], facts: Facts) -> "Stretch | None":
        """Return the part of the stretch that is like some of these legs to policy, None for no part of it."""
        mine = [leg for leg in legs if (leg.protocol, leg.port) == (self.protocol, self.port)]
        sources = {likeness(leg.source, facts) for leg in mine}
        destinations = {likeness(leg.destination, facts) for leg in mine}
        limited = replace(
            self,
            sources=tuple(place for place in self.sources if likeness(place, facts) in sources),
            destinations=tuple(place for place in self.destinations if likeness(place, facts) in destinations),
        )
        if len(limited.destinations) < len(self.destinations):
            # What is seen at the Service's own address may be of any backend.
            limited = replace(limited, service_ips=())
        return limited if limited.sources and limited.destinations else None

    def by_destination(self) -> Iterator["Stretch"]:
        """Yield the stretch to each destination by itself, as many as one looks at one by one."""
        for destination in self.destinations[:MOST_DESTINATIONS]:
            yield replace(self, destinations=(destination,), service_ips=())


def stretches_of(connection: Connection, ends: Ends, facts: Facts) -> tuple[Stretch, ...]:
    """Return the stretches of a connection, one for each port that its packets can arrive at.

    Raises:
        PartMissingError: if the backends of a Service were not read.
    """
    return tuple(_stretches(connection, ends, facts))


def _stretches(connection: Connection, ends: Ends, facts: Facts) -> Iterator[Stretch]:
    sources = places_of(ends.source, facts)
    if ends.destination.entrances:
        yield from _through_entrances(connection, sources, ends.destination, facts)
    else:
        yield from _straight(connection, sources, ends.destination, facts)


def _straight(
    connection: Connection, sources: tuple[Place, ...], destination: Resolved, facts: Facts
) -> Iterator[Stretch]:
    targets = [target for target in backends_of(connection, destination, facts) if target.ready]
    frontend = frontend_of(destination, sources)
    if frontend:
        if untold(sources, frontend, targets, facts):
            return
        targets = list(reached(frontend, sources, targets))
    if destination.service is None:
        protocol, port = _asked(connection)
        if frontend and frontend.pod_port:
            protocol, port = Protocol(frontend.pod_port.protocol), frontend.pod_port.port
        yield Stretch(sources, places_of(destination, facts), protocol, port)
        return
    grouped: dict[tuple[str, Protocol, int | None, int], tuple[tuple[Place, ...], list[Place]]] = {}
    for target in targets:
        for seen in _seen_behind(sources, target, frontend, facts):
            key = (",".join(place.title for place in seen), target.protocol, target.port, target.service_port.port)
            grouped.setdefault(key, (seen, []))[1].append(_place_of_target(target, facts))
    for (_, protocol, port, dialled), (seen, places) in grouped.items():
        service_ips = _own_addresses(destination)
        yield Stretch(seen, tuple(places), protocol, port, dialled, str(destination.service), service_ips)


def _through_entrances(
    connection: Connection, sources: tuple[Place, ...], end: Resolved, facts: Facts
) -> Iterator[Stretch]:
    """Yield the way to who serves the entrance, and the way from there to the backends of its routes.

    Cilium's Envoy meets the client on the node where its packets arrive, as the identity ingress, and goes on as that
    (Cilium, Documentation/network/servicemesh/ingress-reference.rst). Of clients inside it is not known here how Envoy
    takes their own egress policy; see the probe of host names.
    """
    serving: list[Place] = []
    if any(entrance.is_ciliums for entrance in end.entrances):
        serving.append(Place(PlaceKind.ENTITY, "entity ingress", entity=EntityName.INGRESS))
        outside = tuple(filter(is_outside, sources))
        if outside:
            yield Stretch(outside, tuple(serving), *_asked(connection))
    for _, service in services_of_controllers(end, facts):
        if service:
            controller = as_end(service, from_outside=any(map(is_outside, sources)))
            yield from _straight(connection, sources, controller, facts)
            serving += places_of(as_end(service), facts)
    grouped: dict[tuple[str, Protocol, int | None, int], list[Place]] = {}
    for handover in handovers(end, facts):
        for target in handover.targets:
            if target.ready:
                key = (str(handover.service), target.protocol, target.port, target.service_port.port)
                grouped.setdefault(key, []).append(_place_of_target(target, facts))
    for (name, protocol, port, dialled), places in grouped.items() if serving else ():
        yield Stretch(tuple(serving), tuple(places), protocol, port, dialled, name)


def _seen_behind(
    sources: tuple[Place, ...], target: Target, frontend: Frontend | None, facts: Facts
) -> Iterator[tuple[Place, ...]]:
    """Yield the sources as a backend may see them: all as they are, unless a node may forward those outside."""
    if frontend is None or not any(map(is_outside, sources)):
        yield sources
        return
    for source in sources:
        for seen in as_seen_behind(source, target, frontend, facts):
            yield (seen,)


def untranslated(connection: Connection, ends: Ends, facts: Facts) -> tuple[Stretch, ...]:
    """Return the stretches to the own address of a Service: where it has no backend, packets get no farther."""
    ips, service = _own_addresses(ends.destination), ends.destination.service
    if service is None or not ips:
        return ()
    place = Place(PlaceKind.OUTSIDE, f"Service {service}", ips)
    return tuple(
        Stretch(places_of(ends.source, facts), (place,), Protocol(port.protocol), port.port, port.port, str(service))
        for port in ports_asked(connection, ends.destination)
    )


def _own_addresses(end: Resolved) -> tuple[str, ...]:
    service = end.service
    return () if service is None or service.is_headless else tuple(ip for ip in service.cluster_ips if ip)


def legs_of(stretches: Iterable[Stretch], facts: Facts) -> tuple[Leg, ...]:
    """Return a leg for each pair of places that policy could tell apart, in the order of the sources.

    Pods with equal labels, ports and service account are one to policy; a few of them stand for all.
    """
    thinned = (
        replace(
            stretch,
            sources=_telling_apart(stretch.sources, facts),
            destinations=_telling_apart(stretch.destinations, facts),
        )
        for stretch in stretches
    )
    return tuple(leg for stretch in thinned for leg in stretch.legs())


def _telling_apart(places: tuple[Place, ...], facts: Facts) -> tuple[Place, ...]:
    kept: dict[tuple[object, ...], int] = {}
    found = []
    for place in places:
        key = likeness(place, facts)
        kept[key] = kept.get(key, 0) + 1
        if kept[key] <= MOST_ALIKE:
            found.append(place)
    return tuple(found)


def likeness(place: Place, facts: Facts) -> tuple[object, ...]:
    """Return what policy knows a place by: pods for which this is equal are one to it."""
    pod = place.pod
    if pod is None or pod.host_network:
        return (place.kind, place.title)
    endpoint = endpoint_of_pod(pod, facts)
    if endpoint and endpoint.labels:
        # Policy goes by the identity that was published, whatever the pod's labels are this second.
        return (endpoint.labels, pod.ports)
    labels = frozenset(item for item in pod.labels.items() if item[0] not in _OF_ONE_POD)
    return (labels, pod.service_account, pod.ports)


def _asked(connection: Connection) -> tuple[Protocol, int | None]:
    protocol = connection.protocol or Protocol.TCP
    return protocol, (ECHO_REQUEST if protocol.is_icmp else connection.port)


def places_of(end: Resolved, facts: Facts) -> tuple[Place, ...]:
    """Return the concrete places behind one end; none for a workload without running pods."""
    match end.meaning:
        case Meaning.POD | Meaning.WORKLOAD:
            return tuple(_place_of_pod(pod, facts) for pod in end.pods if pod.is_running)
        case Meaning.SERVICE if end.service:
            chosen = {target.pod for target in backends_of(Connection(end.asked, end.asked), end, facts) if target.pod}
            return tuple(_place_of_pod(pod, facts) for pod in facts.pods if str(pod) in chosen)
        case Meaning.NODE if end.node:
            # What a node sends to pods carries the address of cilium_host, not the node's own.
            ips = end.node.ips + end.node.cilium_ips
            return (Place(PlaceKind.NODE, end.title, ips, node=end.node.name, by_address=end.by_address),)
        case Meaning.OUTSIDE:
            return (Place(PlaceKind.OUTSIDE, end.title, end.addresses, by_address=end.by_address),)
        case Meaning.HOST_NAME:
            return (Place(PlaceKind.HOST_NAME, end.title, host_name=end.title),)
        case Meaning.ENTITY if isinstance(end.asked, Entity):
            return (Place(PlaceKind.ENTITY, end.title, entity=end.asked.name),)
    return ()


def _place_of_pod(pod: Pod, facts: Facts) -> Place:
    place = place_of_pod(pod)
    if not pod.host_network:
        return place
    # What a node sends to pods carries the address of cilium_host, not the node's own.
    cilium_ips = [ip for node in facts.nodes if node.name == pod.node for ip in node.cilium_ips]
    return replace(place, ips=tuple(dict.fromkeys((*pod.ips, *cilium_ips))))


def _own_ips(pod: Pod) -> tuple[str, ...]:
    return () if pod.host_network else pod.ips


def place_of_pod(pod: Pod) -> Place:
    """Return where a pod is: itself, or its node where it has the host's network."""
    kind = PlaceKind.NODE if pod.host_network else PlaceKind.POD
    return Place(kind, f"pod {pod}", pod.ips, pod=pod, node=pod.node)


def name_in_words(place: Place, home: str = "") -> str:
    """Return what people call a place: a pod by its workload, without the namespace where that is ``home``."""
    pod = place.pod
    if pod is None or pod.host_network:
        return place.title.removeprefix("entity ")
    name = pod.owner.name if pod.owner else pod.name
    return name if pod.namespace == home else f"{pod.namespace}/{name}"


def _place_of_target(target: Target, facts: Facts) -> Place:
    by_name = facts.once("pods by name", lambda: {str(pod): pod for pod in facts.pods})
    by_address = facts.once("pods by address", lambda: {ip: pod for pod in facts.pods for ip in _own_ips(pod)})
    pod = by_name.get(target.pod or "") or (by_address.get(target.ip) if target.pod is None else None)
    if pod:
        return _place_of_pod(pod, facts)
    if target.pod is not None:
        gone = f"pod {target.pod}, a backend of the Service, is not among the pods read: it came or went meanwhile"
        raise PartMissingError(Part.PODS, Missing(Gap.FAILED, gone, _MOVED_ON))
    for node in facts.nodes:
        if target.ip in node.ips + node.cilium_ips:
            return Place(PlaceKind.NODE, f"node {node.name}", (target.ip,), node=node.name)
    if _may_be_a_pod(target.ip, facts):
        unread = f"{target.ip}, a backend of the Service, may be a pod of another namespace, and none of those was read"
        raise PartMissingError(Part.PODS, Missing(Gap.FAILED, unread, f"Ask for {target.ip} itself."))
    return Place(PlaceKind.OUTSIDE, target.ip, (target.ip,))


def _may_be_a_pod(address: str, facts: Facts) -> bool:
    """Whether an address of no pod that was read may be another's: it lies where pods have theirs, or nobody knows."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return True  # a slice may hold DNS names, which Cilium does not balance to
    ranges = [ipaddress.ip_network(cidr, strict=False) for node in facts.nodes for cidr in node.pod_cidrs]
    if any(network.version == found.version and found in network for network in ranges):
        return True
    api_server = facts.look(Part.API_SERVER)
    if isinstance(api_server, Known) and address in api_server.value:
        return False
    # Some ways of giving addresses to pods keep no ranges on nodes (Cilium, IPAM modes eni, azure, multi-pool).
    return found.is_private and not all(node.pod_cidrs for node in facts.nodes)
