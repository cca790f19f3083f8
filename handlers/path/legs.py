"""The legs of a connection: which concrete endpoint talks to which, on which port."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from handlers.model.cluster import Pod
from handlers.model.connection import Connection
from handlers.model.endpoint import Entity, EntityName
from handlers.model.facts import Facts
from handlers.model.traffic import Protocol, Traffic
from handlers.names.resolve import Meaning, Resolved
from handlers.path.backends import Target, backends_of
from handlers.path.ends import Ends

ECHO_REQUEST = 8
"""The ICMP type of a ping (RFC 792)."""


class PlaceKind(StrEnum):
    """What a place is to Cilium."""

    POD = "pod"
    NODE = "node"
    OUTSIDE = "outside"
    HOST_NAME = "host-name"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True)
class Place:
    """One concrete end of a leg.

    A pod on the host network is the NODE it runs on, since it has no identity of its own (Cilium,
    Documentation/security/policy/language.rst:255-263).
    """

    kind: PlaceKind
    title: str
    ips: tuple[str, ...] = ()
    pod: Pod | None = None
    node: str | None = None
    host_name: str = ""
    entity: EntityName | None = None


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


def legs_of(connection: Connection, ends: Ends, facts: Facts) -> tuple[Leg, ...]:
    """Return every leg, in the order of the sources, then the destinations.

    Raises:
        PartMissingError: if the backends of a Service were not read.
    """
    return tuple(
        leg
        for source in places_of(ends.source, facts)
        for leg in _legs_from(source, connection, ends.destination, facts)
    )


def _legs_from(source: Place, connection: Connection, destination: Resolved, facts: Facts) -> Iterator[Leg]:
    if destination.service is None:
        protocol, port = _asked(connection)
        for place in places_of(destination, facts):
            yield Leg(source, place, protocol, port)
        return
    for target in backends_of(connection, destination, facts):
        if target.ready:
            place = _place_of_target(target, facts)
            service = str(destination.service)
            yield Leg(source, place, target.protocol, target.port, target.service_port.port, service)


def _asked(connection: Connection) -> tuple[Protocol, int | None]:
    protocol = connection.protocol or Protocol.TCP
    return protocol, (ECHO_REQUEST if protocol.is_icmp else connection.port)


def places_of(end: Resolved, facts: Facts) -> tuple[Place, ...]:
    """Return the concrete places behind one end; none for a workload without running pods."""
    match end.meaning:
        case Meaning.POD | Meaning.WORKLOAD:
            return tuple(place_of_pod(pod) for pod in end.pods if pod.is_running)
        case Meaning.SERVICE if end.service:
            chosen = {target.pod for target in backends_of(Connection(end.asked, end.asked), end, facts) if target.pod}
            return tuple(place_of_pod(pod) for pod in facts.pods if str(pod) in chosen)
        case Meaning.NODE if end.node:
            # What a node sends to pods carries the address of cilium_host, not the node's own.
            ips = end.node.ips + end.node.cilium_ips
            return (Place(PlaceKind.NODE, end.title, ips, node=end.node.name),)
        case Meaning.OUTSIDE:
            return (Place(PlaceKind.OUTSIDE, end.title, end.addresses),)
        case Meaning.HOST_NAME:
            return (Place(PlaceKind.HOST_NAME, end.title, host_name=end.title),)
        case Meaning.ENTITY if isinstance(end.asked, Entity):
            return (Place(PlaceKind.ENTITY, end.title, entity=end.asked.name),)
    return ()


def place_of_pod(pod: Pod) -> Place:
    """Return where a pod is: itself, or its node where it has the host's network."""
    kind = PlaceKind.NODE if pod.host_network else PlaceKind.POD
    return Place(kind, f"pod {pod}", pod.ips, pod=pod, node=pod.node)


def _place_of_target(target: Target, facts: Facts) -> Place:
    for pod in facts.pods:
        if str(pod) == target.pod or (target.pod is None and target.ip in pod.ips and not pod.host_network):
            return place_of_pod(pod)
    for node in facts.nodes:
        if target.ip in node.ips + node.cilium_ips:
            return Place(PlaceKind.NODE, f"node {node.name}", (target.ip,), node=node.name)
    return Place(PlaceKind.OUTSIDE, target.ip, (target.ip,))
