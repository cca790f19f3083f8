"""Who can reach the end, and whom it can reach, is known."""

from collections.abc import Iterator
from dataclasses import replace

from handlers.commands.reach import WhoReaches
from handlers.model.decision import Verdict
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, Sentence, code
from handlers.probes.probe import probe
from handlers.reach.contacts import Contact, Passage, Reach, Way, reach
from handlers.reach.end_names import ends_named
from handlers.reach.ends import ClusterEnd
from handlers.whole_cluster import CLUSTER_PARTS, names_of, state_of

REACHES = code(
    "REACHES",
    meaning="Policies let these ends reach those on these ports; through a proxy, application rules decide further.",
    template="{sources} can reach {destinations} on {ports}",
)
REACHES_MAYBE = code(
    "REACHES_MAYBE",
    meaning="Whether these ends reach those depends on something that was not read.",
    template="Cannot tell whether {sources} can reach {destinations} on {ports}: not everything was read",
)
REACHES_NOBODY = code(
    "REACHES_NOBODY",
    meaning="Policies let nothing pass this way.",
    template="{sources} can reach {destinations} on no port",
)
END_NOT_FOUND = code(
    "END_NOT_FOUND",
    meaning="Nothing in the cluster bears the name that was asked for.",
    template="Nothing in the cluster is called {end}",
    advice="Write namespace/name, namespace/*, an entity, an address or a DNS name that the cluster has learnt.",
)
MORE_CONTACTS = code(
    "MORE_CONTACTS",
    meaning="There are more contacts than a report holds.",
    template="{count} more groups of flows can pass or cannot be told",
)

MOST_CONTACTS = 200
"""Contacts in a report; the others are counted."""


@probe(
    answers=(WhoReaches,),
    codes=(REACHES, REACHES_MAYBE, REACHES_NOBODY, END_NOT_FOUND, MORE_CONTACTS),
    uses=CLUSTER_PARTS,
    blocking=True,
)
def contacts_are_known(question: WhoReaches, facts: Facts) -> Iterator[Finding]:
    """Report every group of peers with whom the end has the same passages."""
    state = state_of(question, facts)
    numbers = ends_named(question.end, state.roster)
    if not numbers:
        yield END_NOT_FOUND.finding(Outcome.UNKNOWN, blocking=True, end=question.end)
    found = [one for number in numbers for one in _contacts(reach(state, number, question.ways.single))]
    yield from found[:MOST_CONTACTS]
    if len(found) > MOST_CONTACTS:
        yield MORE_CONTACTS.finding(Outcome.FINE, weight=-1, count=len(found) - MOST_CONTACTS)


def _contacts(found: Reach) -> Iterator[Finding]:
    for way, contacts in found.ways:
        if not contacts:
            sources, destinations = _directed(way, found.end.title, "anybody" if way is Way.TO else "Nobody")
            yield REACHES_NOBODY.finding(Outcome.FINE, sources=sources, destinations=destinations)
        for contact in contacts:
            for passage in contact.passages:
                yield _passage(found.end, way, contact, passage)


def _passage(end: ClusterEnd, way: Way, contact: Contact, passage: Passage) -> Finding:
    sources, destinations = _directed(way, end.title, names_of(contact.peers))
    ports = ("every port",) if passage.is_every_port else tuple(map(str, passage.ports))
    if passage.verdict is Verdict.UNKNOWN:
        return REACHES_MAYBE.finding(Outcome.UNKNOWN, sources=sources, destinations=destinations, ports=ports)
    one = REACHES.finding(
        Outcome.FINE,
        evidence=[Evidence("computed", "", excerpt=reason) for reason in passage.because],
        follow_up=_why(end, way, contact, passage),
        sources=sources,
        destinations=destinations,
        ports=ports,
    )
    proxy = " through a proxy, where application rules apply" if passage.through_proxy else ""
    reasons = "; ".join(passage.because) or "the rules are not named"
    return replace(one, detail=Sentence(f"passes{proxy} ({{reasons}})", {"reasons": reasons}))


def _why(end: ClusterEnd, way: Way, contact: Contact, passage: Passage) -> str:
    """Return the question that looks closer, where one pair of pods and one port is meant."""
    ends = (contact.peers[0], end) if way is Way.FROM else (end, contact.peers[0])
    span = passage.ports[0].spans[0]
    is_one = len(contact.peers) == 1 and not passage.is_every_port and not span.protocol.is_icmp
    if not is_one or not all(one.pods and " " not in one.title for one in ends):
        return ""
    return f"why {ends[0].title} {ends[1].title} {span.first}/{span.protocol}"


Names = str | tuple[str, ...]


def _directed(way: Way, end: str, peers: Names) -> tuple[Names, Names]:
    return (peers, end) if way is Way.FROM else (end, peers)
