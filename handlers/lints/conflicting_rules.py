"""No two rules of one endpoint contradict each other in what the proxy is to do."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Direction
from handlers.reach.bits import members

LINT_CONFLICTING_RULES = code(
    "LINT_CONFLICTING_RULES",
    meaning="Rules for the same peer and port want different proxies, listeners, TLS contexts or authentication. The"
    " agent cannot build the policy of the endpoint and keeps the one that it had before, while all policies show"
    " Valid=True (pkg/endpoint/policy.go).",
    template="The rules {rules} contradict each other for {subject} ({what}), so the agent keeps its previous policy:"
    " {witness}",
    advice="Make the rules agree, or give them different ports.",
)


def conflicting_rules(context: LintContext) -> Iterator[Finding]:
    """Report each contradiction once, with one endpoint that it hits."""
    state = context.state
    traffic = state.classes[0].sample
    reached = state.at(traffic)
    hit = 0
    for number, (out, into) in enumerate(zip(reached.egress, reached.ingress, strict=True)):
        hit |= into.conflicting | ((1 << number) if out.conflicting else 0)
    seen = set()
    for number, direction in ((number, direction) for number in members(hit) for direction in Direction):
        party = state.matrix.parties[number]
        outcome, _ = state.policies.outcome(direction, party, party, traffic)
        conflict = outcome.conflict
        if conflict is None or conflict in seen or not conflict.rules:
            continue
        seen.add(conflict)
        rules = dict.fromkeys(f"{one.policy.short}{one.pointer}" for one in conflict.rules)
        yield finding(
            LINT_CONFLICTING_RULES,
            Outcome.PROBLEM,
            conflict.rules[0],
            witness=context.shown(direction, 1 << number, 0, traffic),
            weight=10,
            rules=", ".join(rules),
            subject=str(state.roster.ends[number]),
            what=conflict.what,
        )
