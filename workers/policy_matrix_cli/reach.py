"""``policy reach X``: who can reach X, and what X can reach."""

from typing import Annotated

import typer

from bot.render.whole_cluster import reach_json, reach_text
from handlers.commands.reach import Ways, WhoReaches
from handlers.reach.contacts import reach as reach_of
from handlers.reach.end_names import ends_named
from handlers.reach.roster import Roster
from handlers.whole_cluster import state_of
from workers.cli.options import (
    ContextOption,
    HubbleOption,
    KubeconfigOption,
    ReplayOption,
    SysdumpOption,
    VersionOption,
)
from workers.policy_matrix_cli.ends import Form, end_with, say, told
from workers.policy_matrix_cli.place import BudgetOption, CaseIdOption, CaseOption, Place
from workers.status import Status


def reach(
    end: Annotated[str, typer.Argument(help="namespace/name, namespace/*, an entity, an address or a DNS name.")],
    way: Annotated[Ways, typer.Option("--way", help="Who can reach it (from), what it can reach (to), or both.")] = (
        Ways.BOTH
    ),
    sysdump: SysdumpOption = None,
    replay: ReplayOption = None,
    case: CaseOption = None,
    case_id: CaseIdOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    hubble_server: HubbleOption = None,
    cilium_version: VersionOption = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the answer.")] = Form.TEXT,
    budget: BudgetOption = 60.0,
) -> None:
    """Show who can reach an end and what it can reach, by port and rule."""
    question = WhoReaches(end, way)
    with told():
        ends_named(end, Roster(()))
        looked = Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget, cilium_version).look(
            question
        )
        state = state_of(question, looked.facts)
    found = [reach_of(state, number, way.single) for number in ends_named(end, state.roster)]
    if found:
        is_json = output is Form.JSON
        say(reach_json(found) if is_json else reach_text(found), is_json=is_json)
    end_with(looked.report, Status.FINE)
