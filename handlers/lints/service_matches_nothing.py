"""Every Service that a rule names exists."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import PeerScope

LINT_SERVICE_MATCHES_NOTHING = code(
    "LINT_SERVICE_MATCHES_NOTHING",
    meaning="toServices names a Service that does not exist. Without toPorts such a rule allows nothing; with toPorts"
    " and no other Service found, the agent forgets the peer part, and the rule opens its ports to everybody"
    " (cilium#20067).",
    template="{policy} names the Service {services} ({place}), which does not exist, so the rule {effect}: {witness}",
    advice="Correct the name, or name the destination by labels (toEndpoints) or addresses (toCIDR).",
)


def services_that_do_not_exist(context: LintContext) -> Iterator[Finding]:
    """Report toServices entries that no Service answers to."""
    for rule in context.rules:
        if not rule.unresolved_services:
            continue
        opens = rule.scope is PeerScope.UNRESTRICTED and bool(rule.ports)
        effect = "opens its ports to everybody" if opens else "does not allow what it says"
        outside = sum(1 << number for number, end in enumerate(context.state.roster.ends) if end.party.is_outside)
        yield finding(
            LINT_SERVICE_MATCHES_NOTHING,
            Outcome.PROBLEM,
            rule.origin.at("toServices"),
            witness=context.witness(rule, peers=outside),
            weight=10 if opens else 0,
            services=", ".join(rule.unresolved_services),
            effect=effect,
        )
