"""Every policy selects somebody to protect."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Origin, SubjectKind

LINT_SELECTS_NOBODY = code(
    "LINT_SELECTS_NOBODY",
    meaning="No endpoint of the cluster matches the subject selector of the policy: it protects nobody.",
    template="{policy} selects no endpoint with {selector} ({place}), so it protects nobody: {witness}",
    advice="Compare the selector with the labels of the pods that it was written for, or remove the policy.",
)


def policies_for_nobody(context: LintContext) -> Iterator[Finding]:
    """Report each subject selector that selects nobody, once."""
    seen = set()
    for rule in context.rules:
        origin = Origin(rule.origin.policy, rule.subject.pointer)
        if origin in seen or context.subjects(rule):
            continue
        seen.add(origin)
        selector = str(rule.subject.selector)
        if rule.subject.kind is SubjectKind.NODES and not context.state.policies.config.host_firewall:
            selector += " while the host firewall is off"
        yield finding(LINT_SELECTS_NOBODY, Outcome.PROBLEM, origin, witness=context.witness(rule), selector=selector)
