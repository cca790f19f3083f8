"""Every agent knows every node, by the address and the pod range that the node has now.

An agent learns nodes from CiliumNodes (or a kvstore). One that does not know a node sends it nothing; one that knows it
by an old address or range sends packets astray.
"""

from collections.abc import Iterator

from handlers.commands.nodes import Nodes
from handlers.connection.coverage import nodes_in_words
from handlers.model.agent import KnownNode
from handlers.model.cluster import Node
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

NODE_NOT_KNOWN = code(
    "NODE_NOT_KNOWN",
    meaning="An agent does not know a node of the cluster, and sends it nothing.",
    template="The agent of {agents} does not know node {node}",
    advice="Look at the CiliumNode of the missing node, and at the agent's log and its way to the API server.",
)
NODE_KNOWN_OTHERWISE = code(
    "NODE_KNOWN_OTHERWISE",
    meaning="An agent knows a node by another address or pod range than the node has: packets go astray.",
    template="The agent of {agents} knows node {node} by {known}, and its CiliumNode says {actual}",
    advice="Start the agent again; if it stays so, look at the CiliumNode and at the operator.",
)
NODES_KNOWN = code(
    "NODES_KNOWN",
    meaning="The agents know the nodes by their addresses and ranges.",
    template="{count} agent{count: knows|s know} every node by its address and pod range",
)


@probe(
    answers=(Nodes,),
    codes=(NODE_NOT_KNOWN, NODE_KNOWN_OTHERWISE, NODES_KNOWN),
    needs=(Part.NODES, Part.AGENT_NODES),
)
def agents_know_nodes(question: Nodes, facts: Facts) -> Iterator[Finding]:
    """Hold each agent's list against the CiliumNodes."""
    named = {name for name in (question.node, question.peer) if name}
    nodes = [node for node in facts.nodes if node.tunnel_ips and (len(named) < 2 or node.name in named)]
    read, unknown, otherwise = 0, dict[str, list[str]](), dict[tuple[str, str, str], list[str]]()
    for agent, answer in facts.value(Part.AGENT_NODES).nodes.items():
        if not isinstance(answer, Known):
            continue
        read += 1
        # A cluster mesh lists nodes of other clusters, which may have the same names.
        own = next((known.cluster for known in answer.value if known.source == "local"), "")
        listed = {known.name: known for known in answer.value if known.cluster == own}
        for node in nodes:
            known = listed.get(node.name)
            if known is None:
                unknown.setdefault(node.name, []).append(agent)
            elif difference := _difference(known, node):
                otherwise.setdefault((node.name, *difference), []).append(agent)
    for name, agents in unknown.items():
        yield NODE_NOT_KNOWN.finding(
            Outcome.PROBLEM, evidence=_evidence(agents, name), weight=84, agents=nodes_in_words(agents), node=name
        )
    for (name, wrong, actual), agents in otherwise.items():
        yield NODE_KNOWN_OTHERWISE.finding(
            Outcome.PROBLEM,
            evidence=_evidence(agents, name),
            weight=84,
            agents=nodes_in_words(agents),
            node=name,
            known=wrong,
            actual=actual,
        )
    if read and not unknown and not otherwise:
        yield NODES_KNOWN.finding(Outcome.FINE, count=read)


def _evidence(agents: list[str], node: str) -> list[Evidence]:
    return [
        *(Evidence("agent", f"Node//{agent}") for agent in agents[:5]),
        Evidence("kubernetes", f"CiliumNode//{node}", "/spec"),
    ]


def _difference(known: KnownNode, node: Node) -> tuple[str, str] | None:
    """Return what an agent has and the CiliumNode has not, None where they agree or nothing can be compared."""
    if known.ips and known.ips[0] not in node.tunnel_ips + node.ips:
        return known.ips[0], ", ".join(node.tunnel_ips)
    strange = [cidr for cidr in known.pod_cidrs if node.pod_cidrs and cidr not in node.pod_cidrs]
    return (strange[0], ", ".join(node.pod_cidrs)) if strange else None
