"""Where a ``policy`` command looks, as its options name it, and the report that comes of looking there."""

import json
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from handlers.engine import answer
from handlers.model.facts import Facts
from handlers.model.report import Report
from handlers.model.snapshot import Snapshot
from handlers.reach.cluster import Cluster
from handlers.reach.from_case import CaseError, cluster_of_case
from handlers.reach.proposal import Proposal
from handlers.whole_cluster import Whole, whole_of
from workers.cli.options import origin_of
from workers.cli.progress import progress_line
from workers.collect import collect
from workers.origin import Live, NotOpenedError, checked_version, opened

CaseOption = Annotated[
    Path | None,
    typer.Option("--case", help="Look at a case: cluster and policies in one JSON file.", show_default=False),
]
CaseIdOption = Annotated[
    str | None, typer.Option("--case-id", help="Which case, in a file with one on each line.", show_default=False)
]
BudgetOption = Annotated[float, typer.Option("--budget", min=0.1, max=3600, help="Seconds for all reads together.")]
SinceOption = Annotated[float, typer.Option("--since", min=0.1, max=1440, help="Minutes of flows to look at.")]

_MOST_CASE_BYTES = 256 * 1024 * 1024


class NotReadError(Exception):
    """What the answer depends on could not be read; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A report, and the facts that it rests on, with all that was derived from them."""

    report: Report
    facts: Facts


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster, live or kept in a file, or a case."""

    sysdump: Path | None = None
    replay: Path | None = None
    case: Path | None = None
    case_id: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    hubble_server: str | None = None
    budget: float = 60.0
    cilium_version: str | None = None

    def look(self, question: Any, proposal: Proposal | None = None) -> Looked:
        """Answer a question there; with a proposal as if it had been applied, and nothing else had changed.

        Raises:
            NotOpenedError: if the options contradict each other, or nothing can be opened there.
            NotReadError: if the file of cases holds no cluster.
            PartMissingError: if what the proposal is applied to could not be read.
            ProposalError: if the proposal does not fit the cluster.
        """
        origin = origin_of(self.sysdump, self.replay, Live(self.context, self.kubeconfig, self.hubble_server))
        if self.case is not None:
            if origin != Live():
                raise NotOpenedError("--case excludes the other places to look")
            whole = _with(proposal, Whole(self._case(self.case)))
            return _looked(question, *whole.as_read(str(self.case), datetime.now(UTC)))
        with opened(origin, cilium_version=self.cilium_version) as source, progress_line(sys.stderr) as progress:
            snapshot = collect(question, source, budget=self.budget, progress=progress)
        facts = Facts(snapshot)
        if proposal is None:
            return _looked(question, snapshot, facts)
        changed = _with(proposal, whole_of(question, facts))
        return _looked(question, *changed.as_read(f"{snapshot.source}, with the change", snapshot.taken_at))

    def _case(self, path: Path) -> Cluster:
        document = _chosen_case(path, self.case_id)
        if checked_version(self.cilium_version) is not None:
            options = document.get("options")
            known = options if isinstance(options, dict) else {}
            document = {**document, "options": {**known, "ciliumVersion": self.cilium_version}}
        try:
            return cluster_of_case(document)
        except CaseError as error:
            raise NotReadError(f"{path}: {error}") from error


def _with(proposal: Proposal | None, whole: Whole) -> Whole:
    return whole if proposal is None else replace(whole, cluster=proposal.applied(whole.cluster))


def _looked(question: Any, snapshot: Snapshot, facts: Facts) -> Looked:
    return Looked(answer(question, snapshot, facts=facts), facts)


def _chosen_case(path: Path, name: str | None) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_CASE_BYTES:
            raise NotOpenedError(f"{path} is too large for a file of cases")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotOpenedError(f"{path} cannot be read: {type(error).__name__}") from error
    try:
        documents = [json.loads(text)] if name is None and _is_one(text) else list(map(json.loads, text.splitlines()))
    except (ValueError, RecursionError) as error:
        raise NotOpenedError(f"{path} holds no JSON documents") from error
    chosen = next((one for one in documents if isinstance(one, dict) and name in (None, one.get("id"))), None)
    if chosen is None:
        raise NotOpenedError(f"{path} holds no case {name or ''}".rstrip())
    return chosen


def _is_one(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
