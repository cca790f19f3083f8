"""Connections that were seen are neither dropped nor left without an answer.

Each finding is about the connections of one pair to one port; the table has all of them.
"""

from collections.abc import Iterator

from handlers.connection.observation import clock
from handlers.flows.connections import Fate, Group
from handlers.flows.end_names import EndNames
from handlers.flows.question import AboutFlows, names_of_ends
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

FLOWS_DROPPED = code(
    "FLOWS_DROPPED",
    meaning="Connections of one pair to one port that were dropped, by the newest flows.",
    template="{count} × {source} → {destination} on {port} dropped: {why}, last at {at}",
    advice="Open the why for the cause; drops groups all of them and names policies.",
)
FLOWS_AUDITED = code(
    "FLOWS_AUDITED",
    meaning="Connections that passed only because audit mode is on.",
    template="{count} × {source} → {destination} on {port}: passed only because of audit mode, last at {at}",
)
FLOWS_UNANSWERED = code(
    "FLOWS_UNANSWERED",
    meaning="Attempts to connect that were forwarded and for which no answer was seen.",
    template="{count} × {source} → {destination} on {port}: {why}, last at {at}",
)
FLOWS_PASSED = code(
    "FLOWS_PASSED",
    meaning="Of the connections that were seen none was dropped, nor left without an answer.",
    template="None of {count} connection{count:|s} was dropped or left without an answer",
)
FLOWS_OF_WHOM = code(
    "FLOWS_OF_WHOM",
    meaning="A name means nothing, or nothing of which flows can be told.",
    template="Flows of {name} cannot be told: no namespace, workload, Service, node, address or entity is called so",
    advice="Check the spelling.",
)
_MOST = 10


@probe(
    answers=(AboutFlows,),
    codes=(FLOWS_DROPPED, FLOWS_AUDITED, FLOWS_UNANSWERED, FLOWS_PASSED, FLOWS_OF_WHOM),
    needs=PARTS,
    uses=(Part.FLOWS, *OPTIONAL_PARTS),
)
def flows_are_listed(question: AboutFlows, facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each pair and port that something befell, those of the newest flows first."""
    if question.about(facts) is None:
        yield FLOWS_OF_WHOM.finding(Outcome.UNKNOWN, name=question.where)
        return
    names = names_of_ends(facts)
    groups = question.groups(facts)
    told = [one for one in (_finding(group, names) for group in groups) if one is not None]
    yield from told[:_MOST]
    if groups and not told:
        count = sum(group.count for group in groups)
        yield FLOWS_PASSED.finding(Outcome.FINE, follow_up=question.next_question, count=count)


def _finding(group: Group, names: EndNames) -> Finding | None:
    if group.fate is Fate.DROPPED:
        return _of(FLOWS_DROPPED, Outcome.PROBLEM, group, names)
    if group.fate is Fate.AUDIT:
        return _of(FLOWS_AUDITED, Outcome.NOT_APPLICABLE, group, names)
    if group.is_unanswered:
        return _of(FLOWS_UNANSWERED, Outcome.NOT_APPLICABLE, group, names)
    return None


def _of(spoken: Code, outcome: Outcome, group: Group, names: EndNames) -> Finding:
    one = group.example
    source, destination = names.to_ask(one.source), names.to_ask(one.destination)
    port = "icmp" if one.protocol and one.protocol.is_icmp else f"{one.destination.port}/{one.protocol}"
    can_ask = (one.source.pod or one.destination.pod) and one.protocol and source and destination
    return spoken.finding(
        outcome,
        evidence=[Evidence("hubble", group.port, at=group.at, excerpt=group.why)],
        follow_up=f"why {source} {destination} {port}" if can_ask else "",
        weight=group.count,
        count=group.count,
        source=group.source,
        destination=group.destination,
        port=group.port,
        why=group.why,
        at=clock(group.at),
    )
