"""``agent NODE``: what became of a node's agent, why, and what that means for the node?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from handlers.agents.life import component_of
from handlers.commands.command import Command, Conclusion, NotUnderstoodError, left_over, worst_first
from handlers.commands.since import age_in_words
from handlers.connection.observation import clock
from handlers.model.agent import AgentStatus
from handlers.model.cluster import Node, Pod
from handlers.model.endpoint import HostName, Kind, Named
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.question import AboutAgent
from handlers.model.scope import Scope
from handlers.model.snapshot import Known
from handlers.model.table import Cell, Table
from handlers.names.grammar import End, Fresh, Word, is_bare_name, items, without_leads

USAGE = "agent NODE [fresh]"
_MOST_COMPONENTS = 20


@dataclass(frozen=True, slots=True)
class Agent(AboutAgent):
    """What became of the agent of a node?"""

    def __str__(self) -> str:
        """Return the normal form."""
        return f"agent {self.node}"

    def scope(self, so_far: Facts) -> Scope:
        """Return the agent of the node; events and policies everywhere, since they wait for it wherever they are."""
        return Scope(all_namespaces=True, nodes=(self.node,))


def parse(text: str) -> Agent:
    """Read a node.

    Raises:
        NotUnderstoodError: if there is none, or a word is left over.
    """
    match [item for item in without_leads(items(text)) if not isinstance(item, Fresh)]:
        case []:
            raise NotUnderstoodError("Name the node whose agent you mean.", USAGE)
        case [Word(text=name) as word, *odd] if is_bare_name(word) and word.port is None:
            question = Agent(name.lower())
        case [End(name=Named(kind=Kind.NODE, name=name), port=None), *odd]:
            question = Agent(name)
        case [End(name=HostName(name=name), port=None), *odd]:
            question = Agent(name)
        case odd:
            raise left_over(odd, USAGE)
    if odd:
        raise left_over(odd, USAGE)
    return question


def conclude(question: Agent, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say what is wrong with the agent; why, where its log tells; and what cannot be told."""
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    doubts = [
        finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN) and finding.blocking
    ]
    unknown = next((finding for finding in doubts if finding.code == "NODE_UNKNOWN"), None)
    if unknown:
        return Conclusion(Headline(unknown.sentence))
    tables = tuple(table for table in (_facts_of(question.node, facts),) if table.rows)
    if problems:
        is_of_node = all(finding.code == "NODE_NOT_READY" for finding in problems)
        what = "The agent of {node} shows no fault, its node does" if is_of_node else "The agent of {node} is not well"
        claim = Sentence(what, {"node": question.node})
        cause = next((finding for finding in problems if finding.code == "AGENT_LOG_TELLS"), problems[0])
        effects = tuple(finding.because for finding in problems if finding.code == "AGENT_DOWN")
        head = Headline(claim, reason=cause.because, remedy=cause.advice, more=effects)
        return Conclusion(head, tables=tables)
    if doubts:
        claim = Sentence("how well the agent of {node} is", {"node": question.node}, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice), tables=tables)
    return Conclusion(Headline(Sentence("The agent of {node} is healthy", {"node": question.node})), tables=tables)


def _facts_of(name: str, facts: Facts) -> Table:
    rows = [(what, value) for what, value in _rows(name, facts) if value]
    return Table(f"The agent of {name}", ("what", "value"), tuple(rows))


def _rows(name: str, facts: Facts) -> Iterator[tuple[str, Cell]]:
    nodes, pods, config = facts.look(Part.NODES), facts.look(Part.CILIUM_PODS), facts.look(Part.CONFIG)
    found = pods.value if isinstance(pods, Known) else ()
    agent = next((pod for pod in found if component_of(pod) == "agent" and pod.node == name and not pod.deleted), None)
    if agent:
        yield from _of_pod(agent, facts)
    node = next((one for one in nodes.value if one.name == name), None) if isinstance(nodes, Known) else None
    if node:
        yield from _of_node(node)
    if isinstance(config, Known):
        yield "version", config.value.versions.get(name)
    look = facts.look(Part.AGENT_STATUS)
    status = look.value.on(name) if isinstance(look, Known) else None
    if isinstance(status, Known):
        yield from _of_status(status.value)
    if isinstance(config, Known) and config.value.changes:
        newest = max(config.value.changes, key=lambda change: change.at)
        by = f" by {newest.manager}" if newest.manager else ""
        yield "cilium-config changed", f"{clock(newest.at)}, {age_in_words(newest.at, facts.now)}{by}"


def _of_pod(agent: Pod, facts: Facts) -> Iterator[tuple[str, Cell]]:
    yield "pod", f"{agent.namespace}/{agent.name}"
    yield "state", agent.waiting or ("ready" if agent.ready else f"{agent.phase}, not ready")
    yield "restarts", str(agent.restarts)
    end = agent.last_exit
    if end:
        yield "last exit", f"{end.code} {end.reason}, {age_in_words(end.at, facts.now)} ({end.container})"


def _of_node(node: Node) -> Iterator[tuple[str, Cell]]:
    yield "node", {True: "ready", False: "not ready", None: "not known"}[node.ready]
    yield "taints", ", ".join(node.taints)
    yield "kernel", node.kernel
    yield "kubelet", node.kubelet


def _of_status(status: AgentStatus) -> Iterator[tuple[str, Cell]]:
    yield "status", f"{status.state}, {status.message}" if status.message else status.state
    for component, (state, message) in sorted(status.components.items())[:_MOST_COMPONENTS]:
        if state.lower() != "disabled":
            yield component, f"{state}, {message}" if message else state
    if status.components.get("kvstore", ("",))[0].lower() == "disabled":
        yield "identities", "in Kubernetes objects (CRD mode)"
    yield "failing controllers", str(len(status.failing))
    yield "kube-proxy replacement", status.kube_proxy_replacement
    yield "routing", f"{status.routing} {status.tunnel}".strip()
    yield "masquerading", status.masquerading
    yield "encryption", status.encryption.mode if status.encryption else None


COMMAND = Command(
    name="agent",
    usage=USAGE,
    summary="What became of a node's agent? Restarts, last exit, what its log says, what still works and what waits.",
    examples=("agent worker-1",),
    question=Agent,
    parse=parse,
    conclude=conclude,
    phrases=(
        "agent restart*",
        "agent crash*",
        "agent log*",
        "agent died|dies|killed|oom|oomkilled|down|dead",
        "agent keeps",
        "cilium restart*",
        "cilium crash*",
        "cilium oom|oomkilled|killed",
        "crashloopbackoff|crashlooping",
    ),
    arrange=worst_first,
    keep=timedelta(seconds=30),
    leave_out=frozenset({Part.NAMED_PORTS, Part.FOREIGN_POLICIES, Part.POLICY_SERVICES, Part.RELAY}),
)
