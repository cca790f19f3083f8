"""Long tables of which ``make test`` runs a part, and ``make laws`` the rest."""

from collections.abc import Iterable
from typing import Any

import pytest

Row = Any
"""A value, or a row that already bears an id: what ``pytest.mark.parametrize`` takes."""


def one_in(every: int, rows: Iterable[Row]) -> list[Row]:
    """Return all rows; of each ``every`` of them only the first is for ``make test``."""
    return [row if number % every == 0 else _thorough(row) for number, row in enumerate(rows)]


def _thorough(row: Row) -> Row:
    if isinstance(row, type(pytest.param())):
        return pytest.param(*row.values, id=row.id, marks=[*row.marks, pytest.mark.thorough])
    return pytest.param(row, marks=pytest.mark.thorough)
