"""Manifests of Ingress and of the Gateway API, cut down to host names and backends.

Fields are those of the Kubernetes API reference (networking.k8s.io/v1) and of the Gateway API's (v1; TLSRoute and the
older versions of the others have the same fields).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.model.entrance import HostRoute, RouteBackend
from workers.sources.convert.reading import (
    Body,
    labels,
    name_of,
    namespace_of,
    number,
    rows,
    struct,
    text,
    texts,
)

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True)
class ClassOfEntrances:
    """An IngressClass or a GatewayClass, and the controller that it names."""

    name: str
    controller: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class IngressObject:
    """An Ingress; ``class_name`` is None where it names no class."""

    namespace: str
    name: str
    class_name: str | None
    addresses: tuple[str, ...]
    names: tuple[str, ...]
    routes: tuple[HostRoute, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener of a Gateway; ``host`` is None where it takes any name."""

    name: str
    host: str | None


@dataclass(frozen=True, slots=True)
class GatewayObject:
    """A Gateway."""

    namespace: str
    name: str
    class_name: str
    addresses: tuple[str, ...]
    names: tuple[str, ...]
    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class RouteObject:
    """A route of the Gateway API; ``parents`` are Gateways: namespace, name, and the listener or None for all."""

    parents: tuple[tuple[str, str, str | None], ...]
    hosts: tuple[str, ...]
    backends: tuple[RouteBackend, ...]


def class_of_entrances(body: Body) -> ClassOfEntrances:
    """Read an IngressClass or a GatewayClass."""
    spec = struct(body, "spec")
    is_default = labels(struct(body, "metadata"), "annotations").get(_DEFAULT_CLASS) == "true"
    return ClassOfEntrances(name_of(body), text(spec, "controller") or text(spec, "controllerName") or "", is_default)


def ingress(body: Body) -> IngressObject:
    """Read an Ingress."""
    spec, namespace = struct(body, "spec"), namespace_of(body)
    status = rows(struct(struct(body, "status"), "loadBalancer"), "ingress")
    usual = struct(spec, "defaultBackend")
    default = (_ingress_backend(usual, namespace),) if usual else ()
    routes = [
        HostRoute(
            (host.lower(),) if (host := text(rule, "host")) else (),
            # A rule without paths sends everything to the default backend.
            tuple(_ingress_backend(struct(path, "backend"), namespace) for path in rows(struct(rule, "http"), "paths"))
            or default,
        )
        for rule in rows(spec, "rules")
    ]
    if default:
        routes.append(HostRoute((), default))
    return IngressObject(
        namespace=namespace,
        name=name_of(body),
        class_name=text(spec, "ingressClassName")
        or labels(struct(body, "metadata"), "annotations").get(_CLASS_ANNOTATION),
        addresses=tuple(ip for item in status if (ip := text(item, "ip"))),
        names=tuple(name.lower() for item in status if (name := text(item, "hostname"))),
        routes=tuple(routes),
    )


def _ingress_backend(body: Body, namespace: str) -> RouteBackend:
    service, resource = struct(body, "service"), struct(body, "resource")
    if resource:
        return RouteBackend(namespace, text(resource, "name") or "", None, text(resource, "kind") or "resource")
    port = struct(service, "port")
    return RouteBackend(namespace, text(service, "name") or "", number(port, "number") or text(port, "name"))


def gateway(body: Body) -> GatewayObject:
    """Read a Gateway."""
    spec, given = struct(body, "spec"), rows(struct(body, "status"), "addresses")
    kinds = [(text(item, "type") or "IPAddress", text(item, "value") or "") for item in given]
    return GatewayObject(
        namespace=namespace_of(body),
        name=name_of(body),
        class_name=text(spec, "gatewayClassName") or "",
        addresses=tuple(value for kind, value in kinds if kind == "IPAddress"),
        names=tuple(value.lower() for kind, value in kinds if kind == "Hostname"),
        listeners=tuple(
            Listener(text(item, "name") or "", (text(item, "hostname") or "").lower() or None)
            for item in rows(spec, "listeners")
        ),
    )


def route(body: Body) -> RouteObject:
    """Read an HTTPRoute, a GRPCRoute or a TLSRoute."""
    spec, namespace = struct(body, "spec"), namespace_of(body)
    return RouteObject(
        parents=tuple(
            (text(item, "namespace") or namespace, text(item, "name") or "", text(item, "sectionName"))
            for item in rows(spec, "parentRefs")
            if (text(item, "kind") or "Gateway") == "Gateway"
        ),
        hosts=tuple(host.lower() for host in texts(spec, "hostnames")),
        backends=tuple(_route_backends(spec, namespace)),
    )


def _route_backends(spec: Body, namespace: str) -> Iterator[RouteBackend]:
    for rule in rows(spec, "rules"):
        for item in rows(rule, "backendRefs"):
            kind = text(item, "kind") or "Service"
            if number(item, "weight") == 0:
                continue  # it gets nothing
            yield RouteBackend(
                text(item, "namespace") or namespace, text(item, "name") or "", number(item, "port"), kind
            )
