"""Spans of time as the grammar writes them."""

from datetime import datetime, timedelta

DEFAULT_SPAN = timedelta(minutes=15)
"""How far a question looks back when nothing is said."""


def span_in_words(span: timedelta) -> str:
    """Return ``15m``, ``2h``, ``90s``: the shortest form that the grammar reads back as the same span."""
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def age_in_words(at: datetime | None, now: datetime) -> str:
    """Return ``88s ago``, ``just now``, or ``of unknown age`` where no time is known; from 600 s on in minutes."""
    if at is None:
        return "of unknown age"
    seconds = max(0, int((now - at).total_seconds()))
    if seconds == 0:
        return "just now"
    return f"{span_in_words(timedelta(seconds=seconds if seconds < 600 else seconds - seconds % 60))} ago"
