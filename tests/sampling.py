"""Long tables and laws of which ``make test`` runs a part, and ``make laws`` the rest."""

import os
from collections.abc import Iterable
from typing import Any

import pytest

Row = Any
"""A value, or a row that already bears an id: what ``pytest.mark.parametrize`` takes."""

_TIMES = int(os.environ.get("LAWS", "1"))
"""How many times as many examples a law is held against as in ``make test``."""


def examples(number: int) -> int:
    """Return how many examples are made up for a law: ``number`` in ``make test``, many more in ``make laws``."""
    return number * _TIMES


def one_in(every: int, rows: Iterable[Row]) -> list[Row]:
    """Return all rows; of each ``every`` of them only the first is for ``make test``."""
    return [row if number % every == 0 else _thorough(row) for number, row in enumerate(rows)]


def _thorough(row: Row) -> Row:
    if isinstance(row, type(pytest.param())):
        return pytest.param(*row.values, id=row.id, marks=[*row.marks, pytest.mark.thorough])
    return pytest.param(row, marks=pytest.mark.thorough)
