"""Phrases that a command declares: the words by which a sentence is about it, and what it then asks.

A phrase is one line of words, in whatever order a sentence has them: ``"top talkers"``, ``"show|list flows"`` (one of
both), ``"agent restart*"`` (any word that begins so), ``"flows -why"`` (and not this one). A word by which a phrase is
known is no name. What else the sentence names is asked about, typed behind the command's name as a person would.
"""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from handlers.names.decorations import undecorated
from handlers.names.grammar import text_of
from handlers.names.lexicon import plain_form
from handlers.sentence.connections import connections_in
from handlers.sentence.direction import ports_of
from handlers.sentence.read import sentence_of
from handlers.sentence.subject import subjects_in

_POSSESSIVE = re.compile(r"'s?$")


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase that a text has: the words by which it is known, and how many the phrase asks for."""

    words: frozenset[str]
    asked_for: int


@dataclass(frozen=True, slots=True)
class Typed:
    """What a sentence asks of a command, in words behind its name.

    ``ends`` are two ends or one subject, empty for none; several where any may be meant. ``rest`` is what goes with
    each: the port, the request, the time. ``problem`` says why nothing of it is sure, empty where one of it is.
    """

    ends: tuple[str, ...]
    rest: tuple[str, ...]
    problem: str = ""


def matched(phrases: Sequence[str], text: str) -> Match | None:
    """Return the phrase that asks for most words of a text, None where the text has none of them."""
    words = frozenset(_POSSESSIVE.sub("", plain_form(word)) for word in undecorated(text).split())
    found = [match for phrase in phrases if (match := _match(phrase.split(), words))]
    return max(found, key=lambda match: match.asked_for, default=None)


def _match(phrase: Sequence[str], words: frozenset[str]) -> Match | None:
    unwanted = [part[1:] for part in phrase if part.startswith("-")]
    if any(_any_of(part, words) for part in unwanted):
        return None
    wanted = [_any_of(part, words) for part in phrase if not part.startswith("-")]
    return Match(frozenset().union(*wanted), len(wanted)) if wanted and all(wanted) else None


def _any_of(part: str, words: frozenset[str]) -> frozenset[str]:
    """Return the words that one part of a phrase means."""
    exact = {one for one in part.split("|") if not one.endswith("*")}
    begun = tuple(one[:-1] for one in part.split("|") if one.endswith("*"))
    return frozenset(word for word in words if word in exact or (begun and word.startswith(begun)))


def typed(text: str, match: Match, keywords: Set[str] = frozenset()) -> Typed:
    """Return what a text that has a phrase names besides: two ends and what is sent, or one subject, and a time.

    ``keywords`` are words that are typed as they are said.
    """
    said = [word for word in map(plain_form, undecorated(text).split()) if word in keywords]
    sentence = sentence_of(text, match.words | frozenset(said))
    span = (f"since {int(sentence.span.span.total_seconds())}s",) if sentence.span else ()
    problem = f"I do not understand “{'”, “'.join(sentence.odd)[:80]}”." if sentence.odd else ""
    found = connections_in(sentence)
    if found is not None and found.asked:
        ends = (f"{one.source} {one.destination}" for one in found.asked)
        traffic = str(found.asked[0]).split()[2:]
        return Typed(tuple(dict.fromkeys(ends)), (*traffic, *said, *span), problem or found.problem)
    ports = [text_of(port) for port in ports_of(sentence.tokens, 0, len(sentence.tokens))]
    subjects = [str(subject.endpoint or subject.namespace or "") for subject in subjects_in(sentence)]
    if len(subjects) != 1:
        problem = problem or "I can read that in several ways; choose one."
    return Typed(tuple(subjects), (*ports, *said, *span), problem)
