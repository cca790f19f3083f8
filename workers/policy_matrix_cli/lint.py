"""``policy lint``: what is odd about the policies of a cluster."""

import json
import sys
from typing import Annotated

import typer

from handlers.lints import LintContext
from handlers.lints import lint as lint_of
from handlers.model.finding import Outcome
from handlers.reach.state import State
from workers.cli.status import Status
from workers.policy_matrix_cli import opened
from workers.policy_matrix_cli.ends import Form, told


def lint(
    sysdump: opened.SysdumpOption = None,
    replay: opened.ReplayOption = None,
    case: opened.CaseOption = None,
    case_id: opened.CaseIdOption = None,
    context: opened.ContextOption = None,
    kubeconfig: opened.KubeconfigOption = None,
    hubble_server: opened.HubbleOption = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the answer.")] = Form.TEXT,
    notes: Annotated[bool, typer.Option("--notes/--no-notes", help="Also what is no problem by itself.")] = True,
    budget: opened.BudgetOption = 60.0,
    since: opened.SinceOption = 10.0,
) -> None:
    """Point out policies that do not do what they look to do. Status 1 when there is a problem."""
    with told():
        place = opened.Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget, since)
        looked = place.look()
        found = lint_of(LintContext(State.of(looked.cluster), looked.flows))
    shown = [one for one in found if notes or one.outcome is Outcome.PROBLEM]
    if output is Form.JSON:
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
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    else:
        for one in shown:
            mark = "problem" if one.outcome is Outcome.PROBLEM else "note"
            typer.echo(f"{mark}: {one.text} [{one.code}]")
            if one.advice:
                typer.echo(f"    {one.advice}")
        typer.echo(f"{len(shown)} found in {looked.title}" if shown else f"Nothing found in {looked.title}.")
    if any(one.outcome is Outcome.PROBLEM for one in shown):
        raise typer.Exit(Status.PROBLEM)
