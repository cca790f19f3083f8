"""Entrances: the host names at which an Ingress or a Gateway takes requests, and the Services it hands them to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EntranceKind(StrEnum):
    """What opens an entrance, by its Kubernetes name."""

    INGRESS = "Ingress"
    GATEWAY = "Gateway"


@dataclass(frozen=True, slots=True)
class RouteBackend:
    """Whom a route hands requests to.

    ``port`` is a port of the Service, its name, or None where the route names none; ``kind`` is ``Service``, or what
    else the route names, of which nothing is known here.
    """

    namespace: str
    name: str
    port: int | str | None
    kind: str = "Service"

    def __str__(self) -> str:
        """Write ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class HostRoute:
    """Requests for some host names, and their backends; no ``hosts`` means any name.

    A host is a name, or ``*.`` and a name (Kubernetes, Ingress: hostname wildcards; Gateway API, Hostname).
    """

    hosts: tuple[str, ...]
    backends: tuple[RouteBackend, ...]


@dataclass(frozen=True, slots=True)
class Entrance:
    """An Ingress, or a Gateway with the routes that name it.

    ``controller`` is what its class says serves it, empty where no class tells; ``addresses`` and ``names`` are those
    of its status.
    """

    kind: EntranceKind
    namespace: str
    name: str
    controller: str
    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    routes: tuple[HostRoute, ...] = ()

    @property
    def is_ciliums(self) -> bool:
        """Whether Cilium's own Envoy serves it (operator/pkg/ingress and operator/pkg/gateway-api name themselves)."""
        return self.controller in ("cilium.io/ingress-controller", "io.cilium/gateway-controller")

    def routes_for(self, host: str) -> tuple[HostRoute, ...]:
        """Return the routes that take requests for a host name, those with the most specific host alone.

        A name of the load balancer itself is taken by the routes for any name.
        """
        longest = max((_likeness(one, host) for route in self.routes for one in route.hosts), default=0)
        if longest:
            return tuple(r for r in self.routes if any(_likeness(one, host) == longest for one in r.hosts))
        if host in self.names:
            return tuple(route for route in self.routes if not route.hosts)
        return ()

    def serves(self, host: str) -> bool:
        """Whether a host name is one of its own; that it takes requests for any name does not make a name its own."""
        return host in self.names or bool(self.routes_for(host))

    def __str__(self) -> str:
        """Write ``Ingress shop/web``."""
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Entrances:
    """Every entrance of the cluster, as far as it was read.

    ``unlisted`` are kinds that the cluster serves, or may serve, and that could not be listed, with the reason;
    ``untold`` those that an archive keeps only where Cilium serves them.
    """

    found: tuple[Entrance, ...] = ()
    unlisted: Mapping[str, str] = field(default_factory=dict)
    untold: tuple[str, ...] = ()


def _likeness(pattern: str, host: str) -> int:
    """Return how specifically a host of a route means a name: 0 for not at all, most for the name itself."""
    if pattern == host:
        return len(host) + 1
    suffix = pattern.removeprefix("*")
    return len(suffix) if pattern.startswith("*.") and host.endswith(suffix) and len(host) > len(suffix) else 0
