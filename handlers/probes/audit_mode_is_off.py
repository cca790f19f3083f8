"""No endpoint is in policy audit mode.

In audit mode what policies deny passes all the same and is only counted (PolicyAuditMode of an endpoint, or
policy-audit-mode of the whole cluster).
"""

from collections.abc import Iterator

from handlers.audit.audited import LocalEndpoint, is_cluster_wide, local_endpoints
from handlers.commands.audit import MOST_AGENTS, Audit
from handlers.connection.coverage import nodes_in_words, unread_alike
from handlers.connection.policies import POLICY_OPTIONAL_PARTS
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.snapshot import Gap, Known, Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

AUDIT_ENDPOINT = code(
    "AUDIT_ENDPOINT",
    meaning="An endpoint is in audit mode by its own option, so the policies that select it are not enforced.",
    template="{endpoint}, endpoint {id} on {node}, has PolicyAuditMode Enabled: {policies} {count:is|are} not enforced",
    advice="Allow what is to pass; then, in that node's agent: cilium-dbg endpoint config ID PolicyAuditMode=Disabled.",
)
AUDIT_CLUSTER_WIDE = code(
    "AUDIT_CLUSTER_WIDE",
    meaning="policy-audit-mode in cilium-config: whether audit mode is on for every endpoint.",
    template="policy-audit-mode is {value} in cilium-config, for the whole cluster",
    advice="Allow what is meant to pass, then set policy-audit-mode to false and restart the agents.",
)
AUDIT_ENFORCED = code(
    "AUDIT_ENFORCED",
    meaning="Endpoints that enforce the policies that select them.",
    template="{count} endpoint{count: enforces its|s enforce their} policies: {endpoints}",
)
AUDIT_UNTOLD = code(
    "AUDIT_UNTOLD",
    meaning="Agents did not tell their endpoints, so whether these audit is not known.",
    template="whether endpoints on {nodes} are in audit mode is not known: {why}",
    advice="Ask again when these agents answer, or one namespace at a time.",
)
AUDIT_OF_WHOM = code(
    "AUDIT_OF_WHOM",
    meaning="The name is that of no namespace.",
    template="There is no namespace {name}",
    advice="Check the spelling.",
)
_MOST_ENDPOINTS = 20


@probe(
    answers=(Audit,),
    codes=(AUDIT_ENDPOINT, AUDIT_CLUSTER_WIDE, AUDIT_ENFORCED, AUDIT_UNTOLD, AUDIT_OF_WHOM),
    needs=PARTS,
    uses=(Part.AGENT_ENDPOINTS, Part.CONFIG, Part.POLICIES, *OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS),
    blocking=True,
)
def audit_mode_is_off(question: Audit, facts: Facts) -> Iterator[Finding]:
    """Say it of the cluster's setting, and of each endpoint."""
    if question.namespace and all(space.name != question.namespace for space in facts.namespaces):
        yield AUDIT_OF_WHOM.finding(Outcome.UNKNOWN, blocking=True, name=question.namespace)
        return
    yield from _of_cluster(facts)
    endpoints = list(local_endpoints(question.namespace, facts))
    auditing = [one for one in endpoints if one.audits]
    # An endpoint that no policy selects has nothing to enforce.
    auditing.sort(key=lambda one: (one.policies == (), one.name))
    yield from map(_auditing, auditing[:_MOST_ENDPOINTS])
    enforcing = [one for one in endpoints if not one.audits and one.policies]
    if enforcing:
        yield AUDIT_ENFORCED.finding(
            Outcome.FINE,
            evidence=[one.evidence for one in enforcing[:3]],
            count=len(enforcing),
            endpoints=nodes_in_words(one.name for one in enforcing),
        )
    yield from _untold(question, facts)


def _of_cluster(facts: Facts) -> Iterator[Finding]:
    everywhere = is_cluster_wide(facts)
    if everywhere is None:
        return
    yield AUDIT_CLUSTER_WIDE.finding(
        Outcome.PROBLEM if everywhere else Outcome.FINE,
        evidence=[Evidence("kubernetes", "ConfigMap//cilium-config", "/data/policy-audit-mode")],
        weight=1000 if everywhere else 0,
        value=str(everywhere).lower(),
    )


def _auditing(one: LocalEndpoint) -> Finding:
    policies = tuple(f"{policy.kind} {policy.short}" for policy in one.policies or ())
    return AUDIT_ENDPOINT.finding(
        Outcome.NOT_APPLICABLE if one.policies == () else Outcome.PROBLEM,
        evidence=[one.evidence, *(Evidence("kubernetes", str(policy)) for policy in one.policies or ())],
        follow_up=f"endpoint {one.endpoint.namespace}/pod/{one.endpoint.pod}" if one.endpoint.pod else "",
        weight=500,
        endpoint=one.name,
        id=one.endpoint.id,
        node=one.node,
        policies=policies or (("no policy selects it, so nothing",) if one.policies == () else ("what selects it",)),
        count=len(policies) or 1,
    )


def _untold(question: Audit, facts: Facts) -> Iterator[Finding]:
    """Name the agents that were not asked, or did not answer."""
    look = facts.look(Part.AGENT_ENDPOINTS)
    answers = {node: look.value.on(node) if isinstance(look, Known) else look for node in question.concerned(facts)}
    unread = {node: answer for node, answer in answers.items() if isinstance(answer, Missing)}
    for nodes, missing in unread_alike(unread):
        why = missing.detail if missing.gap is not Gap.NOT_ASKED else f"one run asks {MOST_AGENTS} agents"
        yield AUDIT_UNTOLD.finding(
            Outcome.UNKNOWN,
            blocking=True,
            advice=missing.remedy or None,
            weight=len(nodes),
            nodes=nodes_in_words(nodes),
            why=why,
        )
