"""The agents accept every policy.

A policy that is refused enforces nothing, and its owner seldom notices.
"""

from collections.abc import Iterator

from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, statuses_of
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.question import AboutNodes
from handlers.policy.regexp import INSTALL_RE2
from handlers.probes.probe import probe

POLICY_REFUSED = code(
    "POLICY_REFUSED",
    meaning="A policy is invalid, so the agents enforce nothing of it.",
    template="{policy} is refused and enforces nothing: {reason}",
    advice="Correct the policy.",
)
POLICY_NOT_JUDGED = code(
    "POLICY_NOT_JUDGED",
    meaning="It could not be told whether the agents accept a policy: RE2, which judges its expressions, is missing.",
    template="It cannot be told whether {policy} is valid: {reason}",
    advice=INSTALL_RE2,
)
POLICIES_ACCEPTED = code(
    "POLICIES_ACCEPTED",
    meaning="Every policy is valid.",
    template="{count} polic{count:y is|ies are} valid",
)


@probe(
    answers=(AboutNodes,),
    codes=(POLICY_REFUSED, POLICY_NOT_JUDGED, POLICIES_ACCEPTED),
    needs=POLICY_PARTS,
    uses=POLICY_OPTIONAL_PARTS,
    blocking=True,
)
def health_policies_valid(_question: AboutNodes, facts: Facts) -> Iterator[Finding]:
    """Judge every policy as the agent's sanitizer does."""
    statuses = statuses_of(facts)
    refused = [status for status in statuses if not status.valid]
    for status in refused:
        yield POLICY_REFUSED.finding(
            Outcome.PROBLEM,
            evidence=[Evidence("kubernetes", str(status.policy), "/spec")],
            weight=62,
            policy=f"{status.policy.kind} {status.policy.short}",
            reason=status.reason,
        )
    unjudged = [status for status in statuses if status.unjudged]
    for status in unjudged:
        yield POLICY_NOT_JUDGED.finding(
            Outcome.UNKNOWN,
            evidence=[Evidence("kubernetes", str(status.policy), "/spec")],
            policy=f"{status.policy.kind} {status.policy.short}",
            reason=status.unjudged,
        )
    if statuses and not refused and not unjudged:
        yield POLICIES_ACCEPTED.finding(Outcome.FINE, count=len(statuses))
