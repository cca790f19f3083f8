"""Lints: what is odd about the policies of a cluster, each with a flow that shows it. One file is one lint."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from handlers.lints.cidr_of_pods import LINT_CIDR_OF_PODS, cidrs_of_pods
from handlers.lints.conflicting_rules import LINT_CONFLICTING_RULES, conflicting_rules
from handlers.lints.context import LintContext
from handlers.lints.empty_list import LINT_EMPTY_LIST, empty_lists
from handlers.lints.empty_rule import LINT_EMPTY_RULE, empty_rules
from handlers.lints.fqdn_without_dns_rule import LINT_FQDN_WITHOUT_DNS_RULE, names_never_learnt
from handlers.lints.icmp_type_zero import LINT_ICMP_TYPE_ZERO, icmp_zeroes
from handlers.lints.invalid_policy import LINT_INVALID_POLICY, invalid_policies
from handlers.lints.label_not_in_identity import LINT_LABEL_NOT_IN_IDENTITY, labels_kept_out
from handlers.lints.peer_selects_nobody import LINT_PEER_SELECTS_NOBODY, peers_that_are_nobody
from handlers.lints.port_name_ambiguous import LINT_PORT_NAME_AMBIGUOUS, port_names_ambiguous
from handlers.lints.port_name_unknown import LINT_PORT_NAME_UNKNOWN, port_names_unknown
from handlers.lints.selects_nobody import LINT_SELECTS_NOBODY, policies_for_nobody
from handlers.lints.service_matches_nothing import LINT_SERVICE_MATCHES_NOTHING, services_that_do_not_exist
from handlers.lints.service_port import LINT_SERVICE_PORT, service_ports
from handlers.lints.shadowed_policy import LINT_SHADOWED_POLICY, shadowed_policies
from handlers.lints.unused_rule import LINT_UNUSED_RULE, rules_never_used
from handlers.model.finding import Code, Finding, Outcome


@dataclass(frozen=True, slots=True)
class Lint:
    """One lint: the code of all its findings, and what makes them."""

    code: Code
    check: Callable[[LintContext], Iterator[Finding]]
    is_of_the_policy: bool = False
    """Whether what it finds holds whatever pods and policies there are in namespaces that were not read."""


LINTS: tuple[Lint, ...] = (
    Lint(LINT_INVALID_POLICY, invalid_policies),
    Lint(LINT_CONFLICTING_RULES, conflicting_rules, is_of_the_policy=True),
    Lint(LINT_SERVICE_MATCHES_NOTHING, services_that_do_not_exist),
    Lint(LINT_SELECTS_NOBODY, policies_for_nobody),
    Lint(LINT_LABEL_NOT_IN_IDENTITY, labels_kept_out, is_of_the_policy=True),
    Lint(LINT_PEER_SELECTS_NOBODY, peers_that_are_nobody),
    Lint(LINT_CIDR_OF_PODS, cidrs_of_pods),
    Lint(LINT_FQDN_WITHOUT_DNS_RULE, names_never_learnt, is_of_the_policy=True),
    Lint(LINT_PORT_NAME_UNKNOWN, port_names_unknown),
    Lint(LINT_PORT_NAME_AMBIGUOUS, port_names_ambiguous),
    Lint(LINT_SERVICE_PORT, service_ports),
    Lint(LINT_ICMP_TYPE_ZERO, icmp_zeroes, is_of_the_policy=True),
    Lint(LINT_EMPTY_RULE, empty_rules, is_of_the_policy=True),
    Lint(LINT_EMPTY_LIST, empty_lists, is_of_the_policy=True),
    Lint(LINT_SHADOWED_POLICY, shadowed_policies),
    Lint(LINT_UNUSED_RULE, rules_never_used),
)
"""Every lint, what matters most first. A new one is a file in this package and a line here."""


def lint(context: LintContext, lints: tuple[Lint, ...] = LINTS) -> tuple[Finding, ...]:
    """Run lints, all unless told: problems before notes, the weightier first, else in the order of the lints."""
    found = [finding for one in lints for finding in one.check(context)]
    return tuple(sorted(found, key=lambda one: (one.outcome is not Outcome.PROBLEM, -one.weight)))


__all__ = ["LINTS", "Lint", "LintContext", "lint"]
