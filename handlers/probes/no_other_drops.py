"""Nothing but policy drops the packets.

Routes, tunnels, NAT, connection tracking and half-started datapaths drop as well, and each names its reason.
"""

from collections.abc import Iterator

from handlers.connection.legs import LEG_PARTS
from handlers.connection.seen import sight_of
from handlers.connection.trial import Trial
from handlers.model.drop_reason import drop_reason
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

DROPPED_NOT_BY_POLICY = code(
    "DROPPED_NOT_BY_POLICY",
    meaning="Packets of this connection were dropped for a reason that is no policy.",
    template="{count} packet{count: was|s were} dropped on {node} as {reason}: {meaning}",
)


@probe(
    answers=(AboutConnection,),
    codes=(DROPPED_NOT_BY_POLICY,),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.FLOWS),
    hop=Hop.AGENTS,
)
def no_other_drops(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Name every drop that is not policy's."""
    trial = Trial(question.connection, facts)
    said: set[tuple[str, str]] = set()
    for stretch in needed(trial.stretches):
        for drop in sight_of(stretch, facts.flows.flows).drops:
            known = drop_reason(drop.reason)
            if known.is_policy or drop.reason == "L7" or (drop.reason, drop.node) in said:
                continue
            said.add((drop.reason, drop.node))
            yield DROPPED_NOT_BY_POLICY.finding(
                Outcome.PROBLEM,
                hop=known.hop if known.hop in (Hop.SERVICE, Hop.IDENTITY, Hop.EGRESS_GATEWAY, Hop.L7) else Hop.AGENTS,
                evidence=[Evidence("hubble", f"Node//{drop.node}", at=drop.last_at)],
                advice=known.remedy,
                weight=drop.count,
                count=drop.count,
                node=drop.node,
                reason=drop.reason,
                meaning=known.meaning,
            )
