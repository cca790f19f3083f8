"""``policy reach X``: who can reach X, and what X can reach."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from bot.render.whole_cluster import reach_json, reach_text
from handlers.reach.contacts import Way
from handlers.reach.contacts import reach as reach_of
from handlers.reach.end_names import ends_named
from handlers.reach.state import State
from workers.cli.status import Status
from workers.policy_matrix_cli import opened
from workers.policy_matrix_cli.ends import Form, told


class Ways(StrEnum):
    """Which way to look."""

    BOTH = "both"
    FROM = "from"
    TO = "to"


_WAYS = {Ways.BOTH: tuple(Way), Ways.FROM: (Way.FROM,), Ways.TO: (Way.TO,)}


def reach(
    end: Annotated[str, typer.Argument(help="namespace/name, namespace/*, an entity, an address or a DNS name.")],
    way: Annotated[Ways, typer.Option("--way", help="Who can reach it (from), what it can reach (to), or both.")] = (
        Ways.BOTH
    ),
    sysdump: opened.SysdumpOption = None,
    replay: opened.ReplayOption = None,
    case: opened.CaseOption = None,
    case_id: opened.CaseIdOption = None,
    context: opened.ContextOption = None,
    kubeconfig: opened.KubeconfigOption = None,
    hubble_server: opened.HubbleOption = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the answer.")] = Form.TEXT,
    budget: opened.BudgetOption = 60.0,
) -> None:
    """Show who can reach an end and what it can reach, by port and rule."""
    with told():
        looked = opened.Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget).look()
        state = State.of(looked.cluster)
        numbers = ends_named(end, state.roster)
        found = [reach_of(state, number, _WAYS[way]) for number in numbers]
    if not found:
        typer.echo(f"cilium-triage: nothing in {looked.title} is called {end}", err=True)
        raise typer.Exit(Status.UNKNOWN)
    sys.stdout.write(reach_json(found) if output is Form.JSON else reach_text(found))
