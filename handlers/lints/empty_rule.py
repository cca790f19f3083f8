"""An empty rule says what its author meant: in Cilium's kinds it allows nobody, in a NetworkPolicy everybody."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.policy_kind import PolicyKind
from handlers.model.rule import Effect, Rule

LINT_EMPTY_RULE = code(
    "LINT_EMPTY_RULE",
    meaning="An item {} in a list of rules. In CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy it matches"
    " nothing and only switches default deny on; in a NetworkPolicy the same text allows everybody.",
    template="{policy} has the empty rule {place}, which {effect}: {witness}",
    advice="To allow everybody, write fromEntities or toEntities: [all]; beside other rules, remove the item.",
)


def empty_rules(context: LintContext) -> Iterator[Finding]:
    """Report ``{}`` items: a problem beside other rules or without default deny, else a note, as the idiom is used."""
    for rule in context.rules:
        if rule.origin.policy.kind == PolicyKind.NETWORK_POLICY or not rule.is_empty or rule.unresolved_services:
            continue
        beside = [
            other
            for other in context.rules
            if other is not rule
            and other.subject == rule.subject
            and other.direction is rule.direction
            and other.origin.policy == rule.origin.policy
        ]
        does_nothing = not rule.default_deny or rule.effect is Effect.DENY or bool(beside)
        yield finding(
            LINT_EMPTY_RULE,
            Outcome.PROBLEM if does_nothing else Outcome.FINE,
            rule.origin,
            witness=context.witness(rule, peers=context.pods()),
            effect=_effect(rule, does_nothing),
        )


def _effect(rule: Rule, does_nothing: bool) -> str:
    return (
        "matches nobody and adds nothing" if does_nothing else f"denies all {rule.direction} that no other rule allows"
    )
