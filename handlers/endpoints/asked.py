"""The pods that a question about endpoints means, each with what Cilium itself says of it."""

from dataclasses import dataclass

from handlers.connection.backends import selected_pods
from handlers.model.agent import AgentEndpoint
from handlers.model.cluster import CiliumEndpoint, Pod
from handlers.model.endpoint import EndpointName
from handlers.model.facts import Facts
from handlers.model.finding import Evidence
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, Resolved, resolve
from handlers.policy.pods import agent_endpoint_of_pod, endpoint_of_pod

ASKED_PARTS: tuple[AnyPart, ...] = (*PARTS, Part.CILIUM_ENDPOINTS)
"""Parts without which nobody can say whose endpoints are meant, and which there are."""
ASKED_OPTIONAL_PARTS: tuple[AnyPart, ...] = (*OPTIONAL_PARTS, Part.AGENT_ENDPOINTS)
MOST_PODS = 200
"""Pods of one workload that are looked at; the others are counted."""
FINISHED = ("Succeeded", "Failed")
"""Phases of a pod whose containers have all ended (Kubernetes, Pod Lifecycle)."""


@dataclass(frozen=True, slots=True)
class PodEndpoint:
    """A pod that ought to have an endpoint: what its CiliumEndpoint says, and what its node's agent says."""

    pod: Pod
    published: CiliumEndpoint | None
    of_agent: AgentEndpoint | None

    @property
    def is_made(self) -> bool:
        """Whether Cilium knows an endpoint of the pod; one that an attempt left behind has no address."""
        is_left_over = self.pod.phase == "Pending" and not self.pod.ips
        return not is_left_over and (self.published is not None or self.of_agent is not None)

    @property
    def number(self) -> int | None:
        """The endpoint's number on its own node."""
        return self.of_agent.id if self.of_agent else self.published.id if self.published else None

    @property
    def identity(self) -> int | None:
        """The number of its identity."""
        return self.of_agent.identity if self.of_agent else self.published.identity if self.published else None

    @property
    def state(self) -> str | None:
        """Its state in the agent's words, as the agent says it now, else as it was published."""
        return self.of_agent.state if self.of_agent else self.published.state if self.published else None

    @property
    def title(self) -> str:
        """``endpoint 1691 of shop/cart-5d94896484-hfqfl on lab-node-1``."""
        return f"endpoint {self.number or '?'} of {self.pod} on {self.pod.node or '?'}"

    @property
    def evidence(self) -> Evidence:
        """Where its state stands."""
        return Evidence("agent" if self.of_agent else "kubernetes", f"CiliumEndpoint/{self.pod}", "/status")


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose endpoints are meant. Pods in the host's network, and finished ones, have none."""

    found: Resolved
    endpoints: tuple[PodEndpoint, ...]
    of_host: tuple[Pod, ...]
    finished: tuple[Pod, ...]
    left_out: int = 0

    @property
    def made(self) -> tuple[PodEndpoint, ...]:
        """Those that exist."""
        return tuple(one for one in self.endpoints if one.is_made)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that carry them, or shall."""
        return tuple(dict.fromkeys(one.pod.node for one in self.endpoints if one.pod.node))


def pods_meant(name: EndpointName, facts: Facts) -> tuple[Resolved, tuple[Pod, ...]]:
    """Return what a name means, and the pods behind it.

    Raises:
        PartMissingError: if a part that tells was not read.
    """
    found = resolve(name, facts, End.SOURCE, None, None)
    return found, selected_pods(found.service, facts.pods) if found.service else found.pods


def endpoints_asked(name: EndpointName, facts: Facts) -> Asked:
    """Return the endpoints that a name means, and the pods of it that have none by nature.

    Raises:
        PartMissingError: if a part that tells was not read.
    """
    return facts.once(("endpoints asked", name), lambda: _asked(name, facts))


def _asked(name: EndpointName, facts: Facts) -> Asked:
    found, pods = pods_meant(name, facts)
    with_one = [pod for pod in pods if not pod.host_network and pod.phase not in FINISHED]
    return Asked(
        found,
        tuple(
            PodEndpoint(pod, endpoint_of_pod(pod, facts), agent_endpoint_of_pod(pod, facts))
            for pod in with_one[:MOST_PODS]
        ),
        of_host=tuple(pod for pod in pods if pod.host_network),
        finished=tuple(pod for pod in pods if not pod.host_network and pod.phase in FINISHED),
        left_out=max(0, len(with_one) - MOST_PODS),
    )
