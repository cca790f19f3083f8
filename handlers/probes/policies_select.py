"""Every policy that selects the endpoint is valid, and its agent has realised it.

Policies of every kind count together: one union of allows, and a deny of any kind wins. A policy that the agent refuses
enforces nothing, although it stands in the cluster.
"""

from collections.abc import Iterable, Iterator

from handlers.commands.policies import PoliciesOf
from handlers.connection.backends import selected_pods
from handlers.connection.legs import Leg, place_of_pod
from handlers.connection.parties import parties_of
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, policies_of, statuses_of
from handlers.connection.realized import not_realized
from handlers.endpoints.waiting import POLICY_WAITS, agent_pods, is_down, policies_waiting
from handlers.model.cluster import Pod, PolicyObject
from handlers.model.decision import PolicySummary
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.labels import Network
from handlers.model.parts import Part
from handlers.model.rule import Direction, PolicyStatus, Rule
from handlers.model.snapshot import Known
from handlers.model.traffic import Protocol
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.policy.cidr import held_by, network_of
from handlers.policy.pods import agent_endpoint_of_pod, endpoint_of_pod
from handlers.policy.regexp import INSTALL_RE2
from handlers.probes.probe import probe

POLICY_INVALID = code(
    "POLICY_INVALID",
    meaning="The agent refuses the policy, so nothing of it is enforced.",
    template="{policy} is invalid and enforces nothing: {reason}",
    advice="Correct the policy; kubectl describe shows the agent's own message.",
)
POLICY_IGNORED = code(
    "POLICY_IGNORED",
    meaning="The policy is valid, yet the configuration leaves it out.",
    template="{policy} is not enforced: {reason}",
)
POLICY_NOT_TOLD = code(
    "POLICY_NOT_TOLD",
    meaning="Whether the agent accepts the policy cannot be told: RE2, which judges its expressions, is not installed.",
    template="It cannot be told whether {policy} is valid: {reason}",
    advice=INSTALL_RE2,
)
POLICY_DOES = code(
    "POLICY_DOES",
    meaning="What one policy does to the endpoint in one direction.",
    template="{policy} on {subject}: {what}",
)
POLICY_ONLY_AUDITED = code(
    "POLICY_ONLY_AUDITED",
    meaning="The endpoint is in audit mode: what the policies deny is counted there, and passes.",
    template="{subject} is in audit mode: {policies} {count:is|are} not enforced there",
    advice="endpoint shows the mode; look at what would be denied before you turn it off.",
)
POLICY_FREE = code(
    "POLICY_FREE",
    meaning="No policy selects the endpoint in one direction, so that everything is allowed on its own side.",
    template="No policy is about {direction} of {subject}: everything is allowed on its own side",
)
POLICY_SELECTS_NOBODY = code(
    "POLICY_SELECTS_NOBODY",
    meaning="The policy selects no endpoint of its namespace now.",
    template="{policy} selects no endpoint now",
)
POLICY_BEHIND = code(
    "POLICY_BEHIND",
    meaning="The endpoint still enforces what it had before, so the policies that select it may not be in force yet.",
    template="{subject} is {state}: the policies that select it may not be in force",
    advice="Look at the endpoint in the agent's log.",
)
POLICY_CIDR_OF_PODS = code(
    "POLICY_CIDR_OF_PODS",
    meaning="A CIDR or ipBlock of the policy holds addresses of pods, and no CIDR ever selects a pod"
    " (Documentation/security/policy/language.rst, CIDR based).",
    template="{policy} lists {cidr}, where {pods} have their addresses; a CIDR never selects pods",
    advice="Select the pods by labels; keep the CIDR only for what is outside the cluster.",
)
NO_ENDPOINTS = code(
    "NO_ENDPOINTS",
    meaning="What was asked about has no pods, and policies select pods.",
    template="{name} has no pods that a policy could select",
    advice="Ask for a workload, a pod, a Service with a selector, or a namespace.",
)
NAME_UNCLEAR = code(
    "NAME_UNCLEAR",
    meaning="The name means nothing, or several things.",
    template="There is no single endpoint called {name}",
    advice="Check the spelling.",
)


