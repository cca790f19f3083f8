"""The endpoints that audit instead of enforcing, as their agents tell, and the policies that would be enforced."""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.connection.policies import policies_of
from handlers.model.agent import AgentEndpoint
from handlers.model.cluster import CiliumConfig
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Evidence
from handlers.model.labels import LabelSet
from handlers.model.parts import Part
from handlers.model.party import Party
from handlers.model.rule import PolicyRef
from handlers.model.snapshot import Known, PerNode
from handlers.policy.parties import party_of_labels

OPTION = "policy-audit-mode"
_HOST = "host"


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """An endpoint on its node. ``policies`` are those that select it, None where policies were not read."""

    node: str
    endpoint: AgentEndpoint
    audits: bool
    policies: tuple[PolicyRef, ...] | None

    @property
    def name(self) -> str:
        """Its pod, or what it is."""
        one = self.endpoint
        if one.pod:
            return f"{one.namespace}/{one.pod}"
        reserved = [label.removeprefix("reserved:") for label in one.labels if label.startswith("reserved:")]
        return f"{' '.join(reserved[:2]) or 'an endpoint'} of {self.node}"

    @property
    def evidence(self) -> Evidence:
        """Where its agent says so."""
        ref = f"CiliumEndpoint/{self.name}" if self.endpoint.pod else f"Node//{self.node}"
        excerpt = (
            f"endpoint {self.endpoint.id} on {self.node}: PolicyAuditMode {'Enabled' if self.audits else 'Disabled'}"
        )
        return Evidence("agent", ref, excerpt=excerpt)


def is_cluster_wide(facts: Facts) -> bool | None:
    """Return whether cilium-config turns audit mode on everywhere, None where it was not read."""
    look = facts.look(Part.CONFIG)
    if not isinstance(look, Known):
        return None
    config: CiliumConfig = look.value
    return config.options.get(OPTION, "false").lower() == "true"


def local_endpoints(namespace: str | None, facts: Facts) -> Iterator[LocalEndpoint]:
    """Yield the endpoints of a namespace, or all, of the agents that answered.

    One whose own option the output does not tell goes by the configuration.
    """
    look = facts.look(Part.AGENT_ENDPOINTS)
    told: PerNode[tuple[AgentEndpoint, ...]] = look.value if isinstance(look, Known) else PerNode({})
    everywhere = is_cluster_wide(facts)
    for node, endpoints in told.known():
        for one in endpoints:
            if namespace in (None, one.namespace):
                audits = bool(everywhere) if one.audit is None else one.audit
                policies = attempt(lambda one=one, node=node: _selecting(one, node, facts))  # type: ignore[misc]
                yield LocalEndpoint(node, one, audits, None if isinstance(policies, Lacking) else policies)


def _selecting(endpoint: AgentEndpoint, node: str, facts: Facts) -> tuple[PolicyRef, ...]:
    summaries = policies_of(facts).selecting(_party(endpoint, node, facts))
    return tuple(dict.fromkeys(summary.policy for summary in summaries))


def _party(endpoint: AgentEndpoint, node: str, facts: Facts) -> Party:
    labels = LabelSet.parse(endpoint.labels)
    if labels.has_reserved(_HOST):
        return policies_of(facts).party_of_node_named(node, title=node)
    return party_of_labels(labels, name=f"{endpoint.namespace}/{endpoint.pod}")
