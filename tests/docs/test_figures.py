"""The figures in docs/verdict.md are those of the records that the tests hold the engine to."""

import re
from pathlib import Path

import pytest

from tests.policy.test_conformance import RELEASES, recorded
from tests.scenarios.truth import FOLDER, SCENARIOS

PAGE = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text(encoding="utf-8")
OF_ONE_BUILD, OF_RELEASES = ("named", "train"), ("versions-named", "versions")


def _figures(row: str) -> list[int]:
    """The numbers in the second cell of the row that begins with these words."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    return [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", line.split("|")[2])]


def _cases(names: tuple[str, ...]) -> int:
    return sum(len(recorded(name)) for name in names)


def _answers(names: tuple[str, ...], key: str = "answers") -> int:
    return sum(len(case[key]) for name in names for case in recorded(name))


@pytest.mark.parametrize(
    ("row", "counted"),
    [
        ("policy decisions", [_answers(OF_ONE_BUILD), _cases(OF_ONE_BUILD)]),
        ("the same of releases", [_answers(OF_RELEASES), _cases(OF_RELEASES)]),
        ("validity of policies", [_answers((*OF_ONE_BUILD, *OF_RELEASES), "policy_status")]),
        ("recorded moments", [len(SCENARIOS), len(list((FOLDER / "faults").glob("*-*")))]),
    ],
    ids=["decisions", "releases", "validity", "stories"],
)
def test_a_figure_is_counted(row: str, counted: list[int]) -> None:
    assert _figures(row) == counted


def test_the_releases_are_those_that_are_tested() -> None:
    assert all(release in PAGE for release in RELEASES)
