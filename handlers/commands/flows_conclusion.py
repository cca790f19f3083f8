"""What an answer about flows begins with: how many, of how long, and what could not be heard."""

from datetime import timedelta

from handlers.commands.since import span_in_words
from handlers.connection.coverage import coverage_of, is_shorter
from handlers.flows.connections import Fate, Group
from handlers.flows.question import AboutFlows
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence, Value, prose
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.snapshot import Known


def groups_of(question: AboutFlows, facts: Facts) -> tuple[Group, ...]:
    """Return the connections in question, none where something that tells them was not read."""
    groups = attempt(lambda: question.groups(facts))
    return () if isinstance(groups, Lacking) else groups


def headline_of(question: AboutFlows, facts: Facts, findings: tuple[Finding, ...], *notes: Sentence) -> Headline:
    """Count the connections; nothing seen is told only where all that matters was heard. ``notes`` go at the end."""
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    look = facts.look(Part.FLOWS)
    nodes = attempt(lambda: question.witnesses(facts))
    if not isinstance(look, Known) or nodes is None or isinstance(nodes, Lacking):
        claim = Sentence("which flows there are of {where}", {"where": question.where}, lead=CANNOT_TELL)
        first = doubts[0] if doubts else None
        return Headline(claim, reason=first.because if first else prose("no node was heard"))
    reach, groups = coverage_of(look.value, nodes), groups_of(question, facts)
    short = is_shorter(reach, look.value)
    span = facts.now - (reach.reaches if short and reach.reaches else look.value.since)
    values: dict[str, Value] = {
        "where": question.where,
        "window": span_in_words(timedelta(seconds=max(1, int(span.total_seconds())))),
        "count": sum(group.count for group in groups),
        "dropped": sum(group.count for group in groups if group.fate is Fate.DROPPED),
        "unanswered": sum(group.count for group in groups if group.is_unanswered),
        "pairs": len({(group.source, group.destination) for group in groups}),
        "what": _narrowed(question),
    }
    memory = Sentence("{node} remembers no more than that", {"node": reach.shortest}) if short else None
    more = tuple(filter(None, (memory, *(doubt.because for doubt in doubts[:1]))))
    if groups:
        words = "{count} connection{count:|s} of {where} in the last {window}, {pairs} pair{pairs:|s}"
        words += "; {dropped} dropped" + ", {unanswered} not answered" * bool(values["unanswered"])
        return Headline(Sentence(words, values), more=(*more, *notes))
    if doubts:
        claim = Sentence("whether there were {what} of {where}", values, lead=CANNOT_TELL)
        return Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice)
    return Headline(Sentence("No {what} of {where} seen in the last {window}", values), more=more)


def _narrowed(question: AboutFlows) -> str:
    port = f" to port {question.port}" if question.port is not None else ""
    return " ".join(filter(None, (question.fate, question.kind and question.kind.upper(), "flows"))) + port
