"""No DNS query of the endpoint is dropped.

Who dropped it, since when, who changed that policy before, and whether others are concerned: what is dropped for one
workload alone is the fault of a policy of its own, and not of the cluster's DNS.
"""

from collections.abc import Iterator, Sequence

from handlers.connection.coverage import nodes_in_words
from handlers.connection.drop_causes import cause_of, owners_of, told_with_change
from handlers.connection.drop_groups import DropGroup, drop_groups
from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.observation import clock
from handlers.connection.places import Place, PlaceKind
from handlers.connection.policies import POLICY_OPTIONAL_PARTS
from handlers.connection.seen import is_at
from handlers.lookups.seen import DNS_PORT
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, code
from handlers.model.flow import Flow, FlowVerdict
from handlers.model.parts import Part
from handlers.model.question import AboutLookup
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.probes.probe import probe

LOOKUPS_DROPPED = code(
    "LOOKUPS_DROPPED",
    meaning="DNS queries of the endpoint are dropped before a server sees them.",
    template="{count} DNS quer{count:y|ies} of {subject} to {server} on {port} {count:was|were} dropped ({reason}), "
    "last at {at}: {why}; {others}",
    reason="its queries to {server} on {port} are dropped: {why}",
    advice="Allow egress to the cluster's DNS on port 53, UDP and TCP.",
)


@probe(
    answers=(AboutLookup,),
    codes=(LOOKUPS_DROPPED,),
    needs=(*PARTS, Part.FLOWS),
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, *POLICY_OPTIONAL_PARTS, Part.POLICIES, Part.CHANGES),
    hop=Hop.DNS,
)
def lookups_pass(question: AboutLookup, facts: Facts) -> Iterator[Finding]:
    """Group the dropped queries; those that a later one outdates are history."""
    source = resolve(question.source, facts, End.SOURCE, None, None)
    places = [place for place in places_of(source, facts) if place.kind is PlaceKind.POD]
    if source.obstacle or not places:
        return
    queries = [flow for flow in facts.flows.flows if flow.destination.port == DNS_PORT and not flow.dns]
    mine = [flow for flow in queries if any(is_at(flow.source, place) for place in places)]
    groups = drop_groups((flow for flow in mine if flow.verdict is FlowVerdict.DROPPED), owners_of(facts))
    for group in groups:
        if not _is_history(group, mine):
            yield _finding(group, places, _others(queries, mine, facts), facts)


def _is_history(group: DropGroup, mine: Sequence[Flow]) -> bool:
    passed = (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED)
    return any(flow.verdict in passed and flow.time > group.last_at for flow in mine)


def _others(queries: Sequence[Flow], mine: Sequence[Flow], facts: Facts) -> Sentence:
    """Return whose queries else are dropped; the query for drops on port 53 asks for everybody's."""
    own = {id(flow) for flow in mine}
    dropped = [flow for flow in queries if flow.verdict is FlowVerdict.DROPPED and id(flow) not in own]
    names = {group.source for group in drop_groups(dropped, owners_of(facts))}
    if names:
        return Sentence("so are those of {names}", {"names": nodes_in_words(names)})
    return Sentence("no drop of anybody else's queries was seen")


def _finding(group: DropGroup, places: Sequence[Place], others: Sentence, facts: Facts) -> Finding:
    cause = cause_of(group, facts)
    return LOOKUPS_DROPPED.finding(
        Outcome.PROBLEM,
        hop=Hop.DNS,
        evidence=[
            Evidence("hubble", f"Pod/{places[0].pod}", at=group.last_at, excerpt=group.reason),
            *(Evidence("kubernetes", ref, "/spec") for ref in cause.policies),
        ],
        weight=75,
        follow_up=f"why {group.source} {group.destination} {group.port}/{group.protocol}" if group.protocol else "",
        count=group.count,
        subject=group.source,
        server=group.destination,
        port=f"{group.port}/{group.protocol}",
        reason=group.reason,
        at=clock(group.last_at),
        why=told_with_change(cause, facts),
        others=others,
    )
