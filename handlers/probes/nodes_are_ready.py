"""Every node is ready, and takes new pods.

Kubernetes marks a node whose kubelet no longer reports as not ready, and takes its pods out of every Service. What runs
there may go on: kubelet is no part of the way that packets take, only of logs and exec.
"""

from collections.abc import Iterator

from handlers.agents.life import component_of, is_down
from handlers.connection.asked_nodes import NODE_UNKNOWN, unknown_nodes
from handlers.connection.node_pairs import status_of_agent
from handlers.connection.observation import clock
from handlers.model.cluster import Condition, Node
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutAgent, AboutNodes, BetweenNodes
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

NODE_NOT_READY = code(
    "NODE_NOT_READY",
    meaning="Kubernetes holds a node for not ready: its pods leave every Service, and no new ones start there.",
    template="Node {node} is not ready ({status}{since}): {message}{agent}",
    reason="node {node} is not ready: {message}",
    advice="Look at kubelet on the node. Its pods may run on and answer by their addresses; Services no longer lead to"
    " them, and logs and exec of them hang.",
)
NODE_AGENT_TAINT = code(
    "NODE_AGENT_TAINT",
    meaning="A node bears the taint that keeps pods away until its Cilium agent is ready.",
    template="Node {node} takes no new pods: it bears the taint {taint} until its Cilium agent is ready",
    advice="Ask agent NODE why the agent is not ready; where it is, look at the operator, which takes the taint away.",
)
NODES_READY = code(
    "NODES_READY",
    meaning="The nodes are ready.",
    template="{count} node{count: is|s are} ready",
)
AGENT_TAINT = "node.cilium.io/agent-not-ready"
"""The default of Cilium's option agent-not-ready-taint-key."""


@probe(
    answers=(AboutNodes, BetweenNodes, AboutAgent),
    codes=(NODE_UNKNOWN, NODE_NOT_READY, NODE_AGENT_TAINT, NODES_READY),
    needs=(Part.NODES,),
    uses=(Part.AGENT_STATUS, Part.CILIUM_PODS),
    blocking=True,
)
def nodes_are_ready(question: AboutNodes | BetweenNodes | AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Judge the nodes that the question names, else all."""
    named = (question.node, question.peer if isinstance(question, BetweenNodes) else None)
    if isinstance(question, BetweenNodes):
        yield from unknown_nodes(named, facts)
    nodes = [node for node in facts.nodes if not any(named) or node.name in named]
    follow_up = "" if isinstance(question, AboutAgent) else "agent {node}"
    troubles = [finding for node in nodes for finding in _troubles(node, facts, follow_up.format(node=node.name))]
    yield from troubles
    ready = sum(node.ready is True for node in nodes)
    if ready and not troubles:
        yield NODES_READY.finding(Outcome.FINE, count=ready)


def _troubles(node: Node, facts: Facts, follow_up: str) -> Iterator[Finding]:
    if node.ready is False:
        condition = node.condition or Condition("False")
        yield NODE_NOT_READY.finding(
            Outcome.PROBLEM,
            evidence=[Evidence("kubernetes", f"Node//{node.name}", "/status/conditions", at=condition.since)],
            follow_up=follow_up,
            weight=92,
            node=node.name,
            status=condition.status,
            since=f" since {clock(condition.since)}" if condition.since else "",
            message=(condition.message or condition.reason or "no reason is given").rstrip("."),
            agent=_of_agent(node, facts),
        )
    # The agent of a node that does not report counts as unready with it.
    for taint in node.taints if node.ready is not False else ():
        if taint.startswith(AGENT_TAINT):
            yield NODE_AGENT_TAINT.finding(
                Outcome.PROBLEM,
                evidence=[Evidence("kubernetes", f"Node//{node.name}", "/spec/taints")],
                follow_up=follow_up,
                weight=70,
                node=node.name,
                taint=taint,
            )


def _of_agent(node: Node, facts: Facts) -> str:
    """Say what is known of the agent there: its pod shows unready because of the node."""
    if status_of_agent(node.name, facts):
        return "; its Cilium agent answers all the same"
    look = facts.look(Part.CILIUM_PODS)
    found = look.value if isinstance(look, Known) else ()
    agents = [pod for pod in found if component_of(pod) == "agent" and pod.node == node.name]
    goes_on = any(not is_down(pod, node) for pod in agents)
    return "; its Cilium agent was not stopped, and shows unready because of the node" if goes_on else ""
