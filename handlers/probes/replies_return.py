"""Replies come back to the source.

Replies skip policy, since connection tracking knows the connection; when one is dropped, it is the datapath or the
network.
"""

from collections.abc import Iterator

from handlers.connection.legs import LEG_PARTS, Stretch
from handlers.connection.seen import Side, drops_of, sight_of
from handlers.connection.trial import Trial
from handlers.model.drop_reason import drop_reason
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import Flow, FlowVerdict
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

REPLIES_DROPPED = code(
    "REPLIES_DROPPED",
    meaning="Packets from the destination's port back to the source were dropped.",
    template="Replies from {destination} to {source} are dropped on {node}: {reason}",
    advice="The forward path is not the trouble; look at the node named.",
)
REPLIES_SEEN = code(
    "REPLIES_SEEN",
    meaning="Replies were seen on their way back.",
    template="Replies from {destination} get back to {source}",
)


@probe(
    answers=(AboutConnection,),
    codes=(REPLIES_DROPPED, REPLIES_SEEN),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.FLOWS),
    hop=Hop.REPLY,
)
def replies_return(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge the way back of each leg."""
    trial = Trial(question.connection, facts)
    said: set[str] = set()
    for stretch in needed(trial.stretches):
        for part in stretch.by_destination():
            finding = _judge(part, needed(trial.ends).source.title, facts.flows.flows)
            if finding and finding.text not in said:
                said.add(finding.text)
                yield finding


def _judge(part: Stretch, source: str, flows: tuple[Flow, ...]) -> Finding | None:
    destination = part.destinations[0].title
    drops = drops_of(_dropped_replies(part, flows))
    if drops:
        return REPLIES_DROPPED.finding(
            Outcome.PROBLEM,
            hop=Hop.REPLY,
            evidence=[Evidence("hubble", f"Node//{drops[0].node}", at=drops[0].last_at)],
            node=drops[0].node,
            reason=drop_reason(drops[0].reason).meaning,
            source=source,
            destination=destination,
        )
    answered = sight_of(part, flows).answered_at
    if answered:
        return REPLIES_SEEN.finding(
            Outcome.FINE,
            hop=Hop.REPLY,
            evidence=[Evidence("hubble", "", at=answered)],
            source=source,
            destination=destination,
        )
    return None


def _dropped_replies(part: Stretch, flows: tuple[Flow, ...]) -> list[Flow]:
    # Drops never say whether they are replies; a source port that is the asked one tells.
    if part.port is None:
        return []
    sources, destinations = Side.of(part.sources), Side.of(part.destinations)
    return [
        flow
        for flow in flows
        if flow.verdict is FlowVerdict.DROPPED
        and flow.protocol is part.protocol
        and flow.source.port == part.port
        and flow.destination.port != part.port
        and destinations.holds(flow.source)
        and sources.holds(flow.destination)
    ]
