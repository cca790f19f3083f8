"""No packet passes only because of audit mode.

Hubble names the policy of an explicit deny only; for a default deny it is computed here, from the policies as they
stand and the labels that the flow carried.
"""

from collections.abc import Iterator

from handlers.audit.audited import local_endpoints
from handlers.commands.audit import Audit
from handlers.connection.coverage import coverage_of, nodes_in_words
from handlers.connection.drop_causes import decision_on, owners_of
from handlers.connection.drop_groups import DropGroup, drop_groups
from handlers.connection.drop_words import follow_up_of, told
from handlers.connection.observation import clock
from handlers.connection.policies import POLICY_OPTIONAL_PARTS
from handlers.connection.policy_findings import policies_named
from handlers.model.decision import Decision, Verdict
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import FlowDirection
from handlers.model.parts import Part
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

AUDIT_WOULD_CUT = code(
    "AUDIT_WOULD_CUT",
    meaning="Packets of one pair passed only because of audit mode: enforcing would cut them.",
    template="{count} × {source} → {destination} on {port} passed with verdict AUDIT: would be denied by {policies}",
    advice="Allow the pair, or see that it is meant to be cut, before audit mode is turned off.",
)
AUDIT_NO_LONGER = code(
    "AUDIT_NO_LONGER",
    meaning="Packets of one pair passed because of audit mode, and the policies as they stand now allow them.",
    template="{count} × {source} → {destination} on {port} passed with verdict AUDIT until {at}, now policies allow it",
)
AUDIT_FLOWS_NOT_HEARD = code(
    "AUDIT_FLOWS_NOT_HEARD",
    meaning="Flows of some nodes could not be read, so more may pass only because of audit mode.",
    template="what passes only because of audit mode on {nodes} was not heard",
    advice="Look at the agents of these nodes and at hubble-relay (health), then ask again.",
)
_MOST_GROUPS = 20
_UNTOLD = "a policy that could not be told"


@probe(
    answers=(Audit,),
    codes=(AUDIT_WOULD_CUT, AUDIT_NO_LONGER, AUDIT_FLOWS_NOT_HEARD),
    needs=(*PARTS, Part.FLOWS),
    uses=(Part.AGENT_ENDPOINTS, Part.CONFIG, Part.POLICIES, *OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS),
)
def audit_hides_no_denial(question: Audit, facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each pair that passed only because of audit mode, and the nodes that were not heard."""
    flows = [flow for flow in facts.flows.flows if question.about.means(flow)]
    groups = [group for group in drop_groups(flows, owners_of(facts)) if group.is_audit]
    for group in groups[:_MOST_GROUPS]:
        yield _of_pair(group, facts)
    silent = coverage_of(facts.flows, question.about.seen_by(facts.nodes)).silent
    if silent and any(one.audits for one in local_endpoints(question.namespace, facts)):
        yield AUDIT_FLOWS_NOT_HEARD.finding(Outcome.UNKNOWN, nodes=nodes_in_words(silent))


def _of_pair(group: DropGroup, facts: Facts) -> Finding:
    attempted = attempt(lambda: decision_on(group, facts))
    decision = None if isinstance(attempted, Lacking) else attempted
    is_allowed = decision is not None and decision.verdict is Verdict.ALLOWED
    pair = told(group)
    return (AUDIT_NO_LONGER if is_allowed else AUDIT_WOULD_CUT).finding(
        Outcome.FINE if is_allowed else Outcome.PROBLEM,
        hop=Hop.EGRESS_POLICY if group.direction is FlowDirection.EGRESS else Hop.INGRESS_POLICY,
        evidence=[
            *(Evidence("kubernetes", ref) for ref in _refs(decision)),
            Evidence("hubble", f"Node//{group.example.node}", at=group.last_at, excerpt="verdict AUDIT"),
        ],
        follow_up=follow_up_of(group),
        weight=group.count,
        count=group.count,
        source=pair.source,
        destination=pair.destination,
        port=pair.port,
        policies=_named(group, decision),
        at=clock(group.last_at),
    )


def _refs(decision: Decision | None) -> tuple[str, ...]:
    if decision is None or decision.verdict is not Verdict.DENIED:
        return ()
    return tuple(dict.fromkeys(str(origin.policy) for origin in decision.default_deny_by or decision.rules))


def _named(group: DropGroup, decision: Decision | None) -> tuple[str, ...]:
    if group.example.denied_by:
        return tuple(f"{policy.kind} {policy.namespace}/{policy.name}" for policy in group.example.denied_by)
    return policies_named(decision) if decision and decision.verdict is Verdict.DENIED else (_UNTOLD,)
