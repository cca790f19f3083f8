"""Every node reaches every other node and its health endpoint."""

from collections.abc import Iterator

from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutNodes
from handlers.probes.probe import probe

NODE_UNREACHABLE = code(
    "NODE_UNREACHABLE",
    meaning="A node's health prober cannot reach another node.",
    template="{node} cannot reach node {peer}: {error}",
    advice="Check the network between the two nodes.",
)
HEALTH_ENDPOINT_UNREACHABLE = code(
    "HEALTH_ENDPOINT_UNREACHABLE",
    meaning="A node reaches another node but not the endpoint on it: the path between pods is broken.",
    template="{node} reaches node {peer} but not its health endpoint: {error}",
    advice="Check the tunnel (8472/UDP for VXLAN, 6081/UDP for Geneve), native routes and the MTU.",
)
NODES_CONNECTED = code(
    "NODES_CONNECTED",
    meaning="The health probes between the nodes succeed.",
    template="{count} health probe{count:|s} between nodes succeed{count:s|}",
)


@probe(
    answers=(AboutNodes,),
    codes=(NODE_UNREACHABLE, HEALTH_ENDPOINT_UNREACHABLE, NODES_CONNECTED),
    needs=(Part.AGENT_STATUS,),
)
def health_nodes_connected(_question: AboutNodes, facts: Facts) -> Iterator[Finding]:
    """Judge the probes that the agents made."""
    fine, troubles = 0, 0
    for node, status in facts.agent_status.known():
        for peer in status.peers or ():
            evidence = [Evidence("agent", f"Node//{node}")]
            error = peer.error or "the probe fails"
            if peer.host_reachable is False:
                troubles += 1
                yield NODE_UNREACHABLE.finding(
                    Outcome.PROBLEM, evidence=evidence, weight=88, node=node, peer=peer.name, error=error
                )
            elif peer.endpoint_reachable is False:
                troubles += 1
                yield HEALTH_ENDPOINT_UNREACHABLE.finding(
                    Outcome.PROBLEM, evidence=evidence, weight=75, node=node, peer=peer.name, error=error
                )
            elif peer.host_reachable:
                fine += 1
    if fine and not troubles:
        yield NODES_CONNECTED.finding(Outcome.FINE, count=fine)
