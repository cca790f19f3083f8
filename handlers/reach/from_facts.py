"""A cluster for whole-cluster questions, from the parts of a snapshot that was read whole."""

from collections.abc import Iterator, Mapping

from handlers.model.cluster import CiliumEndpoint, EndpointSlice, Namespace, Pod, Service
from handlers.model.facts import Facts
from handlers.model.labels import LabelSet, pod_identity_labels
from handlers.model.parts import Part
from handlers.model.party import NamedPort, Party, PartyKind
from handlers.model.rule import Manifest, PolicyStatus
from handlers.model.snapshot import AnyPart, Known
from handlers.policy.policy_set import PolicySet
from handlers.reach.cluster import Cluster, ClusterPod, ExposedPort, ExposedService
from handlers.reach.proposal import reference_of

WHOLE_CLUSTER_PARTS: tuple[AnyPart, ...] = (
    Part.POLICIES,
    Part.NODES,
    Part.PODS,
    Part.CILIUM_ENDPOINTS,
    Part.CONFIG,
    Part.NAMESPACES,
    Part.API_SERVER,
    Part.CIDR_GROUPS,
    Part.POLICY_SERVICES,
    Part.NAMED_PORTS,
    Part.RELAY,
    Part.FLOWS,
)
"""What to read; of these only policies and nodes, and either pods or endpoints, are indispensable."""


def cluster_of(facts: Facts, policies: PolicySet, refused: tuple[PolicyStatus, ...] = ()) -> Cluster:
    """Put a cluster together from a snapshot and its policies compiled; ``refused`` are those that the agents refuse.

    Raises:
        PartMissingError: if the policies were not read, or neither pods nor endpoints.
    """
    out = {status.policy for status in refused}
    manifests: list[Manifest] = [
        policy.manifest for policy in facts.policies if reference_of(policy.manifest) not in out
    ]
    pods = tuple(_pods(facts, policies))
    assumptions = []
    if not isinstance(facts.look(Part.CILIUM_ENDPOINTS), Known):
        assumptions.append("no CiliumEndpoints were read; identities are computed from the labels of pods")
    return Cluster(
        manifests=tuple(manifests),
        config=policies.config,
        surroundings=policies.surroundings,
        pods=pods,
        learnt=_learnt(facts),
        services=_services(facts),
        assumptions=tuple(assumptions),
        refused=refused,
    )


def _pods(facts: Facts, policies: PolicySet) -> Iterator[ClusterPod]:
    look = facts.look(Part.CILIUM_ENDPOINTS)
    endpoints: tuple[CiliumEndpoint, ...] = look.value if isinstance(look, Known) else ()
    known = {(endpoint.namespace, endpoint.name): endpoint for endpoint in endpoints}
    read = facts.look(Part.PODS)
    if isinstance(read, Known) or not endpoints:
        pods: tuple[Pod, ...] = facts.pods
        spaces = _namespace_labels(facts)
        for pod in pods:
            if pod.is_running:
                yield _pod(pod, known.get((pod.namespace, pod.name)), spaces, policies)
        return
    for endpoint in endpoints:
        ports = tuple(NamedPort(port.name, port.port, port.protocol) for port in endpoint.named_ports if port.name)
        labels = LabelSet.parse(endpoint.labels)
        party = Party(
            PartyKind.INIT if labels.has_reserved("init") else PartyKind.ENDPOINT,
            labels,
            name=f"{endpoint.namespace}/{endpoint.name}",
            ips=endpoint.ips,
            named_ports=ports,
            identity=endpoint.identity,
            unfiltered=tuple((label.key, label.value) for label in labels),
        )
        yield ClusterPod(endpoint.namespace, endpoint.name, party)


def _pod(
    pod: Pod, endpoint: CiliumEndpoint | None, spaces: Mapping[str, Mapping[str, str]], policies: PolicySet
) -> ClusterPod:
    workload = pod.owner.name if pod.owner else ""
    if pod.host_network:
        nodes = policies.surroundings.nodes or ()
        node = next((node for node in nodes if node.name == pod.node), None)
        party = Party(PartyKind.REMOTE_NODE, LabelSet.reserved("remote-node"), name=str(pod), managed=False)
        if node is not None:
            party = policies.party_of_node(node)
        return ClusterPod(pod.namespace, pod.name, party, workload, host_network=True)
    if endpoint is not None and endpoint.labels:
        labels = LabelSet.parse(endpoint.labels)
    else:
        labels = pod_identity_labels(
            pod_labels=pod.labels,
            namespace=pod.namespace,
            namespace_labels=spaces.get(pod.namespace, {}),
            service_account=pod.service_account,
            cluster=policies.config.cluster_name,
            label_filter=policies.config.label_filter,
        )
    party = Party(
        PartyKind.INIT if labels.has_reserved("init") else PartyKind.ENDPOINT,
        labels,
        name=str(pod),
        ips=pod.ips,
        node=pod.node or "",
        named_ports=tuple(NamedPort(port.name, port.port, port.protocol) for port in pod.ports if port.name),
        identity=endpoint.identity if endpoint else None,
        unfiltered=tuple(sorted(pod.labels.items())),
    )
    return ClusterPod(pod.namespace, pod.name, party, workload)


def _namespace_labels(facts: Facts) -> dict[str, Mapping[str, str]]:
    look = facts.look(Part.NAMESPACES)
    spaces: tuple[Namespace, ...] = look.value if isinstance(look, Known) else ()
    return {space.name: space.labels for space in spaces}


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
