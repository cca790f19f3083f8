"""Every policy is one that the agent accepts; one that it refuses enforces nothing."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Direction, Origin
from handlers.model.traffic import Protocol, Traffic

LINT_INVALID_POLICY = code(
    "LINT_INVALID_POLICY",
    meaning="The agent refuses the policy, so that nothing of it is enforced; the object stays in the cluster all the"
    " same, with the condition Valid=False.",
    template="{policy} is refused by the agent ({reason}), so nothing of it is enforced: {witness}",
    advice="Correct the policy, and look at its condition Valid.",
)


def invalid_policies(context: LintContext) -> Iterator[Finding]:
    """Report policies that the agent refuses."""
    for status in (*context.state.policies.statuses, *context.state.cluster.refused):
        if not status.valid:
            pods = context.pods(status.policy.namespace) or context.pods()
            witness = context.shown(Direction.INGRESS, pods, 0, Traffic(Protocol.TCP, 80))
            yield finding(
                LINT_INVALID_POLICY,
                Outcome.PROBLEM,
                Origin(status.policy, ""),
                witness=witness,
                weight=10,
                reason=status.reason,
            )
