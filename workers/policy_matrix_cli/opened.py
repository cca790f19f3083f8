"""The cluster that a command is about: live, from an archive or a recording, or from a case file."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from handlers.connection.policies import config_assumption, policies_of, statuses_of
from handlers.model.facts import Facts, PartMissingError
from handlers.model.parts import Part
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Known, Missing, PerNode, Snapshot
from handlers.policy.mentions import TO_NAMES, some_policy_has
from handlers.reach.cluster import Cluster
from handlers.reach.from_case import CaseError, cluster_of_case
from handlers.reach.from_facts import WHOLE_CLUSTER_PARTS, cluster_of
from handlers.reach.observed import ObservedFlow, observed_flows
from handlers.source import Source
from workers.origin import Live, NotOpenedError, Origin, Recorded, Sysdump, opened

SysdumpOption = Annotated[
    Path | None, typer.Option("--sysdump", help="Look at a `cilium sysdump` zip or folder.", show_default=False)
]
ReplayOption = Annotated[
    Path | None, typer.Option("--replay", help="Look at a recording made with --record.", show_default=False)
]
CaseOption = Annotated[
    Path | None,
    typer.Option("--case", help="Look at a case: cluster and policies in one JSON file.", show_default=False),
]
CaseIdOption = Annotated[
    str | None, typer.Option("--case-id", help="Which case, in a file with one on each line.", show_default=False)
]
ContextOption = Annotated[
    str | None, typer.Option("--context", help="Context of the kubeconfig; default: the current one.")
]
KubeconfigOption = Annotated[
    Path | None, typer.Option("--kubeconfig", help="Kubeconfig file; default: $KUBECONFIG, else in-cluster.")
]
HubbleOption = Annotated[
    str | None,
    typer.Option("--hubble-server", help="Address of Hubble relay; default: $HUBBLE_SERVER, else a port-forward."),
]
BudgetOption = Annotated[float, typer.Option("--budget", min=0.1, max=3600, help="Seconds for each read.")]
SinceOption = Annotated[float, typer.Option("--since", min=0.1, max=1440, help="Minutes of flows to look at.")]

_MOST_CASE_BYTES = 256 * 1024 * 1024
_MOST_FLOWS = 100_000


class NotReadError(Exception):
    """What the answer depends on could not be read; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A cluster, its title, and the flows seen there; None where nobody could look."""

    cluster: Cluster
    title: str
    flows: tuple[ObservedFlow, ...] | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look, as the options name it."""

    sysdump: Path | None = None
    replay: Path | None = None
    case: Path | None = None
    case_id: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    hubble_server: str | None = None
    budget: float = 60.0
    since: float = 10.0

    def look(self) -> Looked:
        """Read the cluster.

        Raises:
            NotOpenedError: if the options contradict each other, or nothing can be opened there.
            NotReadError: if what matters could not be read.
        """
        named = [one for one in (self.sysdump, self.replay, self.case) if one is not None]
        live = Live(self.context, self.kubeconfig, self.hubble_server)
        if len(named) > 1 or (named and live != Live()):
            raise NotOpenedError("--sysdump, --replay, --case and the options of a live cluster exclude each other")
        if self.case is not None:
            return Looked(_case(self.case, self.case_id), str(self.case), None)
        with opened(self._origin(live)) as source:
            return _read(source, self.budget, timedelta(minutes=self.since))

    def _origin(self, live: Live) -> Origin:
        if self.sysdump is not None:
            return Sysdump(self.sysdump)
        return Recorded(self.replay) if self.replay is not None else live


def _case(path: Path, name: str | None) -> Cluster:
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
    try:
        return cluster_of_case(chosen)
    except CaseError as error:
        raise NotReadError(f"{path}: {error}") from error


def _is_one(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _read(source: Source, budget: float, span: timedelta) -> Looked:
    """Read the whole cluster, one part after another: a few lists, however large it is."""
    now = source.now()
    scope = Scope(
        all_namespaces=True,
        pods=(PodQuery(),),
        identities=(),
        flows=FlowQuery((), now - span, now, limit=_MOST_FLOWS),
        policy_services=True,
        named_ports=True,
    )
    parts: dict[AnyPart, Known[Any] | Missing] = {
        part: source.read(Ask(part, scope), budget) for part in WHOLE_CLUSTER_PARTS
    }
    nodes = parts[Part.NODES]
    if _uses_names(parts[Part.POLICIES]) and isinstance(nodes, Known):
        of_nodes = {node.name: source.read(Ask(Part.AGENT_NAMES, scope, node.name), budget) for node in nodes.value}
        parts[Part.AGENT_NAMES] = Known(PerNode(of_nodes), now, "agent")
    facts = Facts(Snapshot(now, source.title, parts))
    try:
        policies = policies_of(facts)
        judged = {status.policy for status in policies.statuses}
        refused = tuple(status for status in statuses_of(facts) if status.policy not in judged)
        cluster = cluster_of(facts, policies, refused)
    except PartMissingError as error:
        raise NotReadError(f"{error.part} could not be read: {error.missing.detail}") from error
    assumed = config_assumption(facts)
    if assumed:
        cluster = cluster.assuming(assumed)
    flows = parts[Part.FLOWS]
    seen = observed_flows(flows.value.flows) if isinstance(flows, Known) else None
    return Looked(cluster, source.title, seen)


def _uses_names(policies: Known[Any] | Missing) -> bool:
    return isinstance(policies, Known) and some_policy_has(TO_NAMES, policies.value)
