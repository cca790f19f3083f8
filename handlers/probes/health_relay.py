"""Relay hears every node.

What relay does not hear, no flow query sees; its answers are then incomplete without looking so.
"""

from collections.abc import Iterator

from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutNodes
from handlers.model.snapshot import Gap, Missing
from handlers.probes.probe import probe

RELAY_MISSES_NODE = code(
    "RELAY_MISSES_NODE",
    meaning="Relay is not connected to a node's Hubble server, so flows of that node are missing from every answer.",
    template="Relay does not hear {node} ({state})",
    advice="Check the agent of the node, port 4244 between relay and the node, and the TLS certificates.",
)
RELAY_HEARS_ALL = code(
    "RELAY_HEARS_ALL",
    meaning="Relay is connected to every node.",
    template="Relay hears {count} node{count:|s}",
)
RING_TURNS_FAST = code(
    "RING_TURNS_FAST",
    meaning="A node's ring of events is full: older flows are gone.",
    template="The flow ring of {node} is full at {max} events; older flows are forgotten",
    advice="Raise hubble-event-buffer-capacity if minutes matter.",
)


@probe(
    answers=(AboutNodes,),
    codes=(RELAY_MISSES_NODE, RELAY_HEARS_ALL, RING_TURNS_FAST),
    uses=(Part.RELAY,),
    blocking=True,
)
def health_relay(question: AboutNodes, facts: Facts) -> Iterator[Finding]:
    """Judge relay's list of peers."""
    look = facts.look(Part.RELAY)
    if isinstance(look, Missing) and look.gap is Gap.NOT_IN_DUMP:
        # No archive has it; that makes none of its answers a doubt.
        return
    nodes = [node for node in facts.relay.nodes if question.node in (None, node.name)]
    deaf = [node for node in nodes if node.state not in ("NODE_CONNECTED", "CONNECTED")]
    for node in deaf:
        yield RELAY_MISSES_NODE.finding(
            Outcome.PROBLEM,
            evidence=[Evidence("hubble", f"Node//{node.name}")],
            weight=65,
            node=node.name,
            state=node.state.removeprefix("NODE_").lower(),
        )
    for node in nodes:
        if node.max_flows and node.num_flows and node.num_flows >= node.max_flows:
            yield RING_TURNS_FAST.finding(
                Outcome.NOT_APPLICABLE,
                evidence=[Evidence("hubble", f"Node//{node.name}")],
                node=node.name,
                max=node.max_flows,
            )
    if nodes and not deaf:
        yield RELAY_HEARS_ALL.finding(Outcome.FINE, count=len(nodes))
