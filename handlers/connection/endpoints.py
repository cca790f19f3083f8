"""A pod's endpoint: as the cluster publishes it, and as its own node's agent tells it."""

from handlers.model.agent import AgentEndpoint
from handlers.model.cluster import CiliumEndpoint, Pod
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known


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
    look = facts.look(Part.AGENT_ENDPOINTS)
    if not isinstance(look, Known) or pod is None:
        return None
    answer = look.value.on(pod.node)
    if not isinstance(answer, Known):
        return None
    entries: tuple[AgentEndpoint, ...] = answer.value
    return next((entry for entry in entries if (entry.namespace, entry.pod) == (pod.namespace, pod.name)), None)
