"""``policy matrix``: who reaches whom in the whole cluster."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from bot.render.whole_cluster import as_dot, as_json, as_table
from handlers.reach.state import State
from workers.policy_matrix_cli import opened
from workers.policy_matrix_cli.ends import told


class Picture(StrEnum):
    """How the matrix is drawn."""

    TABLE = "table"
    JSON = "json"
    DOT = "dot"


def matrix(
    sysdump: opened.SysdumpOption = None,
    replay: opened.ReplayOption = None,
    case: opened.CaseOption = None,
    case_id: opened.CaseIdOption = None,
    context: opened.ContextOption = None,
    kubeconfig: opened.KubeconfigOption = None,
    hubble_server: opened.HubbleOption = None,
    output: Annotated[Picture, typer.Option("--output", "-o", help="Form of the matrix.")] = Picture.TABLE,
    budget: opened.BudgetOption = 60.0,
) -> None:
    """Show who reaches whom: every identity, every port that policies distinguish."""
    with told():
        looked = opened.Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget).look()
        state = State.of(looked.cluster)
        drawn = {Picture.TABLE: as_table, Picture.JSON: as_json, Picture.DOT: as_dot}[output](state)
    sys.stdout.write(drawn)
