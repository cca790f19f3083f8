"""Replies come back to the source.

Replies skip policy, since connection tracking knows the connection; when one is dropped, it is the datapath or the
network.
"""

from collections.abc import Iterator

from handlers.commands.why import Why
from handlers.model.drop_reason import drop_reason
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import Flow, FlowVerdict
from handlers.model.snapshot import Part
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.path.ends import ends_of
from handlers.path.legs import Leg, legs_of
from handlers.path.seen import drops_of, is_at, sight_of
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
    answers=(Why,),
    codes=(REPLIES_DROPPED, REPLIES_SEEN),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, Part.ENDPOINT_SLICES, Part.FLOWS),
    hop=Hop.REPLY,
)
def replies_return(question: Why, facts: Facts) -> Iterator[Finding]:
    """Judge the way back of each leg."""
    ends = ends_of(question.connection, facts)
    if not ends.are_clear:
        return
    said: set[str] = set()
    for leg in legs_of(question.connection, ends, facts):
        finding = _judge(leg, facts.flows.flows)
        if finding and finding.text not in said:
            said.add(finding.text)
            yield finding


def _judge(leg: Leg, flows: tuple[Flow, ...]) -> Finding | None:
    drops = drops_of(flow for flow in flows if _is_dropped_reply(flow, leg))
    if drops:
        return REPLIES_DROPPED.finding(
            Outcome.PROBLEM,
            hop=Hop.REPLY,
            evidence=[Evidence("hubble", f"Node//{drops[0].node}", at=drops[0].last_at)],
            node=drops[0].node,
            reason=drop_reason(drops[0].reason).meaning,
            source=leg.source.title,
            destination=leg.destination.title,
        )
    answered = sight_of(leg, flows).answered_at
    if answered:
        return REPLIES_SEEN.finding(
            Outcome.FINE,
            hop=Hop.REPLY,
            evidence=[Evidence("hubble", "", at=answered)],
            source=leg.source.title,
            destination=leg.destination.title,
        )
    return None


def _is_dropped_reply(flow: Flow, leg: Leg) -> bool:
    # Drops never say whether they are replies; a source port that is the asked one tells.
    return (
        flow.verdict is FlowVerdict.DROPPED
        and flow.protocol is leg.protocol
        and leg.port is not None
        and flow.source.port == leg.port
        and flow.destination.port != leg.port
        and is_at(flow.source, leg.destination)
        and is_at(flow.destination, leg.source)
    )