@probe(
    answers=(PoliciesOf,),
    codes=(
        POLICY_INVALID,
        POLICY_IGNORED,
        POLICY_NOT_TOLD,
        POLICY_DOES,
        POLICY_ONLY_AUDITED,
        POLICY_FREE,
        POLICY_SELECTS_NOBODY,
        POLICY_BEHIND,
        POLICY_CIDR_OF_PODS,
        NO_ENDPOINTS,
        NAME_UNCLEAR,
        POLICY_WAITS,
    ),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.CILIUM_PODS),
)
def policies_select(question: PoliciesOf, facts: Facts) -> Iterator[Finding]:
    """Tell what each policy does to each distinct endpoint."""
    pods = facts.pods
    if question.endpoint is not None:
        found = resolve(question.endpoint, facts, End.SOURCE, None, None)
        if found.obstacle:
            yield NAME_UNCLEAR.finding(Outcome.UNKNOWN, name=str(question.endpoint))
            return
        pods = selected_pods(found.service, facts.pods) if found.service else found.pods
        if not pods:
            yield NO_ENDPOINTS.finding(Outcome.UNKNOWN, name=found.title)
            return
    elif question.namespace not in {space.name for space in facts.namespaces}:
        yield NAME_UNCLEAR.finding(Outcome.UNKNOWN, name=question.namespace)
        return
    for status in statuses_of(facts):
        if (not status.enforced or status.unjudged) and _concerns(status, question):
            yield _ill(status)
    used: set[str] = set()
    selectable = [pod for pod in pods if pod.is_running and not pod.host_network]
    yield from _waiting(selectable, facts)
    for finding in _of_pods(selectable, facts):
        used |= {evidence.ref for evidence in finding.evidence}
        yield finding
    if question.namespace:
        yield from _unused(
            facts.policies, used | {str(status.policy) for status in statuses_of(facts) if not status.enforced}
        )


def _concerns(status: PolicyStatus, question: PoliciesOf) -> bool:
    namespace = question.namespace or getattr(question.endpoint, "namespace", None)
    return status.policy.namespace in ("", namespace)


def _ill(status: PolicyStatus) -> Finding:
    evidence = [Evidence("kubernetes", str(status.policy), "/spec")]
    name = f"{status.policy.kind} {status.policy.short}"
    if status.unjudged:
        return POLICY_NOT_TOLD.finding(Outcome.UNKNOWN, evidence=evidence, policy=name, reason=status.unjudged)
    if not status.valid:
        return POLICY_INVALID.finding(Outcome.PROBLEM, evidence=evidence, weight=100, policy=name, reason=status.reason)
    return POLICY_IGNORED.finding(
        Outcome.NOT_APPLICABLE, evidence=evidence, weight=50, policy=name, reason=status.ignored
    )


def _of_pods(pods: list[Pod], facts: Facts) -> Iterator[Finding]:
    """Yield one line for each policy, direction and distinct identity."""
    policies = policies_of(facts)
    seen: set[object] = set()
    for pod in pods:
        place = place_of_pod(pod)
        leg = Leg(place, place, Protocol.TCP, None)
        party = next(parties_of(leg, at_source=True, learns_names=False, facts=facts)).party
        agent = agent_endpoint_of_pod(place.pod, facts)
        summaries = policies.selecting(party)
        published = endpoint_of_pod(pod, facts)
        state = agent.state if agent else published.state if published else None
        behind = {
            summary.direction: trouble
            for summary in summaries
            if (trouble := not_realized(agent, state, summary.direction))
        }
        for trouble in dict.fromkeys(behind.values()):
            yield POLICY_BEHIND.finding(
                Outcome.PROBLEM,
                evidence=[Evidence("agent" if agent else "kubernetes", f"CiliumEndpoint/{pod}", "/status/state")],
                subject=str(pod),
                state=trouble,
            )
        if party.labels in seen:
            continue
        seen.add(party.labels)
        subject = f"{pod.namespace}/{pod.owner.name}" if pod.owner else str(pod)
        if agent and agent.audit and summaries:
            yield _audited(pod, subject, summaries)
        for direction in _free(summaries):
            yield POLICY_FREE.finding(Outcome.NOT_APPLICABLE, direction=str(direction).lower(), subject=subject)
        for summary in summaries:
            yield POLICY_DOES.finding(
                # What an endpoint still waits for is wanted, and does nothing yet.
                Outcome.UNKNOWN if summary.direction in behind else Outcome.FINE,
                evidence=[Evidence("kubernetes", str(origin.policy), origin.pointer) for origin in summary.rules],
                weight=10,
                policy=f"{summary.policy.kind} {summary.policy.short}",
                subject=subject,
                what=summary.text,
            )
        for direction in Direction:
            yield from _cidrs_of_pods(policies.rules_selecting(party, direction), facts)


