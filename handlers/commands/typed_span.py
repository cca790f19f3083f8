"""How far back a typed question looks, apart from what else it says."""

from collections.abc import Iterable
from datetime import timedelta

from handlers.names.grammar import Duration, Fresh, Item, Since


def without_span(found: Iterable[Item]) -> tuple[timedelta | None, list[Item]]:
    """Return the first span, None where there is none, and the other words in their order; ``fresh`` is no word."""
    span: timedelta | None = None
    others: list[Item] = []
    for item in found:
        match item:
            case Since(span=asked) | Duration(span=asked) if span is None:
                span = asked
            case Fresh():
                pass
            case _:
                others.append(item)
    return span, others
