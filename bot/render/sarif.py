"""Findings as SARIF 2.1.0, which shows them beside the lines of a pull request (OASIS, sarif-v2.1.0-os)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.render.clean import one_line
from handlers.model.finding import Code, Finding, Outcome

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Outcome.PROBLEM: "error",
    Outcome.BROKEN: "warning",
    Outcome.UNKNOWN: "warning",
    Outcome.NOT_APPLICABLE: "note",
}
"""What is fine is no result."""
_MOST_RESULTS = 5_000
"""GitHub shows that many of a run."""
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class FileLine:
    """A line of a file, from 1; its path counts from the repository's root."""

    path: str
    line: int = 1


def sarif(
    findings: Iterable[Finding], place_of: Callable[[Finding], FileLine], codes: Iterable[Code], *, version: str
) -> dict[str, Any]:
    """Return one run with a result for each finding that is not fine, the worst first, and a rule for each code."""
    shown = sorted((one for one in findings if one.outcome in _LEVELS), key=lambda one: one.outcome.order)
    said = {one.code for one in shown}
    rules = [_rule(code) for code in codes if code.name in said]
    driver = {"name": "cilium-triage", "version": version, "rules": rules}
    results = [_result(one, place_of(one)) for one in shown[:_MOST_RESULTS]]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(code: Code) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code.name, "shortDescription": {"text": one_line(code.meaning)}}
    return rule | ({"help": {"text": one_line(code.advice)}} if code.advice else {})


def _result(finding: Finding, place: FileLine) -> dict[str, Any]:
    words = " ".join(filter(None, (_ended(one_line(finding.text)), one_line(finding.advice))))
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": place.path},
            "region": {"startLine": place.line},
        }
    }
    about = [one for one in finding.evidence if one.ref]
    if about:
        name = one_line(f"{about[0].ref}{about[0].pointer}")[:_LONGEST]
        location["logicalLocations"] = [{"fullyQualifiedName": name}]
    return {
        "ruleId": finding.code,
        "level": _LEVELS[finding.outcome],
        "message": {"text": words[:_LONGEST]},
        "locations": [location],
    }


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
