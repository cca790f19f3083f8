"""A watch as somebody types it: the question, for how long, and of which cluster."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.fixes.fix_watch import DEFAULT_SPAN, LONGEST_SPAN
from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import Asked, NotUnderstoodError
from handlers.names.trailing_span import without_span
from handlers.names.which_cluster import cluster_meant

USAGE = "watch why A B [PORT] [10m]"
_ASKS = "why"


@dataclass(frozen=True, slots=True)
class TypedWatch:
    """What is to be watched. ``cluster`` is empty where none is named."""

    asked: Asked
    span: timedelta = DEFAULT_SPAN
    cluster: str = ""


def typed_watch(words: str, catalogue: Catalogue = CATALOGUE) -> TypedWatch:
    """Read ``why shop/frontend shop/cart 8080 10m``, also with ``cluster prod`` behind it.

    Raises:
        NotUnderstoodError: if it is no question that can be watched, or the span is too long.
    """
    question, said = without_span(words)
    span = DEFAULT_SPAN if said is None else said
    if not timedelta(0) < span <= LONGEST_SPAN:
        raise NotUnderstoodError(f"I watch for {int(LONGEST_SPAN.total_seconds()) // 60} minutes at most.", USAGE)
    try:
        return TypedWatch(_asked(question, catalogue), span)
    except NotUnderstoodError:
        named = cluster_meant(question)
        if not named.cluster:
            raise
    question, before = without_span(named.text)
    return TypedWatch(_asked(question, catalogue), before or span, named.cluster)


def _asked(words: str, catalogue: Catalogue) -> Asked:
    asked = catalogue.understand(words)
    if asked.command.name != _ASKS:
        raise NotUnderstoodError(f"Only {_ASKS} can be watched: who cannot reach whom.", USAGE)
    return replace(asked, fresh=True)
