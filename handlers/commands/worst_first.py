"""The order of answers that are lists: what hurts most stands first."""

from collections.abc import Iterable

from handlers.model.finding import Finding, Outcome

_ORDER = (Outcome.PROBLEM, Outcome.BROKEN, Outcome.UNKNOWN, Outcome.FINE, Outcome.NOT_APPLICABLE)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return problems before doubts before what is fine, heavier ones first within each."""
    return sorted(findings, key=lambda finding: (_ORDER.index(finding.outcome), -finding.weight, finding.text))
