"""``policy lint``: what is odd about the policies of a cluster."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot.render.clean import one_line
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
from workers.policy_matrix_cli.change import ApplyOption, Change, DeleteOption, GitOption, LabelOption, RepositoryOption
from workers.policy_matrix_cli.ends import doubts, end_with, say, told
from workers.policy_matrix_cli.gate import GateForm, PoliciesOption, comment, marks, places_of, uri_of
from workers.policy_matrix_cli.place import BudgetOption, CaseIdOption, CaseOption, Place, SinceOption
from workers.status import Status

_CODES = frozenset(one.code.name for one in LINTS)


def lint(
    apply: ApplyOption = None,
    delete: DeleteOption = None,
    label: LabelOption = None,
    git: GitOption = None,
    repository: RepositoryOption = Path(),
    policies: PoliciesOption = None,
    sysdump: SysdumpOption = None,
    replay: ReplayOption = None,
    case: CaseOption = None,
    case_id: CaseIdOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    hubble_server: HubbleOption = None,
    cilium_version: VersionOption = None,
    output: Annotated[GateForm, typer.Option("--output", "-o", help="Form of the answer.")] = GateForm.TEXT,
    notes: Annotated[bool, typer.Option("--notes/--no-notes", help="Also what is no problem by itself.")] = True,
    budget: BudgetOption = 60.0,
    since: SinceOption = 10.0,
) -> None:
    """Point out policies that do not do what they look to do, of a cluster or of a change applied to it.

    Status 1 when there is a problem, 2 in doubt.
    """
    with told():
        place = Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget, cilium_version)
        proposal = Change(apply or (), delete or (), label or (), git, repository).proposal()
        report = place.look(LintPolicies(since=timedelta(minutes=since)), proposal).report
        places = places_of(policies)
    found = [one for one in report.findings if one.code in _CODES]
    shown = [one for one in found if notes or one.outcome is Outcome.PROBLEM]
    match output:
        case GateForm.JSON:
            say(_json(shown), is_json=True)
        case GateForm.MARKDOWN:
            say(comment(report))
        case GateForm.SARIF:
            say(marks(shown, places, uri_of(policies or Path())), is_json=True)
        case _:
            say(_text(shown, report))
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
        lines.append(f"{mark}: {one_line(one.text)} [{one.code}]")
        lines += [f"    {one.advice}"] * bool(one.advice)
    so_far = ", as far as it was read" if doubts(report) else ""
    lines.append(f"{len(shown) or 'Nothing'} found in {report.source}{so_far}{'' if shown else '.'}")
    return "\n".join(lines) + "\n"
