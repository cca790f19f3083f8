"""``policy check CONTRACT.yaml``: whether a cluster keeps a reachability contract."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bot.render.clean import one_line
from handlers.commands.check import CheckContract
from handlers.contract import Checked, ContractError, Result, read_contract
from handlers.contract import check as check_lines
from handlers.whole_cluster import state_of
from workers.cli.options import (
    ContextOption,
    HubbleOption,
    KubeconfigOption,
    ReplayOption,
    SysdumpOption,
    VersionOption,
)
from workers.documents import UnreadableError, read_all
from workers.policy_matrix_cli.change import ApplyOption, Change, DeleteOption, GitOption, LabelOption, RepositoryOption
from workers.policy_matrix_cli.ends import end_with, say, told
from workers.policy_matrix_cli.gate import GateForm, comment, marks, uri_of
from workers.policy_matrix_cli.place import BudgetOption, CaseIdOption, CaseOption, Place
from workers.status import status_of


def check(
    contract: Annotated[Path, typer.Argument(help="The contract: a YAML file with the lists allow and deny.")],
    apply: ApplyOption = None,
    delete: DeleteOption = None,
    label: LabelOption = None,
    git: GitOption = None,
    repository: RepositoryOption = Path(),
    sysdump: SysdumpOption = None,
    replay: ReplayOption = None,
    case: CaseOption = None,
    case_id: CaseIdOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    hubble_server: HubbleOption = None,
    cilium_version: VersionOption = None,
    output: Annotated[GateForm, typer.Option("--output", "-o", help="Form of the answer.")] = GateForm.TEXT,
    budget: BudgetOption = 60.0,
) -> None:
    """Check a contract, of a cluster or of a change applied to it.

    Status 0: it holds; 1: a line is broken; 2: a line cannot be told, or is about nobody.
    """
    with told():
        question = CheckContract(read_contract(_only_document(contract)))
        place = Place(sysdump, replay, case, case_id, context, kubeconfig, hubble_server, budget, cilium_version)
        proposal = Change(apply or (), delete or (), label or (), git, repository).proposal()
        looked = place.look(question, proposal)
        checked = list(check_lines(question.lines, state_of(question, looked.facts)))
    match output:
        case GateForm.JSON:
            say(_json(checked), is_json=True)
        case GateForm.MARKDOWN:
            say(comment(looked.report))
        case GateForm.SARIF:
            say(marks(looked.report.findings, {}, uri_of(contract)), is_json=True)
        case _:
            say(_text(checked))
    end_with(looked.report, status_of(looked.report))


def _only_document(path: Path) -> object:
    try:
        documents = read_all([path])
    except UnreadableError as error:
        raise ContractError(str(error)) from error
    if path.is_dir() or len(documents) != 1:
        raise ContractError(f"{path} must be one file with one document")
    return documents[0]


def _text(checked: list[Checked]) -> str:
    rows = []
    for one in checked:
        why = f"  ({one.line.why})" if one.line.why else ""
        said = one_line(f"{one.line}{why}" + (f": {one.detail}" if one.detail else ""))
        rows.append(f"{one.result:8}{said}")
        rows += [
            "          "
            + one_line(
                f"{breach.source} -> {breach.destination} {breach.traffic} is {breach.verdict} ({breach.because})"
            )
            for breach in one.breaches
        ]
        if one.count > len(one.breaches):
            rows.append(f"          and {one.count - len(one.breaches)} more")
    held = sum(one.result is Result.HOLDS for one in checked)
    return "\n".join([*rows, f"{held} of {len(checked)} lines hold"]) + "\n"


def _json(checked: list[Checked]) -> str:
    rows = [
        {
            "line": str(one.line),
            "demand": str(one.line.demand),
            "number": one.line.number,
            "why": one.line.why,
            "result": str(one.result),
            "detail": one.detail,
            "count": one.count,
            "breaches": [
                {
                    "source": breach.source,
                    "destination": breach.destination,
                    "traffic": str(breach.traffic),
                    "verdict": str(breach.verdict),
                    "because": breach.because,
                }
                for breach in one.breaches
            ],
        }
        for one in checked
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
