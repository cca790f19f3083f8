"""Every policy is one that the agent accepts; one that it refuses enforces nothing."""

from collections.abc import Iterator

from handlers.matrix.lints.ground import LintGround, finding
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


def invalid_policies(ground: LintGround) -> Iterator[Finding]:
    """Report policies that the agent refuses."""
    for status in (*ground.survey.policies.statuses, *ground.survey.cluster.refused):
        if not status.valid:
            pods = ground.pods(status.policy.namespace) or ground.pods()
            witness = ground.shown(Direction.INGRESS, pods, 0, Traffic(Protocol.TCP, 80))
            yield finding(
                LINT_INVALID_POLICY,
                Outcome.PROBLEM,
                Origin(status.policy, ""),
                witness=witness,
                weight=10,
                reason=status.reason,
            )
