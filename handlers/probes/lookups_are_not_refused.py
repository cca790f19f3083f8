"""The agent's proxy refuses no name that the endpoint looks up.

A DNS rule lists the names that may be asked for; for all others the proxy answers REFUSED, under every search suffix.
It is no drop: the packet went to the proxy as policy wants.
"""

from collections.abc import Iterator

from handlers.connection.clause_words import nearest_in_words
from handlers.connection.coverage import nodes_in_words
from handlers.connection.judgement import dns_decisions
from handlers.connection.legs import LEG_PARTS, Leg, places_of
from handlers.connection.observation import clock
from handlers.connection.parties import parties_of
from handlers.connection.places import Place, PlaceKind
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.connection.seen import is_at
from handlers.lookups.resolver import resolver_of
from handlers.lookups.seen import DNS_PORT, Fate, Lookup, lookups_in
from handlers.lookups.servers import service_of_dns
from handlers.model.decision import Decision, Verdict
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, code
from handlers.model.parts import Part
from handlers.model.question import AboutLookup
from handlers.model.traffic import Protocol
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.probes.probe import probe

LOOKUPS_REFUSED = code(
    "LOOKUPS_REFUSED",
    meaning="The agent's proxy refused look-ups, since no DNS rule lists the names.",
    template="The proxy refused {names} to {subject}, last at {at}: {why}",
    reason="the proxy refuses {names}: {why}",
    advice="Add the names, or patterns that cover them, to the DNS rule. A * does not cross a dot.",
)


@probe(
    answers=(AboutLookup,),
    codes=(LOOKUPS_REFUSED,),
    needs=(*PARTS, *POLICY_PARTS, Part.FLOWS),
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, *POLICY_OPTIONAL_PARTS, Part.CLUSTER_DNS, Part.SYSTEM_WORKLOADS),
    hop=Hop.DNS,
)
def lookups_are_not_refused(question: AboutLookup, facts: Facts) -> Iterator[Finding]:
    """Tell the names that were refused, and the rule that lists others. One name that policy judges is told by it."""
    source = resolve(question.source, facts, End.SOURCE, None, None)
    if source.obstacle or question.name:
        return
    places = [place for place in places_of(source, facts) if place.kind is PlaceKind.POD and place.pod]
    records = [
        flow
        for flow in facts.flows.flows
        if flow.dns and any(is_at(end, place) for place in places for end in (flow.source, flow.destination))
    ]
    if not records or not places or not (pod := places[0].pod):
        return
    lookups = lookups_in(records, resolver_of(pod, service_of_dns(facts)), facts.flows.until)
    refused = [lookup for lookup in lookups if lookup.fate is Fate.REFUSED]
    if refused and not _is_allowed_by_now(places[0], refused[-1], facts):
        yield _finding(refused, places[0], str(question.source), facts)


def _is_allowed_by_now(place: Place, lookup: Lookup, facts: Facts) -> bool:
    return {decision.verdict for decision in _decisions(place, lookup, facts)} == {Verdict.ALLOWED}


def _finding(refused: list[Lookup], place: Place, subject: str, facts: Facts) -> Finding:
    last = refused[-1]
    decision = next((one for one in _decisions(place, last, facts) if one.verdict is Verdict.DENIED_L7), None)
    policies = tuple(dict.fromkeys(str(rule.policy) for rule in decision.rules)) if decision else ()
    return LOOKUPS_REFUSED.finding(
        Outcome.PROBLEM,
        hop=Hop.DNS,
        evidence=[
            Evidence("hubble", f"Pod/{place.pod}", at=last.at, excerpt=last.query),
            *(Evidence("kubernetes", ref) for ref in policies),
        ],
        weight=65,
        follow_up=f"dns {subject} {last.name}",
        names=nodes_in_words(one.name for one in refused),
        subject=subject,
        at=clock(last.at),
        why=_why(decision),
    )


def _decisions(place: Place, lookup: Lookup, facts: Facts) -> Iterator[Decision]:
    leg = Leg(place, place, Protocol.UDP, DNS_PORT)
    for party in parties_of(leg, at_source=True, learns_names=False, facts=facts):
        yield from dns_decisions(party.party, lookup.query, facts)


def _why(decision: Decision | None) -> Sentence:
    if decision is None or decision.nearest_miss is None:
        return Sentence("the DNS rules of its policies list other names")
    return nearest_in_words(decision.nearest_miss, decision.peer)
