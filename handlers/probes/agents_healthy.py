"""The agents of both nodes are healthy, and their nodes reach each other.

An agent that is down keeps its last policy in the datapath but learns nothing new, and its DNS proxy stops. Nodes that
do not reach each other lose every packet between their pods, whatever policy says.
"""

from collections.abc import Iterator

from handlers.connection.legs import LEG_PARTS
from handlers.connection.trial import Trial
from handlers.model.agent import AgentStatus
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.snapshot import Known, Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

AGENT_UNHEALTHY = code(
    "AGENT_UNHEALTHY",
    meaning="The Cilium agent of a node on the path reports a state other than Ok.",
    template="The agent of {node} is not well: {message}",
    advice="Ask health NODE for the details.",
)
AGENT_NOT_READ = code(
    "AGENT_NOT_READ",
    meaning="The agent of a node on the path could not be asked, so what it enforces was not compared.",
    template="The agent of {node} was not read: {detail}",
)
NODES_DISCONNECTED = code(
    "NODES_DISCONNECTED",
    meaning="The health prober of one node cannot reach the other node: packets between their pods are lost.",
    template="{node} cannot reach {peer}: {error}",
    advice="Check the network between the nodes: the tunnel port (8472/UDP for VXLAN), routes, firewalls, MTU.",
)
AGENTS_HEALTHY = code(
    "AGENTS_HEALTHY",
    meaning="The agents on the path are healthy and their nodes reach each other.",
    template="The agents of {nodes} are healthy and reach each other",
)


@probe(
    answers=(AboutConnection,),
    codes=(AGENT_UNHEALTHY, AGENT_NOT_READ, NODES_DISCONNECTED, AGENTS_HEALTHY),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.AGENT_STATUS),
    hop=Hop.AGENTS,
)
def agents_healthy(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge the agents of the nodes that the legs touch."""
    look, legs = facts.look(Part.AGENT_STATUS), needed(Trial(question.connection, facts).legs)
    if not isinstance(look, Known):
        return
    pairs = {(leg.source.node, leg.destination.node) for leg in legs}
    nodes = sorted({node for pair in pairs for node in pair if node})
    healthy = []
    for node in nodes:
        answer = look.value.on(node)
        if isinstance(answer, Missing):
            yield AGENT_NOT_READ.finding(
                Outcome.UNKNOWN, hop=Hop.AGENTS, advice=answer.remedy, node=node, detail=answer.detail
            )
            continue
        troubles = list(_troubles(node, answer.value, pairs))
        yield from troubles
        if not troubles:
            healthy.append(node)
    if healthy and len(healthy) == len(nodes):
        yield AGENTS_HEALTHY.finding(
            Outcome.FINE,
            hop=Hop.AGENTS,
            evidence=[Evidence("agent", f"Node//{node}") for node in healthy],
            nodes=tuple(healthy),
        )


def _troubles(node: str, status: AgentStatus, pairs: set[tuple[str | None, str | None]]) -> Iterator[Finding]:
    evidence = [Evidence("agent", f"Node//{node}")]
    if status.state.lower() != "ok":
        yield AGENT_UNHEALTHY.finding(
            Outcome.PROBLEM,
            hop=Hop.AGENTS,
            evidence=evidence,
            follow_up=f"health {node}",
            node=node,
            message=status.message or status.state,
        )
    others = {other for pair in pairs for other in pair if node in pair and other and other != node}
    for peer in status.peers or ():
        if peer.name in others and peer.host_reachable is False:
            yield NODES_DISCONNECTED.finding(
                Outcome.PROBLEM,
                hop=Hop.AGENTS,
                blocking=True,
                evidence=evidence,
                node=node,
                peer=peer.name,
                error=peer.error or "the health probe fails",
            )
