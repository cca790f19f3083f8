"""A valid policy with L7 rules selects pods, so that a proxy reads their requests."""

from collections.abc import Iterator

from handlers.commands.l7 import L7OfConnection, L7OfPolicy
from handlers.connection.l7_filters import L7Filter
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, statuses_of
from handlers.connection.trial import Trial
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.rule import Direction, PolicyStatus
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.names.spelling import nearest
from handlers.probes.probe import probe

L7_POLICY_UNKNOWN = code(
    "L7_POLICY_UNKNOWN",
    meaning="There is no policy of this name.",
    template="There is no policy {name}{near}",
    advice="Check the spelling and the namespace; a cluster-wide policy has none.",
)
L7_POLICY_INVALID = code(
    "L7_POLICY_INVALID",
    meaning="The agents refuse the policy, so that nothing of it is enforced, at L7 or below.",
    template="{policy} is invalid, so that nothing of it is enforced: {reason}",
    advice="Correct the policy; kubectl describe shows the agent's own message.",
)
L7_SELECTS_NOBODY = code(
    "L7_SELECTS_NOBODY",
    meaning="The policy has L7 rules, and selects no running pod.",
    template="{policy} selects no running pod, so that nobody's requests are read for it",
    advice="Compare its endpointSelector with the pods' labels.",
)
L7_NOTHING_TO_READ = code(
    "L7_NOTHING_TO_READ",
    meaning="No L7 rule is about what was asked: policy decides by address and port alone.",
    template="No L7 rule is about {about}: policy decides there by address and port alone",
)
L7_READS = code(
    "L7_READS",
    meaning="What an L7 rule lets pass, on which port of which pod.",
    template="{policy}: {parser} {direction} {pod} on {port}, and only {passes} passes",
)
MOST_LISTED = 8
"""Entries listed of each policy's rules."""


@probe(
    answers=(L7OfPolicy, L7OfConnection),
    codes=(L7_POLICY_UNKNOWN, L7_POLICY_INVALID, L7_SELECTS_NOBODY, L7_NOTHING_TO_READ, L7_READS),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.ENDPOINT_SLICES),
    hop=Hop.L7,
    blocking=True,
)
def l7_rules_apply(question: L7OfPolicy | L7OfConnection, facts: Facts) -> Iterator[Finding]:
    """Say what is read where; of a policy that does nothing, why."""
    filters = question.filters(facts)
    if isinstance(question, L7OfPolicy) and (ill := _ill(question, filters, facts)):
        yield ill
        return
    if isinstance(question, L7OfConnection):
        yield from _refused_beside(question, facts)
    if not filters:
        yield L7_NOTHING_TO_READ.finding(Outcome.NOT_APPLICABLE, hop=Hop.L7, about=question.called)
    told: dict[tuple[str, str], Finding] = {}
    for one in filters:
        told.setdefault((str(one.rule.origin), one.ports.pointer), _reads(one))
    yield from list(told.values())[:MOST_LISTED]


def _ill(question: L7OfPolicy, filters: tuple[L7Filter, ...], facts: Facts) -> Finding | None:
    mine = [policy for policy in facts.policies if _called(policy.namespace, policy.name) == question.called]
    if not mine:
        known = [_called(policy.namespace, policy.name) for policy in facts.policies]
        near = ", ".join(nearest(question.called, known, 3))
        return L7_POLICY_UNKNOWN.finding(
            Outcome.UNKNOWN, hop=Hop.L7, blocking=True, name=question.called, near=f"; there is {near}" if near else ""
        )
    for status in statuses_of(facts):
        if not status.enforced and _called(status.policy.namespace, status.policy.name) == question.called:
            return _invalid(status)
    if not filters and any("rules" in str(policy.manifest) for policy in mine):
        pods = [pod for pod in facts.pods if pod.is_running]
        return L7_SELECTS_NOBODY.finding(
            Outcome.PROBLEM if pods else Outcome.UNKNOWN,
            hop=Hop.L7,
            weight=90,
            evidence=[Evidence("kubernetes", mine[0].ref, "/spec/endpointSelector")],
            policy=mine[0].ref,
        )
    return None


def _refused_beside(question: L7OfConnection, facts: Facts) -> Iterator[Finding]:
    """Name policies with L7 rules in reach of both ends that agents refuse: nobody reads anything for them."""
    ends = needed(Trial(question.connection, facts).ends)
    spaces = {"", *(pod.namespace for end in (ends.source, ends.destination) for pod in end.pods)}
    spaces |= {end.service.namespace for end in (ends.source, ends.destination) if end.service}
    manifests = {policy.ref: str(policy.manifest.get("spec")) for policy in facts.policies}
    for status in statuses_of(facts):
        if not status.valid and status.policy.namespace in spaces and "rules" in manifests.get(str(status.policy), ""):
            yield _invalid(status)


def _invalid(status: PolicyStatus) -> Finding:
    return L7_POLICY_INVALID.finding(
        Outcome.PROBLEM,
        hop=Hop.L7,
        weight=100,
        evidence=[Evidence("kubernetes", str(status.policy), "/status/conditions")],
        follow_up=f"lint {status.policy.namespace}" if status.policy.namespace else "lint",
        policy=str(status.policy),
        reason=status.reason or status.ignored or "the agents refuse it",
    )


def _called(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _reads(one: L7Filter) -> Finding:
    return L7_READS.finding(
        Outcome.FINE,
        hop=Hop.L7,
        evidence=[Evidence("kubernetes", str(one.rule.origin.policy), f"{one.ports.pointer}/rules")],
        policy=str(one.rule.origin.policy),
        parser=one.rules.parser or str(one.rules.kind),
        direction="to" if one.direction is Direction.INGRESS else "from",
        pod=str(one.pod),
        port=one.on,
        passes=one.passes or ("nothing",),
    )
