"""The runbook page: what people type by hand, and the question in its place, which can be asked."""

import re
from pathlib import Path

import pytest

from handlers.catalogue import CATALOGUE, understand

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "runbook.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| by hand")
]
NO_QUESTIONS = ("report", "doctor")
"""What puts answers together, and what looks at the setup of the bot itself, is no question about the network."""


def _question(cell: str) -> str:
    """Return the first words in back-ticks, without the options of a terminal."""
    found = re.match(r"`([^`]+)`", cell)
    assert found, cell
    return found.group(1).partition(" --")[0]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_question_of_a_row_can_be_asked(row: list[str]) -> None:
    by_hand, instead = row
    assert by_hand
    asked = _question(instead)
    if asked not in NO_QUESTIONS:
        assert str(understand(asked)).partition(" ")[0] == asked.partition(" ")[0]


def test_no_row_is_there_twice() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS) >= 60


def test_every_question_of_the_catalogue_takes_the_place_of_something() -> None:
    asked = {_question(row[1]).partition(" ")[0] for row in ROWS}
    assert set(CATALOGUE.commands) <= asked
