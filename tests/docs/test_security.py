"""Every file that the threat model rests on is there, and says what it says of the cluster's objects."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"`((?:\.github|bot|deploy|handlers|tests|workers)/[\w./-]+)`", PAGE)))


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_the_threat_model_names_is_there(file: str) -> None:
    assert (ROOT / file).is_file()


def test_every_row_about_somebody_hostile_names_what_stops_them() -> None:
    table = PAGE.partition("## What somebody hostile can do")[2].partition("\nNot defended")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 10
    assert [row for row in rows if not re.search(r"`[\w./-]+\.py`[^|]*\|$", row)] == []
