"""Who changed last what decides here is told.

A Service, and the policies that select who looks names up: managed fields say who changed them, and when. It is told
and not blamed; what came of it other checks say.
"""

from collections.abc import Iterator

from handlers.connection.change_words import change_in_words
from handlers.connection.legs import LEG_PARTS, Leg, places_of
from handlers.connection.parties import parties_of
from handlers.connection.places import PlaceKind
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, policies_of
from handlers.lookups.seen import DNS_PORT
from handlers.model.change import newest
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutLookup, AboutService
from handlers.model.rule import Direction
from handlers.model.traffic import Protocol
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.probes.probe import probe

CHANGED_BY = code(
    "CHANGED_BY",
    meaning="Who changed last what decides about the answer, and when.",
    template="{change}",
)


@probe(
    answers=(AboutService, AboutLookup),
    codes=(CHANGED_BY,),
    needs=(*PARTS, Part.CHANGES),
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, *POLICY_OPTIONAL_PARTS, Part.POLICIES),
)
def change_is_told(question: AboutService | AboutLookup, facts: Facts) -> Iterator[Finding]:
    """Tell the newest change that somebody decided."""
    refs = _service(question, facts) if isinstance(question, AboutService) else _policies(question, facts)
    change = newest(one for one in facts.changes.found if one.ref in refs)
    if change is None:
        return
    hop = Hop.SERVICE if isinstance(question, AboutService) else Hop.EGRESS_POLICY
    yield CHANGED_BY.finding(
        Outcome.FINE,
        hop=hop,
        evidence=[Evidence("kubernetes", change.ref, "/metadata/managedFields", at=change.at, excerpt=change.manager)],
        change=change_in_words(change),
    )


def _service(question: AboutService, facts: Facts) -> frozenset[str]:
    service = resolve(question.service, facts, End.DESTINATION, question.port, question.protocol).service
    return frozenset({f"Service/{service.namespace}/{service.name}"} if service else ())


def _policies(question: AboutLookup, facts: Facts) -> frozenset[str]:
    """Return the policies that select an endpoint's egress: one of them lets its queries pass, or does not."""
    source = resolve(question.source, facts, End.SOURCE, None, None)
    if source.obstacle:
        return frozenset()
    found: set[str] = set()
    for place in places_of(source, facts):
        if place.kind is PlaceKind.POD:
            leg = Leg(place, place, Protocol.UDP, DNS_PORT)
            for party in parties_of(leg, at_source=True, learns_names=False, facts=facts):
                rules = policies_of(facts).rules_selecting(party.party, Direction.EGRESS)
                found |= {str(rule.origin.policy) for rule in rules}
    return frozenset(found)
