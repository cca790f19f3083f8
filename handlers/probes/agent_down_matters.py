"""Every node's agent runs, so that nothing waits for it.

An agent that is down stops no traffic: the datapath keeps the state that it had. What waits is all that is new: pods,
changes of policy and of Services, names that DNS rules would learn. And nobody tells of flows there.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from handlers.agents.life import component_of, is_down
from handlers.connection.coverage import MOST_NAMED, nodes_in_words
from handlers.connection.observation import clock
from handlers.model.cluster import Node, Pod
from handlers.model.event import Event
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutAgent, AboutNodes
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

AGENT_DOWN = code(
    "AGENT_DOWN",
    meaning="What an agent that is down means for its node: what runs goes on, what is new waits.",
    template="While {count:the agent|the agents} of {nodes} {count:is|are} down, what runs there goes on: existing "
    "connections and pods keep working, under the policy and the Services of before. No new pod can start, no change "
    "of policy or Services arrives, DNS rules answer nobody; no flows are told, so that no drop seen there proves "
    "nothing",
    reason="existing connections and pods of {nodes} keep working, while new pods, policies and Services wait",
    advice="Bring the agent up; nothing has to be done to pods that run.",
)
PODS_AWAIT_AGENT = code(
    "PODS_AWAIT_AGENT",
    meaning="Pods that cannot start because the agent of their node is down: their network is not set up, or the taint "
    "that marks the node keeps them off.",
    template="{count} pod{count:|s} cannot start while the agent of {node} is down: {pods} ({reason})",
    advice="Pods that wait start by themselves once the agent runs.",
)
POLICIES_AWAIT_AGENT = code(
    "POLICIES_AWAIT_AGENT",
    meaning="Policies that changed while the agent of a node was down: its datapath has them as they were before.",
    template="{count} polic{count:y|ies} changed since the agent of {node} went down at {at}, and {count:is|are} not "
    "realised there: {policies}",
    advice="Policies are realised by themselves once the agent runs; until then do not count on them there.",
)

AGENT_TAINT = "node.cilium.io/agent-not-ready"
"""The taint by which the operator keeps pods off a node without a running agent (Helm: operator.setNodeTaints)."""
_UNMADE = re.compile(r"cilium-cni|cilium agent|Is the agent running|cilium\.sock", re.IGNORECASE)
_WEIGHT = 84


@probe(
    answers=(AboutNodes, AboutAgent),
    codes=(AGENT_DOWN, PODS_AWAIT_AGENT, POLICIES_AWAIT_AGENT),
    needs=(Part.NODES, Part.CILIUM_PODS),
    uses=(Part.EVENTS, Part.POLICIES),
)
def agent_down_matters(question: AboutNodes | AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Say what goes on and what waits on the nodes whose agent is down."""
    nodes = {node.name: node for node in facts.nodes if question.node in (None, node.name)}
    agents = [pod for pod in facts.cilium_pods if component_of(pod) == "agent" and not pod.deleted]
    down = [pod for pod in agents if pod.node in nodes and is_down(pod, nodes[pod.node])]
    # While an agent is being replaced its node has two pods.
    up = {pod.node for pod in agents if pod not in down}
    down = [pod for pod in down if pod.node not in up]
    if not down:
        return
    yield AGENT_DOWN.finding(
        Outcome.PROBLEM,
        evidence=[Evidence("kubernetes", f"Node//{pod.node}") for pod in down[:MOST_NAMED]],
        weight=_WEIGHT,
        count=len(down),
        nodes=nodes_in_words(pod.node or "" for pod in down),
    )
    for pod in down[:MOST_NAMED]:
        yield from _waiting_pods(nodes[pod.node or ""], pod, facts)
        yield from _waiting_policies(pod, facts)


def _since(pod: Pod) -> datetime | None:
    """Return since when an agent is down, as far as its pod tells."""
    return pod.ready_since if pod.ready is False else pod.created_at


def _waiting_pods(node: Node, agent: Pod, facts: Facts) -> Iterator[Finding]:
    look, since = facts.look(Part.EVENTS), _since(agent)
    if not isinstance(look, Known) or since is None:
        return
    events = [event for event in look.value if event.kind == "Pod" and event.last_at and event.last_at >= since]
    unmade = [
        event
        for event in events
        if event.node == node.name and event.reason == "FailedCreatePodSandBox" and _UNMADE.search(event.message)
    ]
    tainted = [taint for taint in node.taints if taint.startswith(AGENT_TAINT)]
    kept_off = [event for event in events if event.reason == "FailedScheduling" and "taint" in event.message]
    if unmade:
        yield _waits(node, unmade, "FailedCreatePodSandBox: the CNI plugin does not reach the agent")
    if tainted and kept_off:
        yield _waits(node, kept_off, f"FailedScheduling: the node has the taint {tainted[0]}")


def _waits(node: Node, events: Sequence[Event], reason: str) -> Finding:
    pods = sorted({f"{event.namespace}/{event.name}" for event in events})
    return PODS_AWAIT_AGENT.finding(
        Outcome.PROBLEM,
        evidence=_evidence(events),
        weight=_WEIGHT - 1,
        count=len(pods),
        node=node.name,
        pods=nodes_in_words(pods),
        reason=reason,
    )


def _evidence(events: Iterable[Event]) -> list[Evidence]:
    newest = {(event.namespace, event.name): event for event in events}
    return [
        Evidence("kubernetes", f"Pod/{one.namespace}/{one.name}", at=one.last_at, excerpt=one.message[:200])
        for one in list(newest.values())[:MOST_NAMED]
    ]


def _waiting_policies(agent: Pod, facts: Facts) -> Iterator[Finding]:
    look, since = facts.look(Part.POLICIES), _since(agent)
    if not isinstance(look, Known) or since is None:
        return
    changed = [policy for policy in look.value if policy.changed_at and policy.changed_at >= since]
    if changed:
        yield POLICIES_AWAIT_AGENT.finding(
            Outcome.PROBLEM,
            evidence=[Evidence("kubernetes", one.ref, "/metadata", at=one.changed_at) for one in changed[:MOST_NAMED]],
            weight=_WEIGHT - 2,
            count=len(changed),
            node=agent.node,
            at=clock(since),
            policies=nodes_in_words(
                f"{one.kind} {one.namespace}/{one.name}" if one.namespace else f"{one.kind} {one.name}"
                for one in changed
            ),
        )
