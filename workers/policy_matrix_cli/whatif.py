"""``policy whatif``: what a change of policies or labels would cut and open."""

import sys
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
from handlers.reach.proposal import LabelChange, Proposal, ProposalError, parse_reference, policies_among, reference_of
from handlers.whole_cluster import whole_of
from workers.cli.options import (
    ContextOption,
    HubbleOption,
    KubeconfigOption,
    ReplayOption,
    SysdumpOption,
    VersionOption,
)
from workers.documents import documents_of, read_all
from workers.policy_matrix_cli.ends import Form, end_with, told
from workers.policy_matrix_cli.git_diff import proposal_of_range
from workers.policy_matrix_cli.place import BudgetOption, CaseIdOption, CaseOption, Place, SinceOption
from workers.status import Status


class FailOn(StrEnum):
    """What makes the status 1."""

    ANY = "any"
    CUT = "cut"
    OPENED = "opened"
    FLOWS = "flows"
    """Only an observed flow that would be cut."""


def whatif(
    apply: Annotated[
        list[Path] | None,
        typer.Option("--apply", "-f", help="Policies to add or replace: a file, a folder, or - for standard input."),
    ] = None,
    delete: Annotated[
        list[str] | None,
        typer.Option("--delete", help="A policy to delete: cnp/NAMESPACE/NAME, netpol/..., ccnp/..."),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help='Labels to change: "NAMESPACE/POD key=value key-" or "NAMESPACE key=value".'),
    ] = None,
    git: Annotated[
        str | None, typer.Option("--git", help="A range of commits whose changes of policies are the proposal: A..B.")
    ] = None,
    repository: Annotated[Path, typer.Option("--repository", help="Where the range is looked up.")] = Path(),
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="Which change makes the status 1.")] = FailOn.ANY,
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
    since: SinceOption = 10.0,
) -> None:
    """Show what a change would cut and open. Status 0: nothing; 1: something; 2: cannot tell; 64: not understood."""
    with told():
        question = WhatIf(
            _proposal(apply or [], delete or [], label or [], git, repository), since=timedelta(minutes=since)
        )
        looked = Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget, cilium_version).look(
            question
        )
        compared, fated = compared_of(question, looked.facts), fates_of(question, looked.facts)
        flows = whole_of(question, looked.facts).flows
    told_as = comparison_json if output is Form.JSON else comparison_text
    sys.stdout.write(told_as(compared, fated, None if flows is None else len(flows)))
    end_with(looked.report, _status(compared, fated, fail_on, flows_known=flows is not None))


def _proposal(apply: list[Path], delete: list[str], label: list[str], git: str | None, repository: Path) -> Proposal:
    """Put the change of each option together; what a range of commits says comes first."""
    ranged = proposal_of_range(git, repository) if git is not None else Proposal()
    stdin = Path("-")
    documents = list(read_all([path for path in apply if path != stdin]))
    if stdin in apply:
        documents.extend(documents_of(sys.stdin.buffer.read(), "standard input"))
    put = policies_among(documents)
    if apply and not put:
        raise ProposalError("there is no policy in what --apply names")
    changes = tuple(LabelChange.parse(text) for text in label)
    deleted = tuple(parse_reference(text) for text in delete)
    if git is None and not (put or deleted or changes):
        raise ProposalError("name a change: --apply, --delete, --label or --git")
    kept = tuple(manifest for manifest in ranged.put if reference_of(manifest) not in deleted)
    return Proposal((*kept, *put), tuple(dict.fromkeys((*ranged.delete, *deleted))), changes)


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
