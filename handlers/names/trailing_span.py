"""For how long: a span of time at the end of what somebody types (``10m``, ``for 2 hours``, ``for a day``)."""

import re
from datetime import timedelta

from handlers.names.grammar import Duration, items

_IN_WORDS = re.compile(
    r"(?:^|(?<=\s))(?P<number>an?|\d{1,4})\s+(?P<unit>[smhd])(?:ec|econd|in|inute|r|our|ay)?s?$", re.I
)


def without_span(words: str) -> tuple[str, timedelta | None]:
    """Return the words without the span at their end and that span, None where none is there.

    ``since 10m`` is when something began, and no span.
    """
    words = words.strip()
    if said := _IN_WORDS.search(words):
        number = "1" if said["number"].lower() in ("a", "an") else said["number"]
        words = f"{words[: said.start()]}{number}{said['unit'].lower()}"
    before, _, last = words.rpartition(" ")
    found = items(last)
    if len(found) != 1 or not isinstance(found[0], Duration):
        return words, None
    rest, _, lead = before.rpartition(" ")
    if lead.casefold() == "since":
        return words, None
    return rest if lead.casefold() == "for" else before, found[0].span
