"""The agent of every node that carries an endpoint of it runs.

While an agent is down the datapath goes on with what it has: connections and the policies of before. New pods, changed
policies and changed Services wait for it.
"""

from collections.abc import Iterator

from handlers.commands.endpoint import EndpointOf
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.endpoints.asked import ASKED_OPTIONAL_PARTS, ASKED_PARTS, PodEndpoint, endpoints_asked
from handlers.endpoints.waiting import POLICY_WAITS, agent_pods, is_down, policies_waiting
from handlers.model.cluster import Node, Pod
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

ENDPOINT_AGENT_DOWN = code(
    "ENDPOINT_AGENT_DOWN",
    meaning="The agent of the endpoint's node does not run: what the endpoint has stays in force, nothing new comes.",
    template="The agent of {node} ({pod}) does not run ({how}): {count} endpoint{count:|s} of it there"
    " {count:goes|go} on with the policy of before, and nothing newer is realised",
    reason="The agent of {node} does not run ({how})",
    advice="Find out why it ends: its previous log, and the reason of its last exit.",
)
ENDPOINT_NODE_NOT_READY = code(
    "ENDPOINT_NODE_NOT_READY",
    meaning="The endpoint's node is not ready: its pods count as not ready, though they may run and answer.",
    template="Node {node} is not ready ({why}): Services leave its pods out, though {count} endpoint{count:|s} of it"
    " there may run and answer by address",
    advice="Look at kubelet on that node.",
)
ENDPOINT_AGENT_MISSING = code(
    "ENDPOINT_AGENT_MISSING",
    meaning="The endpoint's node runs no Cilium agent.",
    template="Node {node}, which carries {count} pod{count:|s} of it, runs no Cilium agent",
    advice="Look at the cilium DaemonSet and at the node's taints.",
)
ENDPOINT_UNREAD = code(
    "ENDPOINT_UNREAD",
    meaning="The agent of the endpoint's node could not be asked, so that only what it had published is known.",
    template="What the agent of {node} enforces on {count} endpoint{count:|s} of it was not read: {detail}",
)


@probe(
    answers=(EndpointOf,),
    codes=(
        ENDPOINT_AGENT_DOWN,
        POLICY_WAITS,
        ENDPOINT_NODE_NOT_READY,
        ENDPOINT_AGENT_MISSING,
        ENDPOINT_UNREAD,
    ),
    needs=(*ASKED_PARTS, *POLICY_PARTS, Part.CILIUM_PODS),
    uses=(*ASKED_OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS),
    blocking=True,
)
def endpoint_agent_runs(question: EndpointOf, facts: Facts) -> Iterator[Finding]:
    """Judge each node that carries an endpoint, or shall."""
    asked = endpoints_asked(question.endpoint, facts)
    nodes = {node.name: node for node in facts.nodes}
    agents = agent_pods(facts)
    for name in asked.nodes:
        there = [one for one in asked.endpoints if one.pod.node == name]
        node, agent = nodes.get(name), agents.get(name)
        is_cut_off = node is not None and node.ready is False
        if node is not None and is_cut_off:
            yield _node_not_ready(node, len(there))
        if agent is None:
            yield ENDPOINT_AGENT_MISSING.finding(
                Outcome.PROBLEM,
                evidence=[Evidence("kubernetes", f"Node//{name}")],
                weight=80,
                node=name,
                count=len(there),
            )
        elif is_down(agent, is_node_ready=not is_cut_off):
            yield _down(agent, name, sum(one.is_made for one in there))
            yield from policies_waiting(agent, (one.pod for one in there if one.is_made), facts)
        else:
            yield from _unread(name, there, facts)


def _node_not_ready(node: Node, count: int) -> Finding:
    told = node.condition
    return ENDPOINT_NODE_NOT_READY.finding(
        Outcome.PROBLEM,
        evidence=[Evidence("kubernetes", f"Node//{node.name}", "/status/conditions", at=told.since if told else None)],
        follow_up=f"health {node.name}",
        weight=85,
        node=node.name,
        why=(told.message or told.reason or told.status) if told else "it does not say why",
        count=count,
    )


def _down(agent: Pod, node: str, count: int) -> Finding:
    last = agent.last_exit
    exited = f"last exit {last.code} {last.reason}".strip() if last else ""
    how = ", ".join(filter(None, (agent.waiting or "not ready", exited, f"{agent.restarts} restarts")))
    return ENDPOINT_AGENT_DOWN.finding(
        Outcome.PROBLEM,
        evidence=[Evidence("kubernetes", f"Pod/{agent}", "/status/containerStatuses", at=last.at if last else None)],
        follow_up=f"health {node}",
        weight=84,
        node=node,
        pod=agent.name,
        how=how,
        count=count,
    )


def _unread(node: str, there: list[PodEndpoint], facts: Facts) -> Iterator[Finding]:
    look = facts.look(Part.AGENT_ENDPOINTS)
    answer = look.value.on(node) if isinstance(look, Known) else look
    published = [one for one in there if one.published]
    if not isinstance(answer, Known) and published:
        yield ENDPOINT_UNREAD.finding(
            Outcome.UNKNOWN,
            blocking=True,
            advice=answer.remedy,
            weight=30,
            node=node,
            count=len(published),
            detail=answer.detail,
        )
