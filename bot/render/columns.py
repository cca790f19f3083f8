"""Rows of text for a terminal: a lead, and words that are wrapped beside it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_NARROW = 40
"""Columns below which nothing is wrapped: a terminal that says less tells nothing of itself."""
_SGR = re.compile("\x1b\\[[0-9;]*m")
"""What sets a colour (ECMA-48, 8.3.117) and takes no room."""


@dataclass(frozen=True, slots=True)
class Row:
    """``lead`` stands in front of the first line. What is ``kept`` is to be copied, and never wrapped."""

    lead: str
    words: str
    kept: bool = False


def drawn(rows: Iterable[Row], width: int) -> str:
    """Return the rows as lines of at most ``width`` columns, 0 for any length; no word is broken."""
    return "\n".join(line for row in rows for line in _lines(row, width))


def _lines(row: Row, width: int) -> Iterator[str]:
    if row.kept or width < _NARROW or _room(row.lead + row.words) <= width:
        yield f"{row.lead}{row.words}".rstrip()
        return
    indent, line = " " * _room(row.lead), row.lead
    begun = False
    for word in row.words.split(" "):
        if begun and _room(line) + 1 + _room(word) > width:
            yield line.rstrip()
            line, begun = indent, False
        line += f" {word}" if begun else word
        begun = True
    yield line.rstrip()


def _room(text: str) -> int:
    return len(_SGR.sub("", text))
