"""The agents of both nodes are healthy.

An agent that is down stops no traffic: its last policy stays in the datapath. But it learns nothing new, and its DNS
proxy stops.
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
    advice="Ask agent NODE for the details.",
)
AGENT_NOT_READ = code(
    "AGENT_NOT_READ",
    meaning="The agent of a node on the path could not be asked, so what it enforces was not compared.",
    template="The agent of {node} was not read: {detail}",
)
AGENTS_HEALTHY = code(
    "AGENTS_HEALTHY",
    meaning="The agents on the path are healthy.",
    template="The agents of {nodes} are healthy",
)


@probe(
    answers=(AboutConnection,),
    codes=(AGENT_UNHEALTHY, AGENT_NOT_READ, AGENTS_HEALTHY),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.AGENT_STATUS),
    hop=Hop.AGENTS,
)
def agents_healthy(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge the agents of the nodes that the legs touch."""
    look, legs = facts.look(Part.AGENT_STATUS), needed(Trial(question.connection, facts).legs)
    if not isinstance(look, Known):
        return
    nodes = sorted({node for leg in legs for node in (leg.source.node, leg.destination.node) if node})
    healthy = []
    for node in nodes:
        answer = look.value.on(node)
        if isinstance(answer, Missing):
            yield AGENT_NOT_READ.finding(
                Outcome.UNKNOWN,
                hop=Hop.AGENTS,
                advice=answer.remedy,
                follow_up=f"agent {node}",
                node=node,
                detail=answer.detail,
            )
            continue
        troubles = list(_troubles(node, answer.value))
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


def _troubles(node: str, status: AgentStatus) -> Iterator[Finding]:
    if status.state.lower() != "ok":
        yield AGENT_UNHEALTHY.finding(
            Outcome.PROBLEM,
            hop=Hop.AGENTS,
            evidence=[Evidence("agent", f"Node//{node}")],
            follow_up=f"agent {node}",
            node=node,
            message=status.message or status.state,
        )
