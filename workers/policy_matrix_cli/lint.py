"""``policy lint``: what is odd about the policies of a cluster."""

import json
import sys
from datetime import timedelta
from typing import Annotated

import typer

from handlers.commands.lint import LintPolicies
from handlers.lints import LINTS
from handlers.model.finding import Finding, Outcome
from handlers.model.report import Report
from workers.cli.options import (
    ContextOption,
    HubbleOption,
    KubeconfigOption,
    ReplayOption,
    SysdumpOption,
    VersionOption,
)
from workers.policy_matrix_cli.ends import Form, doubts, end_with, told
from workers.policy_matrix_cli.place import BudgetOption, CaseIdOption, CaseOption, Place, SinceOption
from workers.status import Status

_CODES = frozenset(one.code.name for one in LINTS)


def lint(
    sysdump: SysdumpOption = None,
    replay: ReplayOption = None,
    case: CaseOption = None,
    case_id: CaseIdOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    hubble_server: HubbleOption = None,
    cilium_version: VersionOption = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the answer.")] = Form.TEXT,
    notes: Annotated[bool, typer.Option("--notes/--no-notes", help="Also what is no problem by itself.")] = True,
    budget: BudgetOption = 60.0,
    since: SinceOption = 10.0,
) -> None:
    """Point out policies that do not do what they look to do. Status 1 when there is a problem, 2 in doubt."""
    with told():
        place = Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget, cilium_version)
        report = place.look(LintPolicies(since=timedelta(minutes=since))).report
    found = [one for one in report.findings if one.code in _CODES]
    shown = [one for one in found if notes or one.outcome is Outcome.PROBLEM]
    sys.stdout.write(_json(shown) if output is Form.JSON else _text(shown, report))
    end_with(report, Status.PROBLEM if any(one.outcome is Outcome.PROBLEM for one in shown) else Status.FINE)


def _json(shown: list[Finding]) -> str:
    rows = [
        {
            "code": one.code,
            "outcome": str(one.outcome),
            "text": one.text,
            "advice": one.advice,
            "policy": one.evidence[0].ref,
            "pointer": one.evidence[0].pointer,
            "witness": one.evidence[0].excerpt,
        }
        for one in shown
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _text(shown: list[Finding], report: Report) -> str:
    lines = []
    for one in shown:
        mark = "problem" if one.outcome is Outcome.PROBLEM else "note"
        lines.append(f"{mark}: {one.text} [{one.code}]")
        lines += [f"    {one.advice}"] * bool(one.advice)
    so_far = ", as far as it was read" if doubts(report) else ""
    lines.append(f"{len(shown) or 'Nothing'} found in {report.source}{so_far}{'' if shown else '.'}")
    return "\n".join(lines) + "\n"
