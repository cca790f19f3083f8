"""``policy matrix``: who reaches whom in the whole cluster."""

from enum import StrEnum
from typing import Annotated

import typer

from bot.render.whole_cluster import as_dot, as_json, as_table
from handlers.commands.matrix import MatrixOf
from handlers.whole_cluster import state_of
from workers.cli.options import (
    ContextOption,
    HubbleOption,
    KubeconfigOption,
    ReplayOption,
    SysdumpOption,
    VersionOption,
)
from workers.policy_matrix_cli.ends import end_with, say, told
from workers.policy_matrix_cli.place import BudgetOption, CaseIdOption, CaseOption, Place
from workers.status import Status


class Picture(StrEnum):
    """How the matrix is drawn."""

    TABLE = "table"
    JSON = "json"
    DOT = "dot"


def matrix(
    sysdump: SysdumpOption = None,
    replay: ReplayOption = None,
    case: CaseOption = None,
    case_id: CaseIdOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    hubble_server: HubbleOption = None,
    cilium_version: VersionOption = None,
    output: Annotated[Picture, typer.Option("--output", "-o", help="Form of the matrix.")] = Picture.TABLE,
    budget: BudgetOption = 60.0,
) -> None:
    """Show who reaches whom: every identity, every port that policies distinguish."""
    question = MatrixOf()
    with told():
        looked = Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget, cilium_version).look(
            question
        )
        state = state_of(question, looked.facts)
    drawn = {Picture.TABLE: as_table, Picture.JSON: as_json, Picture.DOT: as_dot}[output](state)
    say(drawn, is_json=output is Picture.JSON)
    end_with(looked.report, Status.FINE)
