"""Whom the routes of an Ingress or a Gateway hand requests to, and who it is that hands them over."""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.connection.backends import Target, backends_of
from handlers.model.cluster import Service
from handlers.model.connection import Connection
from handlers.model.endpoint import HostName, Kind, Named
from handlers.model.entrance import Entrance, EntranceKind, RouteBackend
from handlers.model.facts import Facts
from handlers.model.traffic import Protocol
from handlers.names.frontends import outside_of
from handlers.names.resolve import Meaning, Resolved
from handlers.names.services import all_services

_OF_GATEWAY = "gateway.networking.k8s.io/gateway-name"
"""The label by which what a controller makes for a Gateway names it (Gateway API, GEP-1762)."""


@dataclass(frozen=True, slots=True)
class Handover:
    """One backend of a route: its Service, and the Service's own backends, ready or not.

    ``doubt`` says why it cannot be told which those are; then there are none.
    """

    backend: RouteBackend
    service: Service | None = None
    targets: tuple[Target, ...] = ()
    doubt: str = ""


def backends_named(end: Resolved) -> tuple[RouteBackend, ...]:
    """Return the backends of the routes for the host name that was asked, each once."""
    if not isinstance(end.asked, HostName):
        return ()
    name = end.asked.name
    routes = (route for entrance in end.entrances for route in entrance.routes_for(name))
    return tuple(dict.fromkeys(backend for route in routes for backend in route.backends))


def handovers(end: Resolved, facts: Facts) -> tuple[Handover, ...]:
    """Return what is behind each backend of the routes.

    Raises:
        PartMissingError: if the Services or their EndpointSlices were not read.
    """
    return tuple(_handover(backend, facts) for backend in backends_named(end))


def _handover(backend: RouteBackend, facts: Facts) -> Handover:
    if backend.kind != "Service":
        return Handover(backend, doubt=f"{backend.kind} {backend} is no Service")
    service = next((one for one in all_services(facts) if str(one) == str(backend)), None)
    if service is None:
        return Handover(backend, doubt=f"there is no Service {backend}")
    if service.type == "ExternalName":
        return Handover(backend, service, doubt=f"Service {backend} is an alias for {service.external_name}")
    port = next((one.port for one in service.ports if backend.port in (one.port, one.name)), None)
    if port is None:
        return Handover(backend, service, doubt=f"Service {backend} has no port {backend.port}")
    end = as_end(service)
    return Handover(backend, service, backends_of(Connection(end.asked, end.asked, port, Protocol.TCP), end, facts))


def as_end(service: Service, *, from_outside: bool = False) -> Resolved:
    """Return a Service as the end of a connection, for clients inside or for those outside."""
    asked = Named(service.namespace, service.name, Kind.SERVICE)
    frontend = outside_of(service) if from_outside else None
    return Resolved(asked, Meaning.SERVICE, f"Service {service}", service=service, by_address=True, frontend=frontend)


def services_of_controllers(end: Resolved, facts: Facts) -> Iterator[tuple[Entrance, Service | None]]:
    """Yield the Service by which clients reach the controller of each entrance that is not Cilium's own.

    Raises:
        PartMissingError: if the Services were not read.
    """
    for entrance in end.entrances:
        if not entrance.is_ciliums:
            yield entrance, next((one for one in all_services(facts) if _is_before(one, entrance)), None)


def _is_before(service: Service, entrance: Entrance) -> bool:
    """Whether clients reach an entrance by a Service: it bears the Gateway's label, or the addresses of the status."""
    if not service.selector:
        return False
    is_named = service.labels.get(_OF_GATEWAY) == entrance.name and service.namespace == entrance.namespace
    if entrance.kind is EntranceKind.GATEWAY and is_named:
        return True
    addresses = {*service.balancer_ips, *service.external_ips, *service.cluster_ips, *service.balancer_names}
    return not addresses.isdisjoint((*entrance.addresses, *entrance.names))
