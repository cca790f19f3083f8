"""Lints: what is odd about the policies of a cluster, each with a flow that shows it. One file is one lint."""

from collections.abc import Callable, Iterator

from handlers.lints.conflicting_rules import conflicting_rules
from handlers.lints.context import LintContext
from handlers.lints.empty_list import empty_lists
from handlers.lints.empty_rule import empty_rules
from handlers.lints.fqdn_without_dns_rule import names_never_learnt
from handlers.lints.icmp_type_zero import icmp_zeroes
from handlers.lints.invalid_policy import invalid_policies
from handlers.lints.label_not_in_identity import labels_kept_out
from handlers.lints.peer_selects_nobody import peers_that_are_nobody
from handlers.lints.port_name_ambiguous import port_names_ambiguous
from handlers.lints.port_name_unknown import port_names_unknown
from handlers.lints.selects_nobody import policies_for_nobody
from handlers.lints.service_matches_nothing import services_that_do_not_exist
from handlers.lints.service_port import service_ports
from handlers.lints.shadowed_policy import shadowed_policies
from handlers.lints.unused_rule import rules_never_used
from handlers.model.finding import Finding, Outcome

Lint = Callable[[LintContext], Iterator[Finding]]

LINTS: tuple[Lint, ...] = (
    invalid_policies,
    conflicting_rules,
    services_that_do_not_exist,
    policies_for_nobody,
    labels_kept_out,
    peers_that_are_nobody,
    names_never_learnt,
    port_names_unknown,
    port_names_ambiguous,
    service_ports,
    icmp_zeroes,
    empty_rules,
    empty_lists,
    shadowed_policies,
    rules_never_used,
)
"""Every lint, what matters most first."""


def lint(context: LintContext) -> tuple[Finding, ...]:
    """Run every lint: problems before notes, the weightier first, else in the order of the lints."""
    found = [finding for one in LINTS for finding in one(context)]
    return tuple(sorted(found, key=lambda one: (one.outcome is not Outcome.PROBLEM, -one.weight)))


__all__ = ["LINTS", "Lint", "LintContext", "lint"]
