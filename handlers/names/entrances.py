"""Host names that lead into the cluster: by an Ingress or a Gateway, or by the name of a Service's load balancer."""

from collections.abc import Iterable

from handlers.model.cluster import Service
from handlers.model.entrance import Entrance, Entrances
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.model.traffic import Protocol
from handlers.names.frontends import Frontend, FrontendKind
from handlers.names.services import all_services

_PUBLISHED = ("external-dns.alpha.kubernetes.io/hostname", "external-dns.alpha.kubernetes.io/internal-hostname")
"""Annotations by which external-dns publishes the address of a Service under host names, with commas between."""


def entrances_at(host: str, facts: Facts) -> tuple[Entrance, ...]:
    """Return the entrances that a host name is one of, none where they were not read: who judges looks for that."""
    look = facts.look(Part.ENTRANCES)
    if not isinstance(look, Known):
        return ()
    entrances: Entrances = look.value
    return tuple(entrance for entrance in entrances.found if entrance.serves(host))


def service_named_outside(host: str, port: int | None, protocol: Protocol | None, facts: Facts) -> Frontend | None:
    """Return the Service whose load balancer has a host name, None for none or where Services were not read."""
    if not isinstance(facts.look(Part.POLICY_SERVICES), Known) and not isinstance(facts.look(Part.ALL_SERVICES), Known):
        return None
    for service in all_services(facts):
        if host in _names_of(service):
            ports = [entry for entry in service.ports if entry.port == port and protocol in (None, entry.protocol)]
            kind = FrontendKind.BALANCER_IP if service.balancer_ips else FrontendKind.BALANCER_NAME
            return Frontend(kind, None, service, ports[0] if ports else None)
    return None


def _names_of(service: Service) -> Iterable[str]:
    yield from service.balancer_names
    for annotation in _PUBLISHED:
        for name in service.annotations.get(annotation, "").split(","):
            yield name.strip().rstrip(".").lower()
