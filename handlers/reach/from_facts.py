"""A cluster for whole-cluster questions, from the parts of a snapshot that was read whole."""

from collections.abc import Iterator, Mapping

from handlers.model.cluster import CiliumEndpoint, EndpointSlice, Pod, Service
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.reserved import FIRST_WELL_KNOWN
from handlers.model.rule import Manifest, PolicyStatus
from handlers.model.snapshot import Known
from handlers.policy.pods import endpoint_party, is_published, pod_party
from handlers.policy.policy_set import PolicySet
from handlers.reach.cluster import Cluster, ClusterPod, ExposedPort, ExposedService
from handlers.reach.proposal import reference_of


def cluster_of(facts: Facts, policies: PolicySet, refused: tuple[PolicyStatus, ...] = ()) -> Cluster:
    """Put a cluster together from a snapshot and its policies compiled; ``refused`` are those that the agents refuse.

    Raises:
        PartMissingError: if the policies were not read, or neither pods nor endpoints; or not the namespaces,
            where a pod has no CiliumEndpoint.
    """
    out = {status.policy for status in refused}
    manifests: list[Manifest] = [
        policy.manifest for policy in facts.policies if reference_of(policy.manifest) not in out
    ]
    are_these = [status.policy for status in policies.statuses] == list(map(reference_of, manifests))
    return Cluster(
        manifests=tuple(manifests),
        config=policies.config,
        surroundings=policies.surroundings,
        pods=tuple(_pods(facts, policies)),
        learnt=_learnt(facts),
        services=_services(facts),
        assumptions=tuple(_assumptions(facts)),
        refused=refused,
        ready=policies if are_these else None,
    )


def _pods(facts: Facts, policies: PolicySet) -> Iterator[ClusterPod]:
    look = facts.look(Part.CILIUM_ENDPOINTS)
    endpoints: tuple[CiliumEndpoint, ...] = look.value if isinstance(look, Known) else ()
    if isinstance(facts.look(Part.PODS), Known) or not endpoints:
        for pod in _running(facts):
            workload = pod.owner.name if pod.owner else ""
            party = pod_party(pod, facts, policies)
            yield ClusterPod(pod.namespace, pod.name, party, workload, host_network=pod.host_network)
        return
    for endpoint in endpoints:
        if not _has_labels(endpoint):
            continue
        yield ClusterPod(endpoint.namespace, endpoint.name, endpoint_party(endpoint, facts, policies))


def _has_labels(endpoint: CiliumEndpoint) -> bool:
    """Whether it is known what the endpoint is: by its labels, or by the number of a reserved identity."""
    return bool(endpoint.labels) or 0 < (endpoint.identity or 0) < FIRST_WELL_KNOWN


def _running(facts: Facts) -> list[Pod]:
    return [pod for pod in facts.pods if pod.is_running]


def _assumptions(facts: Facts) -> Iterator[str]:
    look = facts.look(Part.CILIUM_ENDPOINTS)
    if isinstance(look, Known) and not isinstance(facts.look(Part.PODS), Known):
        nameless = sum(not _has_labels(endpoint) for endpoint in look.value)
        if nameless:
            yield f"{nameless} CiliumEndpoints have no labels and are left out"
    if not isinstance(facts.look(Part.CILIUM_ENDPOINTS), Known):
        yield "no CiliumEndpoints were read; identities are computed from the labels of pods"
    elif isinstance(facts.look(Part.PODS), Known):
        own = [pod for pod in _running(facts) if not pod.host_network]
        computed = sum(not is_published(pod, facts) for pod in own)
        if computed:
            who = f"{computed} of {len(own)} pods have no CiliumEndpoint"
            yield f"{who}; their identities are computed from their labels"


def _learnt(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Join what all agents learnt: an address has a name if any node learnt it, for other nodes could as well."""
    names: dict[str, set[str]] = {}
    look = facts.look(Part.AGENT_NAMES)
    if isinstance(look, Known):
        for _, entries in look.value.known():
            for entry in entries:
                for ip in entry.ips:
                    names.setdefault(ip, set()).add(entry.name.rstrip("."))
    return {ip: tuple(sorted(found)) for ip, found in names.items()}


def _services(facts: Facts) -> tuple[ExposedService, ...] | None:
    look = facts.look(Part.POLICY_SERVICES)
    if not isinstance(look, Known):
        return None
    services: tuple[Service, ...] = look.value[0]
    slices: tuple[EndpointSlice, ...] = look.value[1]
    targets: dict[tuple[str, str, str | None], set[int]] = {}
    for part in slices:
        for port in part.ports:
            if port.port is not None and part.backends:
                targets.setdefault((part.namespace, part.service, port.name), set()).add(port.port)
    return tuple(
        ExposedService(
            service.namespace,
            service.name,
            service.selector or {},
            tuple(
                ExposedPort(port.port, port.protocol, _targets(service, port.name, port.target, port.port, targets))
                for port in service.ports
            ),
        )
        for service in services
    )


def _targets(
    service: Service,
    name: str | None,
    target: int | str | None,
    port: int,
    known: Mapping[tuple[str, str, str | None], set[int]],
) -> frozenset[int]:
    """Give the numbers at the pods: from the slices, else from the Service where it names a number."""
    found = known.get((service.namespace, service.name, name))
    if found:
        return frozenset(found)
    if isinstance(target, int):
        return frozenset({target})
    return frozenset({port}) if target is None else frozenset()
