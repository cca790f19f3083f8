"""``flows``: which connections were seen lately, and what became of them?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, left_over, worst_first
from handlers.commands.flows_conclusion import groups_of, headline_of
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_flows import KEYWORDS, TypedFlows
from handlers.flows.connections import Group
from handlers.flows.question import AboutFlows
from handlers.model.facts import Facts
from handlers.model.finding import Finding
from handlers.model.parts import Part
from handlers.model.table import Table
from handlers.names.grammar import items, without_leads
from handlers.sentence.subject import Subject

USAGE = "flows [A] [B] [tcp|udp|icmp|http|dns] [forwarded|dropped|audit|redirected] [PORT] [since 15m] [follow 60s]"
_JUST_NOW = timedelta(seconds=10)
"""How far back a question looks that follows, when nothing is said."""
_MOST_ROWS = 500
COLUMNS = ("time (UTC)", "from", "to", "port", "verdict", "why", "count")


@dataclass(frozen=True, slots=True)
class Flows(AboutFlows):
    """Which connections were seen? ``follow`` is for how long new ones are waited for, None for not at all."""

    follow: timedelta | None = None

    def __str__(self) -> str:
        """Return the normal form."""
        usual = _JUST_NOW if self.follow else DEFAULT_SPAN
        words = [
            *(str(one.endpoint or one.namespace or "") for one in (self.subject, self.other) if one),
            self.kind or "",
            f"port {self.port}" if self.port is not None else "",
            self.fate or "",
            "" if self.since == usual else f"since {span_in_words(self.since)}",
            f"follow {span_in_words(self.follow)}" if self.follow else "",
        ]
        return " ".join(filter(None, ("flows", *words)))


def parse(text: str) -> Flows:
    """Read up to two ends, what was sent, what became of it, how far back, and for how long to follow.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    read, odd = TypedFlows(), []
    found = without_leads(items(text))
    for index, item in enumerate(found):
        if not read.takes(item, is_last=index + 1 == len(found)):
            odd.append(item)
    if odd:
        raise left_over(odd, USAGE)
    since = read.since or (_JUST_NOW if read.follow else DEFAULT_SPAN)
    first, *others = read.subjects or [Subject()]
    return Flows(since, first, others[0] if others else None, read.kind, read.port, read.fate, read.follow)


def conclude(question: Flows, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Count the connections and show them."""
    groups = groups_of(question, facts)
    return Conclusion(headline_of(question, facts, findings), tables=(table_of(groups),) if groups else ())


def table_of(groups: Iterable[Group]) -> Table:
    """Return connections as a table, the newest first."""
    rows = tuple(
        (
            f"{group.at:%H:%M:%S}",
            group.source,
            group.destination,
            group.port,
            group.fate.value,
            group.why,
            group.count,
        )
        for group in groups
    )
    return Table("Flows, newest first", COLUMNS, rows[:_MOST_ROWS], max(0, len(rows) - _MOST_ROWS))


COMMAND = Command(
    name="flows",
    usage=USAGE,
    summary="Recent flows as a table, one line for connections that are alike, with what became of them.",
    examples=("flows shop", "flows shop/frontend shop/cart port 8080", "flows shop dropped", "flows dns follow 60s"),
    question=Flows,
    parse=parse,
    conclude=conclude,
    watch=lambda question: question.follow,
    keywords=KEYWORDS,
    phrases=(
        "show|list|recent|latest|watch|tail|follow flows|flow|traffic",
        "flows -why",
        "show|list|recent connections",
    ),
    arrange=worst_first,
    keep=timedelta(seconds=10),
    leave_out=frozenset({Part.WORKLOADS, Part.NAMED_PORTS}),
)
