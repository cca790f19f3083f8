"""``policy whatif``: what a change of policies or labels would cut and open."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.render.whole_cluster import comparison_json, comparison_text
from handlers.commands.whatif import WhatIf
from handlers.probes.change_cuts_nothing import compared_of, fates_of
from handlers.reach.compare import ChangeKind, Comparison
from handlers.reach.observed import FlowFate
from handlers.reach.proposal import ProposalError
from handlers.whole_cluster import whole_of
from workers.cli.options import (
    ContextOption,
    HubbleOption,
    KubeconfigOption,
    ReplayOption,
    SysdumpOption,
    VersionOption,
)
from workers.policy_matrix_cli.change import ApplyOption, Change, DeleteOption, GitOption, LabelOption, RepositoryOption
from workers.policy_matrix_cli.ends import end_with, say, told
from workers.policy_matrix_cli.gate import comment
from workers.policy_matrix_cli.place import BudgetOption, CaseIdOption, CaseOption, Place, SinceOption
from workers.status import Status


class FailOn(StrEnum):
    """What makes the status 1."""

    ANY = "any"
    CUT = "cut"
    OPENED = "opened"
    FLOWS = "flows"
    """Only an observed flow that would be cut."""


class ChangeForm(StrEnum):
    """How the answer is printed; ``markdown`` is a comment of a pull request."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def whatif(
    apply: ApplyOption = None,
    delete: DeleteOption = None,
    label: LabelOption = None,
    git: GitOption = None,
    repository: RepositoryOption = Path(),
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="Which change makes the status 1.")] = FailOn.ANY,
    sysdump: SysdumpOption = None,
    replay: ReplayOption = None,
    case: CaseOption = None,
    case_id: CaseIdOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    hubble_server: HubbleOption = None,
    cilium_version: VersionOption = None,
    output: Annotated[ChangeForm, typer.Option("--output", "-o", help="Form of the answer.")] = ChangeForm.TEXT,
    budget: BudgetOption = 60.0,
    since: SinceOption = 10.0,
) -> None:
    """Show what a change would cut and open. Status 0: nothing; 1: something; 2: cannot tell; 64: not understood."""
    with told():
        proposal = Change(apply or (), delete or (), label or (), git, repository).proposal()
        if proposal is None:
            raise ProposalError("name a change: --apply, --delete, --label or --git")
        question = WhatIf(proposal, since=timedelta(minutes=since))
        looked = Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget, cilium_version).look(
            question
        )
        compared, fated = compared_of(question, looked.facts), fates_of(question, looked.facts)
        flows = whole_of(question, looked.facts).flows
    seen = None if flows is None else len(flows)
    match output:
        case ChangeForm.JSON:
            say(comparison_json(compared, fated, seen), is_json=True)
        case ChangeForm.MARKDOWN:
            say(comment(looked.report))
        case ChangeForm.TEXT:
            say(comparison_text(compared, fated, seen))
    end_with(looked.report, _status(compared, fated, fail_on, flows_known=flows is not None))


def _status(compared: Comparison, fated: tuple[FlowFate, ...], fail_on: FailOn, *, flows_known: bool) -> Status:
    cut, opened_ = compared.of_kind(ChangeKind.CUT), compared.of_kind(ChangeKind.OPENED)
    requests = compared.of_kind(ChangeKind.REQUESTS)
    failing = {
        FailOn.ANY: bool(cut or opened_ or requests),
        FailOn.CUT: bool(cut or requests),
        FailOn.OPENED: bool(opened_ or requests),
        FailOn.FLOWS: any(fate.is_cut for fate in fated),
    }[fail_on]
    if failing or compared.refused:
        return Status.PROBLEM
    if compared.of_kind(ChangeKind.DOUBT) or compared.gaps or (fail_on is FailOn.FLOWS and not flows_known):
        return Status.UNKNOWN
    return Status.FINE
