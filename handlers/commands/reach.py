"""``reach``: who can reach an end, and what can it reach?"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from handlers.commands.command import Command, Conclusion, NotUnderstoodError
from handlers.commands.since import DEFAULT_SPAN
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.question import AboutCluster
from handlers.model.scope import Scope
from handlers.names.grammar import Fresh, items
from handlers.reach.contacts import Way
from handlers.reach.end_names import EndNameError, ends_named
from handlers.reach.roster import Roster
from handlers.whole_cluster import whole_scope

USAGE = "reach END [from|to] [fresh]"


class Ways(StrEnum):
    """Which way to look: at who can reach the end, at whom it can reach, or both."""

    BOTH = "both"
    FROM = "from"
    TO = "to"

    @property
    def single(self) -> tuple[Way, ...]:
        """The ways one by one."""
        return {Ways.BOTH: tuple(Way), Ways.FROM: (Way.FROM,), Ways.TO: (Way.TO,)}[self]


@dataclass(frozen=True, slots=True)
class WhoReaches(AboutCluster):
    """Who can reach an end, and what can it reach? ``end`` is written as in ``handlers.reach.end_names``."""

    end: str
    ways: Ways = Ways.BOTH

    def __str__(self) -> str:
        """Return the normal form."""
        return f"reach {self.end}" + ("" if self.ways is Ways.BOTH else f" {self.ways}")

    def scope(self, so_far: Facts) -> Scope:
        """Return the whole cluster."""
        return whole_scope(self, so_far, DEFAULT_SPAN)


def parse(text: str) -> WhoReaches:
    """Read an end, and which way to look.

    Raises:
        NotUnderstoodError: if there is not exactly one end, or it is written in no way that is understood.
    """
    words = [word for word in text.split() if not _is_fresh(word)]
    ways = Ways(words.pop()) if len(words) > 1 and words[-1] in tuple(Ways) else Ways.BOTH
    if len(words) != 1:
        raise NotUnderstoodError("Name one end.", USAGE, ("reach shop/cart", "reach shop/cart from"))
    try:
        ends_named(words[0], Roster(()))
    except EndNameError as error:
        raise NotUnderstoodError(f"{error}.", USAGE, ("reach shop/cart",)) from error
    return WhoReaches(words[0], ways)


def _is_fresh(word: str) -> bool:
    return any(isinstance(item, Fresh) for item in items(word))


def conclude(question: WhoReaches, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say how many contacts there are, or why they are not known."""
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    blocking = [finding for finding in doubts if finding.blocking]
    if blocking:
        claim = Sentence("all about {end}", {"end": question.end}, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, reason=blocking[0].sentence, remedy=blocking[0].advice))
    count = sum(finding.code == "REACHES" for finding in findings)
    words = "{count} group{count:|s} of flows can pass" + "; {doubts} cannot be told" * bool(doubts)
    claim = Sentence("{end}: " + words, {"end": question.end, "count": count, "doubts": len(doubts)})
    return Conclusion(Headline(claim))


COMMAND = Command(
    name="reach",
    usage=USAGE,
    summary="Who can reach an end and what can it reach, on which ports, by which rules?",
    examples=("reach shop/cart", "reach shop/cart from", "reach world to", "reach shop/"),
    question=WhoReaches,
    parse=parse,
    conclude=conclude,
    keep=timedelta(seconds=60),
)
