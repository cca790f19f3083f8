"""``policy whatif``: what a change of policies or labels would cut and open."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.render.whole_cluster import comparison_json, comparison_text
from handlers.reach.cluster import Cluster
from handlers.reach.compare import ChangeKind, Comparison, compare
from handlers.reach.observed import FlowFate, FlowJudge, ObservedFlow, fates
from handlers.reach.proposal import LabelChange, Proposal, ProposalError, parse_reference, policies_among
from workers.cli.status import Status
from workers.policy_matrix_cli import opened
from workers.policy_matrix_cli.documents import documents_of, read_all
from workers.policy_matrix_cli.ends import Form, told
from workers.policy_matrix_cli.git_diff import proposal_of_range


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
    sysdump: opened.SysdumpOption = None,
    replay: opened.ReplayOption = None,
    case: opened.CaseOption = None,
    case_id: opened.CaseIdOption = None,
    context: opened.ContextOption = None,
    kubeconfig: opened.KubeconfigOption = None,
    hubble_server: opened.HubbleOption = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the answer.")] = Form.TEXT,
    budget: opened.BudgetOption = 60.0,
    since: opened.SinceOption = 10.0,
) -> None:
    """Show what a change would cut and open. Status 0: nothing; 1: something; 2: cannot tell; 64: not understood."""
    with told():
        proposals = _proposals(apply or [], delete or [], label or [], git, repository)
        place = opened.Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget, since)
        looked = place.look()
        after = looked.cluster
        for proposal in proposals:
            after = proposal.applied(after)
        compared = compare(looked.cluster, after)
        fated = _fates(looked.cluster, after, looked.flows)
    told_as = comparison_json if output is Form.JSON else comparison_text
    sys.stdout.write(told_as(compared, fated, None if looked.flows is None else len(looked.flows)))
    status = _status(compared, fated, fail_on, flows_known=looked.flows is not None)
    if status is not Status.FINE:
        raise typer.Exit(status)


def _proposals(
    apply: list[Path], delete: list[str], label: list[str], git: str | None, repository: Path
) -> list[Proposal]:
    """Give the change of each option, in the order: commits, deletions, files, labels."""
    proposals = [proposal_of_range(git, repository)] if git is not None else []
    stdin = Path("-")
    documents = list(read_all([path for path in apply if path != stdin]))
    if stdin in apply:
        documents.extend(documents_of(sys.stdin.buffer.read(), "standard input"))
    put = policies_among(documents)
    if apply and not put:
        raise ProposalError("there is no policy in what --apply names")
    changes = tuple(LabelChange.parse(text) for text in label)
    proposals.append(Proposal(put, tuple(parse_reference(text) for text in delete), changes))
    if git is None and not (put or delete or changes):
        raise ProposalError("name a change: --apply, --delete, --label or --git")
    return proposals


def _fates(before: Cluster, after: Cluster, flows: tuple[ObservedFlow, ...] | None) -> tuple[FlowFate, ...]:
    if not flows:
        return ()
    old, new = (FlowJudge(cluster, cluster.compiled()) for cluster in (before, after))
    return tuple(fates(flows, old, new))


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
