"""Entrances, joined of what several kinds say: classes, Ingresses, Gateways and the routes that name those."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from handlers.model.entrance import Entrance, EntranceKind, Entrances, HostRoute
from handlers.model.snapshot import Gap
from workers.sources.assemble import resources as api
from workers.sources.assemble.foreign import as_served
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.resources import Resource
from workers.sources.convert.entrances import ClassOfEntrances, GatewayObject, IngressObject, RouteObject
from workers.sources.convert.reading import MalformedError
from workers.sources.unread import UnreadError

T = TypeVar("T")

_USUAL_CLASSES = (
    ClassOfEntrances("cilium", "cilium.io/ingress-controller", is_default=False),
    ClassOfEntrances("nginx", "k8s.io/ingress-nginx", is_default=False),
)
"""Controllers serve the class of their own name also where no IngressClass stands for it."""


def entrances(lists: Lists, groups: Mapping[str, tuple[str, ...]] | None) -> Entrances:
    """List every kind whose API group is among ``groups``; where those are not told, whatever was kept."""
    reading = _Reading(lists, groups)
    ingresses = reading.every(api.INGRESSES)
    classes = reading.every(api.INGRESS_CLASSES) if ingresses else ()
    gateways = reading.every(api.GATEWAYS)
    gateway_classes = reading.every(api.GATEWAY_CLASSES) if gateways else ()
    routes = [route for kind in api.ROUTES for route in reading.every(kind)] if gateways else []
    found = (*_of_ingresses(ingresses, classes), *_of_gateways(gateways, gateway_classes, routes))
    return Entrances(found, reading.unlisted, tuple(reading.untold))


class _Reading:
    """Lists of kinds that a cluster may do without, and what could not be listed."""

    def __init__(self, lists: Lists, groups: Mapping[str, tuple[str, ...]] | None) -> None:
        self._lists = lists
        self._groups = groups
        self.unlisted: dict[str, str] = {}
        self.untold: list[str] = []

    def every(self, resource: Resource[T]) -> tuple[T, ...]:
        if self._groups is not None and resource.group not in self._groups:
            return ()
        try:
            return tuple(item for served in as_served(resource, self._groups) for item in self._lists.every(served))
        except UnreadError as error:
            if error.missing.gap is Gap.NOT_IN_DUMP and resource.group == api.GATEWAYS.group:
                self.untold.append(resource.kind)
            else:
                self.unlisted[resource.kind] = error.missing.detail
        except MalformedError as error:
            self.unlisted[resource.kind] = str(error)
        return ()


def _of_ingresses(ingresses: Sequence[IngressObject], classes: Sequence[ClassOfEntrances]) -> Iterator[Entrance]:
    by_name = {one.name: one.controller for one in (*_USUAL_CLASSES, *classes)}
    usual = next((one.controller for one in classes if one.is_default), "")
    for one in ingresses:
        controller = usual if one.class_name is None else by_name.get(one.class_name, "")
        yield Entrance(EntranceKind.INGRESS, one.namespace, one.name, controller, one.addresses, one.names, one.routes)


def _of_gateways(
    gateways: Sequence[GatewayObject], classes: Sequence[ClassOfEntrances], routes: Sequence[RouteObject]
) -> Iterator[Entrance]:
    by_name = {one.name: one.controller for one in classes}
    for one in gateways:
        yield Entrance(
            EntranceKind.GATEWAY,
            one.namespace,
            one.name,
            by_name.get(one.class_name, ""),
            one.addresses,
            one.names,
            tuple(_routes_of(one, routes)),
        )


def _routes_of(gateway: GatewayObject, routes: Sequence[RouteObject]) -> Iterator[HostRoute]:
    for listener in gateway.listeners:
        mine = [route for route in routes if _is_for(route, gateway, listener.name)]
        for route in mine:
            hosts = tuple(_common(listener.host, host) for host in route.hosts or (None,))
            if None in hosts:
                yield HostRoute((), route.backends)
            elif kept := tuple(host for host in hosts if host):
                yield HostRoute(kept, route.backends)
        if not mine and listener.host:
            yield HostRoute((listener.host,), ())


def _is_for(route: RouteObject, gateway: GatewayObject, listener: str) -> bool:
    return any(
        (namespace, name) == (gateway.namespace, gateway.name) and section in (None, listener)
        for namespace, name, section in route.parents
    )


def _common(listener: str | None, route: str | None) -> str | None:
    """Return the host that a listener and a route have in common: None for any name, empty for none."""
    if listener is None or route is None or listener == route:
        return route or listener
    if listener.startswith("*.") and route.endswith(listener[1:]):
        return route
    return listener if route.startswith("*.") and listener.endswith(route[1:]) else ""
