"""Every allow rule was used by some flow that Hubble saw."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Effect, Origin
from handlers.reach.observed import FlowJudge

LINT_UNUSED_RULE = code(
    "LINT_UNUSED_RULE",
    meaning="No flow that Hubble saw in the window needed this rule. That proves nothing beyond the window: rare jobs,"
    " and traffic that Hubble lost, are not in it.",
    template="{policy} allows something that none of the {count} kinds of flows seen used ({place}); it would let pass:"
    " {witness}",
    advice="Look at a longer window before removing it.",
)


def rules_never_used(context: LintContext) -> Iterator[Finding]:
    """Note allow rules that no observed flow rests on; nothing when nobody looked, or nothing was seen."""
    if not context.flows:
        return
    judge = FlowJudge(context.state.cluster, context.state.policies)
    used: set[Origin] = set()
    for flow in context.flows:
        both = judge.decide(flow)
        for side in both or ():
            used.update(side.rules)
            used.update(side.also_rules)
    for rule in context.rules:
        if rule.effect is Effect.ALLOW and rule.origin not in used and context.peers(rule):
            witness = context.witness(rule)
            count = str(len(context.flows))
            yield finding(LINT_UNUSED_RULE, Outcome.FINE, rule.origin, witness=witness, count=count)
