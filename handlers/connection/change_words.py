"""What is said of a change of an object: what was done to it, by whom, when; never that anything came of it."""

from datetime import datetime, timedelta

from handlers.connection.observation import clock
from handlers.model.change import Change
from handlers.model.finding import Sentence, Value, prose

_LABEL = "metadata.labels."
_MOST_FIELDS = 3
_SCALED = "spec.replicas"


def change_in_words(
    change: Change, began: datetime | None = None, what_began: str = "", *, with_fields: bool = True
) -> Sentence:
    """Return ``Service shop/cart was changed by helm at 14:32:32 UTC (spec.selector)``.

    With ``began``, the moment at which something went wrong, how long before that takes the place of the time;
    ``what_began`` names it.
    """
    values: dict[str, Value] = {"object": object_in_words(change), "done": prose(deed_of(change))}
    words = "{object} was {done}"
    if change.manager:
        words += " by {manager}"
        values["manager"] = change.manager
    if began is not None and change.at <= began:
        words += " {lead} before{event}"
        values["lead"] = prose(span_said(began - change.at))
        values["event"] = prose(f" {what_began}" if what_began else "")
    else:
        words += " at {at}"
        values["at"] = prose(clock(change.at))
    if with_fields and (fields := fields_told(change)):
        words += " ({fields})"
        values["fields"] = fields
    return Sentence(words, values)


def object_in_words(change: Change) -> str:
    """Return ``Service shop/cart``, or ``Node worker-1``."""
    return f"{change.kind} {change.namespace}/{change.name}" if change.namespace else f"{change.kind} {change.name}"


def deed_of(change: Change) -> str:
    """Return what was done: created, scaled, labelled, or changed."""
    if change.is_creation:
        return "created"
    told = change.telling
    if told == (_SCALED,):
        return "scaled"
    if told and all(field.startswith(_LABEL) for field in told):
        return "labelled"
    return "changed"


def fields_told(change: Change) -> tuple[str, ...]:
    """Return the fields that a reader wants to know, bounded: those that the manager owns since, none of a creation."""
    if change.is_creation:
        return ()
    short = [field.removeprefix("metadata.") for field in change.telling or change.fields]
    short = [f"label {field.removeprefix('labels.')}" if field.startswith("labels.") else field for field in short]
    more = len(short) - _MOST_FIELDS
    return (*short[:_MOST_FIELDS], f"{more} more") if more > 0 else tuple(short)


def span_said(span: timedelta) -> str:
    """Return ``31 s``, ``4 min`` or ``3 h``: how long before something a change was."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
