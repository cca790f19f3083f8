"""Every node reaches every other node and its health endpoint."""

from collections.abc import Iterator
from datetime import datetime

from handlers.commands.since import age_in_words
from handlers.model.agent import PeerNode
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutNodes
from handlers.probes.probe import probe

NODE_UNREACHABLE = code(
    "NODE_UNREACHABLE",
    meaning="A node's health prober cannot reach another node.",
    template="{node} cannot reach node {peer}: {error} ({age})",
    advice="Check the network between the two nodes.",
)
HEALTH_ENDPOINT_UNREACHABLE = code(
    "HEALTH_ENDPOINT_UNREACHABLE",
    meaning="A node reaches another node but not the endpoint on it: the path between pods is broken.",
    template="{node} reaches node {peer} but not its health endpoint: {error} ({age})",
    advice="Check the tunnel (8472/UDP for VXLAN, 6081/UDP for Geneve), native routes and the MTU.",
)
PEER_AGENT_REFUSES = code(
    "PEER_AGENT_REFUSES",
    meaning="A node answers another one's health probe, but no agent listens on it: the agent is down.",
    template="The agent of {peer} refuses the health probe of {node}, while its node answers: {error} ({age})",
    advice="Look at the agent's pod; what was running there goes on forwarding.",
)
NODES_CONNECTED = code(
    "NODES_CONNECTED",
    meaning="The health probes between the nodes succeed.",
    template="{count} health probe{count:|s} between nodes succeed{count:s|}",
)


@probe(
    answers=(AboutNodes,),
    codes=(NODE_UNREACHABLE, HEALTH_ENDPOINT_UNREACHABLE, PEER_AGENT_REFUSES, NODES_CONNECTED),
    needs=(Part.AGENT_STATUS,),
    blocking=True,
)
def health_nodes_connected(_question: AboutNodes, facts: Facts) -> Iterator[Finding]:
    """Judge the probes that the agents made."""
    fine, troubles = 0, 0
    for node, status in facts.agent_status.known():
        for peer in status.peers or ():
            found = _judge(node, peer, facts.now)
            troubles += found is not None
            fine += found is None and bool(peer.host_reachable)
            if found is not None:
                yield found
    if fine and not troubles:
        yield NODES_CONNECTED.finding(Outcome.FINE, count=fine)


def _judge(node: str, peer: PeerNode, now: datetime) -> Finding | None:
    if peer.host_reachable is False:
        spoken, weight, failed = NODE_UNREACHABLE, 88, peer.failure(of_endpoint=False)
    elif refused := peer.refusal:
        spoken, weight, failed = PEER_AGENT_REFUSES, 60, refused
    elif peer.endpoint_reachable is False:
        spoken, weight, failed = HEALTH_ENDPOINT_UNREACHABLE, 75, peer.failure(of_endpoint=True)
    else:
        return None
    return spoken.finding(
        Outcome.PROBLEM,
        evidence=[Evidence("agent", f"Node//{node}", at=failed.at if failed else None)],
        weight=weight,
        node=node,
        peer=peer.name,
        error=failed.error if failed else "the probe fails",
        age=age_in_words(failed.at if failed else None, now),
    )
