"""``reach``: who can reach an end, and what can it reach?"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, Reading, left_over
from handlers.commands.since import DEFAULT_SPAN
from handlers.model.endpoint import Named
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.question import AboutCluster
from handlers.model.scope import Scope
from handlers.names.grammar import End, Fresh, Word, items
from handlers.names.lexicon import Cue
from handlers.reach.contacts import Way
from handlers.reach.end_names import EndNameError, ends_named
from handlers.reach.roster import Roster
from handlers.sentence.direction import Role, role_alone
from handlers.sentence.tokens import Said
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
    if not words:
        raise NotUnderstoodError("Name one end.", USAGE)
    if len(words) > 1:
        raise left_over([Word(word) for word in words[1:]], USAGE)
    try:
        ends_named(words[0], Roster(()))
    except EndNameError as error:
        raise NotUnderstoodError(f"{error}.", USAGE) from error
    return WhoReaches(words[0], ways)


_WHITHER = frozenset({"where", "wohin", "adonde"})
_GOES = frozenset("go goes get connect connects talk talks send sends darf kann kommt".split())
_WAY_OF = {Role.DESTINATION: Ways.FROM, Role.SOURCE: Ways.TO}


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence that names one end and asks for the other: who can reach it, what can it reach?"""
    if len(sentence.ends) != 1 or sentence.has(Cue.POLICY, Cue.IDENTITY, Cue.DROPS, Cue.LOOK_UP):
        return None
    name = _written(sentence)
    if name is None:
        return None
    role = role_alone(sentence, sentence.ends[0]) if sentence.has(Cue.WHO) and not sentence.bare else None
    if role is None and _WHITHER & sentence.words and _GOES & sentence.words:
        role = Role.SOURCE
    if role is None and sentence.has(Cue.WHO) and sentence.tokens[-1].does(Cue.TO) and not sentence.bare:
        role = Role.SOURCE  # what does it have access to?
    if role is not None:
        return Reading((WhoReaches(name, _WAY_OF[role]),), 3)
    return Reading((WhoReaches(name, Ways.FROM),), 1, f"What about {name}? Name the other end, or choose one of these.")


def _written(sentence: Said) -> str | None:
    """Return the end in the words of ``handlers.reach.end_names``, None where those have none for it."""
    item = sentence.tokens[sentence.ends[0]].item
    name = item.name if isinstance(item, End) else None
    if name is None or (isinstance(name, Named) and (name.namespace is None or name.kind is not None)):
        return None
    return str(name)


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
    phrase=phrase,
    conclude=conclude,
    keep=timedelta(seconds=60),
)
