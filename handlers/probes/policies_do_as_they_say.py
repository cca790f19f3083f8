"""Every policy does what it looks to do.

The checks behind this claim are in ``handlers/lints``, one file each.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from handlers.commands.lint import LintPolicies
from handlers.lints import LINTS, LintContext, lint
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, code
from handlers.probes.probe import probe
from handlers.whole_cluster import CLUSTER_PARTS, state_of, whole_of

LINTED = code(
    "LINTED",
    meaning="How much the lints looked at.",
    template="Looked at {policies} polic{policies:y|ies} with {rules} rule{rules:|s}"
    " and at {flows} kind{flows:|s} of flows",
)
MORE_LINTS = code(
    "MORE_LINTS",
    meaning="There are more findings of one kind than a report holds.",
    template="{count} more findings are {lint}",
)
NO_SUCH_NAMESPACE = code(
    "NO_SUCH_NAMESPACE",
    meaning="The namespace that was asked about is not in the cluster.",
    template="There is no namespace {namespace} in the cluster",
    advice="Name one of the cluster's namespaces, or none for all policies.",
)
UNUSED_RULES_UNKNOWN = code(
    "UNUSED_RULES_UNKNOWN",
    meaning="No flows were read, so that no rule could be found unused.",
    template="Cannot tell which rules are unused: no flows were read",
)

MOST_OF_A_KIND = 200
"""Findings of one code in a report; the others are counted."""


@probe(
    answers=(LintPolicies,),
    codes=(LINTED, MORE_LINTS, NO_SUCH_NAMESPACE, UNUSED_RULES_UNKNOWN, *(one.code for one in LINTS)),
    uses=CLUSTER_PARTS,
    blocking=True,
)
def policies_do_as_they_say(question: LintPolicies, facts: Facts) -> Iterator[Finding]:
    """Report what the lints find, and how much they looked at."""
    whole, state = whole_of(question, facts), state_of(question, facts)
    if question.namespace and question.namespace not in {space.name for space in facts.namespaces}:
        yield NO_SUCH_NAMESPACE.finding(Outcome.UNKNOWN, blocking=True, namespace=question.namespace)
        return
    found = lint(LintContext(state, whole.flows))
    yield from _bounded(one for one in found if question.concerns(_namespace(one)))
    rules = [rule for rule in state.policies.rules if question.concerns(rule.origin.policy.namespace)]
    policies = {rule.origin.policy for rule in rules}
    if whole.flows is None:
        yield UNUSED_RULES_UNKNOWN.finding(Outcome.UNKNOWN)
    yield LINTED.finding(
        Outcome.FINE, weight=-1, policies=len(policies), rules=len(rules), flows=len(whole.flows or ())
    )


def _namespace(found: Finding) -> str:
    _kind, namespace, _name = found.evidence[0].ref.split("/", 2)
    return namespace


def _bounded(found: Iterable[Finding]) -> Iterator[Finding]:
    counts: Counter[tuple[str, Outcome]] = Counter()
    for one in found:
        counts[one.code, one.outcome] += 1
        if counts[one.code, one.outcome] <= MOST_OF_A_KIND:
            yield one
    for (lint_code, outcome), count in counts.items():
        if count > MOST_OF_A_KIND:
            yield MORE_LINTS.finding(outcome, count=count - MOST_OF_A_KIND, lint=lint_code)
