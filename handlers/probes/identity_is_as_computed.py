"""Nodes saw each address under the identity that is computed of it.

Where they saw another one, the connection is judged for that: packets that a node forwards for clients outside bear its
address and the world's identity.
"""

from collections.abc import Iterator

from handlers.connection.legs import LEG_PARTS
from handlers.connection.seen_identity import ends_seen_otherwise
from handlers.connection.trial import Trial
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

IDENTITY_SEEN_OTHERWISE = code(
    "IDENTITY_SEEN_OTHERWISE",
    meaning="A node saw packets of an address under another identity than the one that is computed of it.",
    template="{node} saw {address} as {seen}, though the address is that of {computed}: it is judged as {seen}",
    advice="A node forwards clients outside under its own address; for those ask from world to the node's port.",
)


@probe(
    answers=(AboutConnection,),
    codes=(IDENTITY_SEEN_OTHERWISE,),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.FLOWS),
    hop=Hop.IDENTITY,
)
def identity_is_as_computed(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Compare what is computed of each end with what was seen of it."""
    said: set[tuple[str, str, str]] = set()
    for leg in needed(Trial(question.connection, facts).legs):
        for place, seen in ends_seen_otherwise(leg, facts):
            key = (seen.node, seen.address, seen.in_words)
            if key in said:
                continue
            said.add(key)
            yield IDENTITY_SEEN_OTHERWISE.finding(
                Outcome.PROBLEM,
                hop=Hop.IDENTITY,
                evidence=[Evidence("hubble", f"Node//{seen.node}")],
                node=seen.node,
                address=seen.address,
                seen=seen.in_words,
                computed=place.title,
            )
