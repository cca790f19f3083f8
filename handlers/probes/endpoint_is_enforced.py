"""Policy is enforced on every endpoint of it, as the policies demand.

An endpoint in audit mode counts what its policies deny and lets it pass; a policy map that is full leaves entries out.
"""

from collections.abc import Iterator

from handlers.commands.endpoint import EndpointOf
from handlers.connection.coverage import nodes_in_words
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, policies_of
from handlers.endpoints.asked import ASKED_OPTIONAL_PARTS, ASKED_PARTS, PodEndpoint, endpoints_asked
from handlers.endpoints.rows import enforcement
from handlers.model.cluster import CiliumConfig
from handlers.model.decision import PolicySummary
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.rule import Direction
from handlers.model.snapshot import Known
from handlers.policy.pods import pod_party
from handlers.probes.probe import probe

ENDPOINT_AUDITS = code(
    "ENDPOINT_AUDITS",
    meaning="The endpoint is in policy audit mode: what its policies deny is counted and passes all the same.",
    template="{endpoint} is in audit mode (PolicyAuditMode Enabled{scope}): {policies} not enforced",
    reason="{endpoint} is in audit mode (PolicyAuditMode Enabled{scope})",
    advice="Look at what would be denied first (audit shows it); then, in that node's agent:"
    " cilium-dbg endpoint config ID PolicyAuditMode=Disabled, or policy-audit-mode for all.",
)
ENDPOINT_NOT_ENFORCED = code(
    "ENDPOINT_NOT_ENFORCED",
    meaning="A policy puts the endpoint under default deny in a direction, and the agent enforces nothing there.",
    template="{endpoint}: the agent enforces no {direction} policy, though {policies} demand{count:s|} it",
    advice="Look at the endpoint in the agent's log; new policies take a few seconds.",
)
ENDPOINT_MAP_FULL = code(
    "ENDPOINT_MAP_FULL",
    meaning="The endpoint's policy map is full or nearly, and an entry that finds no room is an allow that lacks.",
    template="{endpoint}: its policy map holds {entries} of {most} entries",
    advice="Write its policies with fewer peers and ports (broader selectors, CIDRs), or raise bpf-policy-map-max.",
)
ENDPOINT_ENFORCED = code(
    "ENDPOINT_ENFORCED",
    meaning="Which directions the agents enforce policy in on the endpoints.",
    template="At ingress {ingress}, at egress {egress} on {count} endpoint{count:|s}{which}",
)

USUAL_MAP_SIZE = 16_384
"""bpf-policy-map-max where it is not set (Cilium, pkg/option/config.go)."""
NEARLY_FULL = 0.9


@probe(
    answers=(EndpointOf,),
    codes=(ENDPOINT_AUDITS, ENDPOINT_NOT_ENFORCED, ENDPOINT_MAP_FULL, ENDPOINT_ENFORCED),
    needs=(*ASKED_PARTS, *POLICY_PARTS),
    uses=(*ASKED_OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.AGENT_POLICY_MAP),
)
def endpoint_is_enforced(question: EndpointOf, facts: Facts) -> Iterator[Finding]:
    """Compare what the agents enforce with what the policies demand."""
    alike: dict[tuple[str, str], list[PodEndpoint]] = {}
    for one in endpoints_asked(question.endpoint, facts).made:
        summaries = policies_of(facts).selecting(pod_party(one.pod, facts, policies_of(facts)))
        yield from _troubles(one, summaries, facts)
        if one.of_agent:
            alike.setdefault((enforcement(one, Direction.INGRESS), enforcement(one, Direction.EGRESS)), []).append(one)
    for (ingress, egress), same in alike.items():
        names = nodes_in_words(one.title.removeprefix("endpoint ") for one in same)
        yield ENDPOINT_ENFORCED.finding(
            Outcome.FINE,
            evidence=[one.evidence for one in same[:3]],
            weight=6,
            follow_up=f"policies {question.endpoint}",
            ingress=ingress,
            egress=egress,
            count=len(same),
            which=f": {', '.join(names)}" if len(alike) > 1 else "",
        )


def _troubles(one: PodEndpoint, summaries: tuple[PolicySummary, ...], facts: Facts) -> Iterator[Finding]:
    agent = one.of_agent
    if agent is None:
        return
    refs = tuple(dict.fromkeys(str(summary.policy) for summary in summaries))
    if agent.audit:
        names = tuple(dict.fromkeys(f"{summary.policy.kind} {summary.policy.short}" for summary in summaries))
        yield ENDPOINT_AUDITS.finding(
            Outcome.PROBLEM if summaries else Outcome.NOT_APPLICABLE,
            evidence=[one.evidence, *(Evidence("kubernetes", ref) for ref in refs)],
            follow_up=f"audit {one.pod.namespace}",
            weight=90,
            endpoint=one.title,
            scope=_scope(facts),
            policies=f"{', '.join(names) or 'a policy'} {'are' if len(names) > 1 else 'is'}",
        )
    for direction in Direction:
        demanding = [one.policy for one in summaries if one.direction is direction and one.default_deny]
        enforcing = agent.ingress_enforcing if direction is Direction.INGRESS else agent.egress_enforcing
        if demanding and enforcing is False:
            yield ENDPOINT_NOT_ENFORCED.finding(
                Outcome.PROBLEM,
                evidence=[one.evidence, *(Evidence("kubernetes", str(policy)) for policy in demanding)],
                weight=65,
                endpoint=one.title,
                direction=str(direction).lower(),
                policies=tuple(f"{policy.kind} {policy.short}" for policy in demanding),
                count=len(demanding),
            )
    yield from _map_troubles(one, facts)


def _scope(facts: Facts) -> str:
    """Return how far audit mode reaches, nothing where the configuration was not read."""
    look = facts.look(Part.CONFIG)
    if not isinstance(look, Known):
        return ""
    config: CiliumConfig = look.value
    is_everywhere = config.options.get("policy-audit-mode", "").lower() == "true"
    return ", policy-audit-mode is on in cilium-config" if is_everywhere else ", on this endpoint alone"


def _map_troubles(one: PodEndpoint, facts: Facts) -> Iterator[Finding]:
    maps, config = facts.look(Part.AGENT_POLICY_MAP), facts.look(Part.CONFIG)
    of_node = maps.value.on(one.pod.node) if isinstance(maps, Known) else maps
    if not isinstance(of_node, Known) or one.of_agent is None:
        return
    said = config.value.options.get("bpf-policy-map-max", "") if isinstance(config, Known) else ""
    most = int(said) if said.isdecimal() and len(said) < 10 else USUAL_MAP_SIZE
    entries = sum(1 for entry in of_node.value if entry.endpoint == one.of_agent.id)
    if entries >= most * NEARLY_FULL:
        yield ENDPOINT_MAP_FULL.finding(
            Outcome.PROBLEM, evidence=[one.evidence], weight=75, endpoint=one.title, entries=entries, most=most
        )
