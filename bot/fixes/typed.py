"""A watch as somebody types it: the question, and for how long."""

from dataclasses import replace
from datetime import timedelta

from bot.fixes.fix_watch import DEFAULT_SPAN, LONGEST_SPAN
from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import Asked, NotUnderstoodError
from handlers.names.grammar import Duration, items

USAGE = "watch why A B [PORT] [10m]"
_ASKS = "why"


def typed_watch(words: str, catalogue: Catalogue = CATALOGUE) -> tuple[Asked, timedelta]:
    """Read ``why shop/frontend shop/cart 8080 10m``.

    Raises:
        NotUnderstoodError: if it is no question that can be watched, or the span is too long.
    """
    question, span = _without_span(words)
    if not timedelta(0) < span <= LONGEST_SPAN:
        raise NotUnderstoodError(f"I watch for {int(LONGEST_SPAN.total_seconds()) // 60} minutes at most.", USAGE)
    return typed_question(question, catalogue), span


def typed_question(words: str, catalogue: Catalogue = CATALOGUE) -> Asked:
    """Read the question alone.

    Raises:
        NotUnderstoodError: if it is none that can be watched.
    """
    asked = catalogue.understand(words)
    if asked.command.name != _ASKS:
        raise NotUnderstoodError(f"Only {_ASKS} can be watched: who cannot reach whom.", USAGE)
    return replace(asked, fresh=True)


def _without_span(words: str) -> tuple[str, timedelta]:
    """Return the question without the span at its end: ``10m``, ``for 10m``."""
    question, _, last = words.strip().rpartition(" ")
    found = items(last) if question else []
    if len(found) != 1 or not isinstance(found[0], Duration):
        return words.strip(), DEFAULT_SPAN
    before, _, lead = question.rpartition(" ")
    if lead.casefold() == "since":
        return words.strip(), DEFAULT_SPAN
    return before if lead.casefold() == "for" else question, found[0].span
