"""Who answers for the cluster's names: the Services of its DNS, and what stands ready behind them."""

from dataclasses import dataclass

from handlers.connection.dns import DNS_PORT
from handlers.model.change import Change
from handlers.model.cluster import ClusterDns, Service, Workload
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known


@dataclass(frozen=True, slots=True)
class Servers:
    """One Service of the cluster's DNS. ``ready`` and ``unready`` are addresses of its backends.

    ``runner`` is what runs the servers, None where none was listed: an archive keeps none of them.
    """

    service: Service
    ready: tuple[str, ...]
    unready: tuple[str, ...]
    runner: Workload | None
    change: Change | None
    """The newest change of how many servers are wanted, None where none is dated."""


def dns_servers(facts: Facts) -> tuple[Servers, ...]:
    """Return the Services of the cluster's DNS that answer on its port.

    Raises:
        PartMissingError: if they were not read.
    """
    dns = facts.cluster_dns
    return tuple(
        _servers(service, dns, facts)
        for service in dns.services
        if any(port.port == DNS_PORT for port in service.ports) and not service.is_headless
    )


def _servers(service: Service, dns: ClusterDns, facts: Facts) -> Servers:
    backends = [one for part in dns.slices if part.service == service.name for one in part.backends]
    ready = {ip for one in backends if one.ready is not False for ip in one.addresses}
    unready = {ip for one in backends for ip in one.addresses} - ready
    runner = _runner(service, facts)
    names = {runner.name} if runner else {change.name for change in dns.changes if change.kind != "Service"}
    scalings = [change for change in dns.changes if change.name in names and _SCALES in change.fields]
    change = max(scalings, key=lambda change: change.at, default=None)
    return Servers(service, tuple(sorted(ready)), tuple(sorted(unready)), runner, change)


_SCALES = "spec.replicas"


def _runner(service: Service, facts: Facts) -> Workload | None:
    look = facts.look(Part.SYSTEM_WORKLOADS)
    workloads = look.value if isinstance(look, Known) else ()
    wanted = (service.selector or {}).items()
    return next(
        (one for one in workloads if wanted and one.namespace == service.namespace and wanted <= one.selector.items()),
        None,
    )


def service_of_dns(facts: Facts) -> Service | None:
    """Return the Service whose address stands in pods' resolv.conf, None where it was not read or there is none."""
    look = facts.look(Part.CLUSTER_DNS)
    return next((one.service for one in dns_servers(facts)), None) if isinstance(look, Known) else None
