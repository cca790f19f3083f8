"""Every agent says that it is well, and none of its controllers fails.

A controller is a task that the agent repeats until it succeeds; one that fails for long is a part of the wanted state
that never arrives in the datapath.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from handlers.commands.health import how_to_ask
from handlers.connection.coverage import MOST_NAMED, nodes_in_words, unread_alike
from handlers.model.agent import AgentStatus
from handlers.model.cluster import Node, PolicyObject
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutAgent, AboutNodes
from handlers.model.snapshot import Gap, Known, Missing
from handlers.probes.probe import probe

AGENT_STATE_BAD = code(
    "AGENT_STATE_BAD",
    meaning="An agent reports a state other than Ok.",
    template="The agent{count:|s} of {nodes} report{count:s|} {state}: {message}",
    advice="Ask agent NODE for what its log says.",
)
AGENT_COMPONENT_BAD = code(
    "AGENT_COMPONENT_BAD",
    meaning="A part of the agent reports a failure.",
    template="{name} of the agent{count:|s} of {nodes} reports {state}: {message}",
    advice="Ask agent NODE for what its log says of this part.",
)
CONTROLLER_FAILS = code(
    "CONTROLLER_FAILS",
    meaning="A controller of the agent fails again and again; one that failed once is a note.",
    template="Controller {name} on {nodes} has failed {times} time{times:|s}: {message}",
    advice="The error says what the agent cannot do; until it can, the state stays as it was.",
)
AGENT_UNREAD = code(
    "AGENT_UNREAD",
    meaning="An agent could not be asked.",
    template="{count} agent{count:|s} {count:was|were} not read ({nodes}): {detail}",
)
AGENT_BEHIND_HOST_POLICY = code(
    "AGENT_BEHIND_HOST_POLICY",
    meaning="An agent could not be asked, and policies of hosts select its node: one that leaves out kubelet's port "
    "stops logs and exec of every pod there.",
    template="{policies} {count:selects|select} the host {node}: where 10250/TCP, the kubelet's port, is not allowed, "
    "logs and exec fail there, and the agent cannot be asked; pods are not concerned",
    advice="Ask why kube-apiserver may not reach the node on 10250, and allow it.",
)
AGENTS_OK = code(
    "AGENTS_OK",
    meaning="Every agent asked is well.",
    template="{count} agent{count:|s} report{count:s|} Ok, no controller fails",
)

_FAILURES = ("failure", "warning", "error")
_DEAF = (Gap.TIMEOUT, Gap.UNREACHABLE, Gap.FAILED)
_NUMBERED = re.compile(r"\d+|\(\S*\)")
"""What of a controller's name tells one endpoint from another: ``sync-policymap-1691``."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What is wrong with an agent, in words that say it of others as well."""

    spoken: Code
    outcome: Outcome
    weight: int
    name: str
    state: str
    message: str


@probe(
    answers=(AboutNodes, AboutAgent),
    codes=(
        *(AGENT_STATE_BAD, AGENT_COMPONENT_BAD, CONTROLLER_FAILS, AGENT_UNREAD),
        *(AGENT_BEHIND_HOST_POLICY, AGENTS_OK),
    ),
    needs=(Part.NODES, Part.AGENT_STATUS),
    uses=(Part.POLICIES,),
    blocking=True,
)
def health_agents_ok(question: AboutNodes | AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Judge what each agent says of itself; what several say is one line."""
    nodes = {node.name: node for node in facts.nodes if question.node in (None, node.name)}
    well, unread = 0, dict[str, Missing]()
    alike: dict[_Trouble, dict[str, int]] = {}
    for name in nodes:
        answer = facts.agent_status.on(name)
        if isinstance(answer, Missing):
            unread[name] = answer
            continue
        troubles = dict(_troubles(answer.value))
        well += not any(trouble.outcome is Outcome.PROBLEM for trouble in troubles)
        for trouble, times in troubles.items():
            alike.setdefault(trouble, {})[name] = times
    for trouble, by_node in alike.items():
        yield _told(trouble, by_node, asks_more=isinstance(question, AboutNodes))
    yield from _unread(unread)
    for name, missing in list(unread.items())[:MOST_NAMED]:
        if missing.gap in _DEAF:
            yield from _host_policies(nodes[name], facts)
    if well and well == len(nodes):
        yield AGENTS_OK.finding(Outcome.FINE, count=well)


def _troubles(status: AgentStatus) -> Iterator[tuple[_Trouble, int]]:
    bad = Outcome.PROBLEM
    if status.state.lower() != "ok":
        yield _Trouble(AGENT_STATE_BAD, bad, 85, "", status.state, status.message or "no message"), 1
    for component, (state, message) in sorted(status.components.items()):
        if state.lower() in _FAILURES:
            yield _Trouble(AGENT_COMPONENT_BAD, bad, 60, component, state, message or "no message"), 1
    for controller in status.failing:
        outcome = bad if controller.failures > 1 else Outcome.FINE
        name = _NUMBERED.sub("…", controller.name)
        yield _Trouble(CONTROLLER_FAILS, outcome, 50, name, "", controller.error or "no message"), controller.failures


def _told(trouble: _Trouble, by_node: Mapping[str, int], *, asks_more: bool) -> Finding:
    first = next(iter(by_node))
    return trouble.spoken.finding(
        trouble.outcome,
        evidence=[Evidence("agent", f"Node//{node}") for node in list(by_node)[:MOST_NAMED]],
        follow_up=f"agent {first}" if asks_more and trouble.outcome is Outcome.PROBLEM else "",
        weight=trouble.weight,
        nodes=nodes_in_words(by_node),
        count=len(by_node),
        name=trouble.name,
        state=trouble.state,
        message=trouble.message,
        times=max(by_node.values()),
    )


def _unread(unread: Mapping[str, Missing]) -> Iterator[Finding]:
    for alike, missing in unread_alike(unread):
        yield AGENT_UNREAD.finding(
            Outcome.UNKNOWN,
            blocking=True,
            advice=missing.remedy or how_to_ask(missing),
            weight=50,
            count=len(alike),
            nodes=nodes_in_words(alike),
            detail=missing.detail,
        )


def _host_policies(node: Node, facts: Facts) -> Iterator[Finding]:
    look = facts.look(Part.POLICIES)
    found = [one for one in look.value if _selects(one, node)] if isinstance(look, Known) else []
    if found:
        yield AGENT_BEHIND_HOST_POLICY.finding(
            Outcome.UNKNOWN,
            evidence=[Evidence("kubernetes", one.ref, "/spec/nodeSelector") for one in found[:MOST_NAMED]],
            follow_up=f"why kube-apiserver node/{node.name} 10250",
            weight=49,
            policies=nodes_in_words(f"{one.kind} {one.name}" for one in found),
            count=len(found),
            node=node.name,
        )


def _selects(policy: PolicyObject, node: Node) -> bool:
    """Whether a policy may select the host: by its labels that must be equal, whatever else its selector asks."""
    several = policy.manifest.get("specs")
    specs = [policy.manifest.get("spec"), *(several if isinstance(several, list) else [])]
    return any(_may_match(spec.get("nodeSelector"), node) for spec in specs if isinstance(spec, Mapping))


def _may_match(selector: object, node: Node) -> bool:
    if not isinstance(selector, Mapping):
        return False
    labels = selector.get("matchLabels")
    pairs: Iterable[tuple[object, object]] = labels.items() if isinstance(labels, Mapping) else ()
    return all(node.labels.get(str(key).removeprefix("k8s:")) == value for key, value in pairs)
