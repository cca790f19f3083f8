"""The pod's node reaches the gateway that an egress gateway policy leads its traffic through.

What a gateway takes out crosses the network between the nodes first, in the tunnel. Nobody moves the traffic to another
gateway when that one is out of reach; a failed health probe tells of it, unless packets were seen to pass since.
"""

from collections.abc import Iterator

from handlers.commands.since import age_in_words
from handlers.connection.node_pairs import way_between
from handlers.connection.outbound import OUTBOUND_PARTS, outbound_of, passes_since
from handlers.connection.trial import Trial
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

EGRESS_GATEWAY_UNREACHED = code(
    "EGRESS_GATEWAY_UNREACHED",
    meaning="A health probe between the pod's node and its egress gateway failed, and nothing newer settles it.",
    template="Whether packets from {node} reach the gateway {gateway} is open: the health probe of {prober} {age} "
    "failed: {error}",
    reason="whether {node} reaches the gateway {gateway} is open",
    advice="Look at the two nodes, and at what lies between them; try the connection once and ask again.",
)


@probe(
    answers=(AboutConnection,),
    codes=(EGRESS_GATEWAY_UNREACHED,),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *OUTBOUND_PARTS, Part.AGENT_STATUS),
    hop=Hop.EGRESS_GATEWAY,
    blocking=True,
)
def egress_gateway_reached(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge each gateway, both ways, by the nodes' own probes."""
    trial = Trial(question.connection, facts)
    said: set[frozenset[str]] = set()
    for outbound in outbound_of(trial):
        home = outbound.source.node
        for entry in outbound.choice.taken if outbound.is_on and home else ():
            gateways = {way.node.name for way in outbound.ways(entry) if way.node} - {home}
            for gateway in sorted(gateways):
                found = _doubt(home or "", gateway, facts)
                if found and frozenset((home or "", gateway)) not in said and not passes_since(entry, trial):
                    said.add(frozenset((home or "", gateway)))
                    yield found


def _doubt(home: str, gateway: str, facts: Facts) -> Finding | None:
    ways = (way_between(home, gateway, {}, facts), way_between(gateway, home, {}, facts))
    for way in ways:
        if failure := way.failure:
            return EGRESS_GATEWAY_UNREACHED.finding(
                Outcome.UNKNOWN,
                hop=Hop.EGRESS_GATEWAY,
                blocking=True,
                evidence=[Evidence("agent", f"Node//{way.node}", at=failure.at)],
                follow_up=f"nodes {home} {gateway}",
                node=home,
                gateway=gateway,
                prober=way.node,
                age=age_in_words(failure.at, facts.now),
                error=failure.error,
            )
    return None
