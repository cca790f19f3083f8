"""A pod of a snapshot as policy sees it: what Cilium itself says of it, and where that was not read, what follows."""

from collections.abc import Mapping

from handlers.model.agent import AgentEndpoint
from handlers.model.cluster import CiliumEndpoint, Namespace, Pod
from handlers.model.facts import Facts
from handlers.model.flow import EventType, Flow, FlowDirection, FlowEnd, FlowVerdict
from handlers.model.labels import LabelSet
from handlers.model.parts import Part
from handlers.model.party import Party
from handlers.model.snapshot import Known
from handlers.policy.cidr import parse_address
from handlers.policy.parties import labels_of_pod, party_of_endpoint, party_of_pod
from handlers.policy.policy_set import PolicySet

_DENIALS = (FlowVerdict.AUDIT, FlowVerdict.DROPPED)


def endpoint_of_pod(pod: Pod | None, facts: Facts) -> CiliumEndpoint | None:
    """Return the CiliumEndpoint of a pod, None where there is none or it was not read."""
    look = facts.look(Part.CILIUM_ENDPOINTS)
    if not isinstance(look, Known) or pod is None or pod.host_network:
        return None
    endpoints: tuple[CiliumEndpoint, ...] = look.value
    by_name = facts.once("endpoints by name", lambda: {(entry.namespace, entry.name): entry for entry in endpoints})
    return by_name.get((pod.namespace, pod.name))


def agent_endpoint_of_pod(pod: Pod | None, facts: Facts) -> AgentEndpoint | None:
    """Return a pod's endpoint as its node's agent tells it, None where that was not read."""
    return None if pod is None else _agent_endpoint(pod.node, (pod.namespace, pod.name), facts)


def is_published(pod: Pod, facts: Facts) -> bool:
    """Whether a CiliumEndpoint says which labels the pod's identity has; else they are computed."""
    endpoint = endpoint_of_pod(pod, facts)
    return endpoint is not None and bool(endpoint.labels)


def pod_party(pod: Pod, facts: Facts, policies: PolicySet) -> Party:
    """Return a pod; one in the host's network is its node.

    Raises:
        PartMissingError: if its labels have to be computed and the namespaces were not read.
    """
    if pod.host_network:
        return policies.party_of_node_named(pod.node, title=str(pod), ips=pod.ips)
    endpoint = endpoint_of_pod(pod, facts)
    if endpoint is not None and endpoint.labels:
        labels = LabelSet.parse(endpoint.labels)
    else:
        labels = labels_of_pod(pod, _namespace_labels(facts).get(pod.namespace, {}), policies.config)
    audit = _audit(pod.node, (pod.namespace, pod.name), pod.ips, facts)
    return party_of_pod(pod, labels, identity=endpoint.identity if endpoint else None, audit=audit)


def endpoint_party(endpoint: CiliumEndpoint, facts: Facts, policies: PolicySet) -> Party:
    """Return the pod of a CiliumEndpoint, where pods themselves were not read."""
    address = parse_address(endpoint.node_ip) if endpoint.node_ip else None
    node = policies.addresses.nodes.get(address) if address is not None else None
    name = node.name if node else None
    audit = _audit(name, (endpoint.namespace, endpoint.name), endpoint.ips, facts)
    return party_of_endpoint(endpoint, node=name or "", audit=audit)


def _namespace_labels(facts: Facts) -> Mapping[str, Mapping[str, str]]:
    spaces: tuple[Namespace, ...] = facts.namespaces
    return facts.once("labels of namespaces", lambda: {space.name: space.labels for space in spaces})


def _agent_endpoint(node: str | None, pod: tuple[str, str], facts: Facts) -> AgentEndpoint | None:
    look = facts.look(Part.AGENT_ENDPOINTS)
    answer = look.value.on(node) if isinstance(look, Known) else look
    if not isinstance(answer, Known):
        return None
    entries: tuple[AgentEndpoint, ...] = answer.value
    by_pod = facts.once(
        ("endpoints of an agent", node), lambda: {(entry.namespace, entry.pod): entry for entry in reversed(entries)}
    )
    return by_pod.get(pod)


def _audit(node: str | None, pod: tuple[str, str], ips: tuple[str, ...], facts: Facts) -> bool | None:
    """Return whether the endpoint audits instead of enforcing: its agent says so, or its own verdict events do."""
    endpoint = _agent_endpoint(node, pod, facts)
    if endpoint and endpoint.audit is not None:
        return endpoint.audit
    look = facts.look(Part.FLOWS)
    if not isinstance(look, Known):
        return None
    denials = facts.once("newest denial of each endpoint", lambda: _newest_denials(look.value.flows))
    found = [flow for flow in map(denials.get, (pod, *(("", ip) for ip in ips))) if flow is not None]
    newest = max(found, key=lambda flow: flow.time, default=None)
    return None if newest is None else newest.verdict is FlowVerdict.AUDIT


def _newest_denials(flows: tuple[Flow, ...]) -> Mapping[tuple[str, str], Flow]:
    """Return the newest policy verdict that denied, or would have; by pod, or by address where the flow names none."""
    found: dict[tuple[str, str], Flow] = {}
    for flow in flows:
        if flow.event_type == EventType.POLICY_VERDICT and flow.verdict in _DENIALS:
            key = _subject(flow.source if flow.direction is FlowDirection.EGRESS else flow.destination)
            if key not in found or found[key].time < flow.time:
                found[key] = flow
    return found


def _subject(end: FlowEnd) -> tuple[str, str]:
    return (end.namespace, end.pod) if end.pod else ("", end.ip)