def _audited(pod: Pod, subject: str, summaries: tuple[PolicySummary, ...]) -> Finding:
    refs = dict.fromkeys(summary.policy for summary in summaries)
    return POLICY_ONLY_AUDITED.finding(
        Outcome.PROBLEM,
        evidence=[
            *(Evidence("kubernetes", str(ref)) for ref in refs),
            Evidence("agent", f"CiliumEndpoint/{pod}", "/status"),
        ],
        follow_up=f"endpoint {pod.namespace}/pod/{pod.name}",
        weight=70,
        subject=subject,
        policies=tuple(f"{ref.kind} {ref.short}" for ref in refs),
        count=len(refs),
    )


def _free(summaries: tuple[PolicySummary, ...]) -> tuple[Direction, ...]:
    """Return the direction that no policy is about, where one is about the other."""
    taken = {summary.direction for summary in summaries}
    return tuple(direction for direction in Direction if taken and direction not in taken)


def _waiting(pods: list[Pod], facts: Facts) -> Iterator[Finding]:
    """Yield what is not in force since the agent of a pod's node is down; nothing where Cilium's pods were not read."""
    if not isinstance(facts.look(Part.CILIUM_PODS), Known):
        return
    ready = {node.name for node in facts.nodes if node.ready is not False}
    for node, agent in agent_pods(facts).items():
        if is_down(agent, is_node_ready=node in ready):
            yield from policies_waiting(agent, (pod for pod in pods if pod.node == node and pod.ips), facts)


def _cidrs_of_pods(rules: Iterable[Rule], facts: Facts) -> Iterator[Finding]:
    """Name each CIDR that covers pods, or all that a node gives its pods: whoever wrote it meant them."""
    for rule in rules:
        for peer in rule.peers:
            held = next(held_by(peer, _pod_networks(facts)), None) if peer.cidr else None
            if held:
                yield POLICY_CIDR_OF_PODS.finding(
                    Outcome.PROBLEM,
                    evidence=[Evidence("kubernetes", str(rule.origin.policy), peer.pointer)],
                    weight=60,
                    policy=f"{rule.origin.policy.kind} {rule.origin.policy.short}",
                    cidr=peer.cidr,
                    pods=held,
                )


def _pod_networks(facts: Facts) -> tuple[tuple[str, Network], ...]:
    pods = ((str(pod), ip) for pod in facts.pods if not pod.host_network for ip in pod.ips)
    nodes = ((f"pods of {node.name}", cidr) for node in facts.nodes for cidr in node.pod_cidrs)
    named = ((name, network_of(text)) for name, text in (*pods, *nodes))
    return facts.once("networks of pods", lambda: tuple((name, found) for name, found in named if found is not None))


def _unused(objects: tuple[PolicyObject, ...], used: set[str]) -> Iterator[Finding]:
    for policy in objects:
        if policy.ref not in used and policy.namespace:
            yield POLICY_SELECTS_NOBODY.finding(
                Outcome.NOT_APPLICABLE,
                evidence=[Evidence("kubernetes", policy.ref, "/spec")],
                weight=20,
                policy=f"{policy.kind} {policy.namespace}/{policy.name}",
            )
