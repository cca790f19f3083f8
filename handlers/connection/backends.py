"""The backends of a Service, as its EndpointSlices list them, for the port that the client dials."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from handlers.model.cluster import EndpointSlice, Pod, Service, ServicePort
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.model.traffic import Protocol as IpProtocol
from handlers.names.resolve import Resolved


@dataclass(frozen=True, slots=True)
class Target:
    """One backend for one port of the Service.

    ``ready`` is what load balancing goes by (None in the object counts as ready: Kubernetes, EndpointSlice conditions).
    """

    ip: str
    port: int | None
    protocol: IpProtocol
    service_port: ServicePort
    pod: str | None
    """``namespace/name`` of the pod behind it, if it is one."""
    node: str | None
    ready: bool
    terminating: bool


class Dialled(Protocol):
    """What is dialled at a Service; a connection says it, and a question about the Service."""

    @property
    def port(self) -> int | None:
        """The Service's port, None for all."""

    @property
    def protocol(self) -> IpProtocol | None:
        """Its protocol, None for any."""


def ports_asked(dialled: Dialled, destination: Resolved) -> tuple[ServicePort, ...]:
    """Return the ports of the Service that the question is about: the one that is dialled, or all of them.

    A headless Service has no port of its own: its name gives the pods' addresses, and the client dials a pod's port.
    """
    service, frontend = destination.service, destination.frontend
    if service is None:
        return ()
    if frontend and frontend.service_port:
        return (frontend.service_port,)
    if service.is_headless and dialled.port is not None:
        return (ServicePort(None, dialled.port, dialled.protocol or "TCP", None),)
    return tuple(
        port
        for port in service.ports
        if (dialled.port is None or port.port == dialled.port)
        and (dialled.protocol is None or port.protocol == dialled.protocol)
    )


def backends_of(dialled: Dialled, destination: Resolved, facts: Facts) -> tuple[Target, ...]:
    """Return every backend, ready or not, of the ports asked; none for what is no Service.

    Raises:
        PartMissingError: if the EndpointSlices were not read.
    """
    service = destination.service
    if service is None:
        return ()
    slices = slices_of(service, facts)
    if service.is_headless and dialled.port is not None:
        (port,) = ports_asked(dialled, destination)
        found = {target.ip: target for part in slices for target in _at_own_port(port, part)}
        return tuple(found.values())
    ports = ports_asked(dialled, destination)
    return tuple(target for port in ports for part in slices for target in _targets(port, part))


def targets_of(service: Service, facts: Facts) -> tuple[Target, ...]:
    """Return every backend, ready or not, of all ports of a Service.

    Raises:
        PartMissingError: if the EndpointSlices were not read.
    """
    slices = slices_of(service, facts)
    return tuple(target for port in service.ports for part in slices for target in _targets(port, part))


def slices_of(service: Service, facts: Facts) -> tuple[EndpointSlice, ...]:
    """Return the EndpointSlices of a Service.

    Raises:
        PartMissingError: if they were not read.
    """
    look = facts.look(Part.POLICY_SERVICES)
    everywhere: tuple[EndpointSlice, ...] = look.value[1] if isinstance(look, Known) else ()
    listed = everywhere or facts.endpoint_slices
    return tuple(part for part in listed if (part.namespace, part.service) == (service.namespace, service.name))


def _at_own_port(port: ServicePort, part: EndpointSlice) -> Iterator[Target]:
    for backend in part.backends:
        for ip in backend.addresses:
            pod = "/".join(backend.pod) if backend.pod else None
            ready, ending = backend.ready is not False, backend.terminating is True
            yield Target(ip, port.port, IpProtocol(port.protocol), port, pod, backend.node, ready, ending)


def _targets(port: ServicePort, part: EndpointSlice) -> Iterator[Target]:
    for slice_port in part.ports:
        if (slice_port.name or "") != (port.name or "") or slice_port.protocol != port.protocol:
            continue
        for backend in part.backends:
            for ip in backend.addresses:
                yield Target(
                    ip=ip,
                    port=slice_port.port,
                    protocol=IpProtocol(port.protocol),
                    service_port=port,
                    pod="/".join(backend.pod) if backend.pod else None,
                    node=backend.node,
                    ready=backend.ready is not False,
                    terminating=backend.terminating is True,
                )


def selected_pods(service: Service, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
    """Return the pods that the Service's selector matches; none where it has no selector."""
    if not service.selector:
        return ()
    wanted = service.selector.items()
    return tuple(
        pod for pod in pods if pod.namespace == service.namespace and all(pod.labels.get(k) == v for k, v in wanted)
    )
