"""``talkers``: who talks to whom most, and what of it is dropped?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, left_over, worst_first
from handlers.commands.flows_conclusion import groups_of, headline_of
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_span import without_span
from handlers.flows.pairs import namespace_matrix, pairs_of, table_of_pairs
from handlers.flows.question import AboutFlows, names_of_ends
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Sentence
from handlers.model.parts import Part
from handlers.names.grammar import End, Item, Word, is_bare_name, items, without_leads
from handlers.sentence.subject import Subject

USAGE = "talkers [NAMESPACE|A] [since 15m] [fresh]"
_NO_BYTES = Sentence("Hubble's flows carry no bytes, so that pairs are ranked by flows")


@dataclass(frozen=True, slots=True)
class Talkers(AboutFlows):
    """Who talks to whom most: at one end, in one namespace, on one node, or everywhere?"""

    def __str__(self) -> str:
        """Return the normal form."""
        about = str(self.subject.endpoint or self.subject.namespace or "")
        since = "" if self.since == DEFAULT_SPAN else f"since {span_in_words(self.since)}"
        return " ".join(filter(None, ("talkers", about, since)))

    @property
    def next_question(self) -> str:
        """The connections themselves."""
        return f"flows {self.subject.endpoint or self.subject.namespace or ''}".strip()


def parse(text: str) -> Talkers:
    """Read an endpoint, a namespace or a node, and how far back.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    subjects: list[Subject] = []
    odd: list[Item] = []
    span, words = without_span(without_leads(items(text)))
    for item in words:
        match item:
            case End(name=name, port=None) if not subjects:
                subjects.append(Subject(endpoint=name))
            case Word(text=word, port=None) if not subjects and is_bare_name(item):
                subjects.append(Subject(namespace=word.lower()))
            case _:
                odd.append(item)
    if odd:
        raise left_over(odd, USAGE)
    return Talkers(span or DEFAULT_SPAN, subjects[0] if subjects else Subject())


def conclude(question: Talkers, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Show the busiest pairs, and which namespace talks to which."""
    groups = groups_of(question, facts)
    headline = headline_of(question, facts, findings, _NO_BYTES)
    if not groups:
        return Conclusion(headline)
    matrix = namespace_matrix(groups, names_of_ends(facts))
    return Conclusion(headline, tables=(table_of_pairs(pairs_of(groups)), matrix))


COMMAND = Command(
    name="talkers",
    usage=USAGE,
    summary="Who talks to whom most, with what is dropped of it, and which namespace talks to which.",
    examples=("talkers", "talkers shop", "talkers payments since 5m"),
    question=Talkers,
    parse=parse,
    conclude=conclude,
    phrases=("talker*", "top|busiest pairs", "talk* most"),
    arrange=worst_first,
    keep=timedelta(seconds=30),
    leave_out=frozenset({Part.WORKLOADS, Part.NAMED_PORTS}),
)
