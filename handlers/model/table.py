"""Rows that an answer shows side by side, where a list of findings would not do."""

from dataclasses import dataclass

Cell = str | int | float | None
"""What stands in a row: None where it is not known, which is never zero."""


@dataclass(frozen=True, slots=True)
class Table:
    """A bounded table; every row has as many cells as there are columns.

    ``left_out`` counts rows that the question found and does not show.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0
    bars: tuple[str, ...] = ()
    """Columns of numbers that a picture shows as bars, one for each row."""

    def __post_init__(self) -> None:
        """Refuse rows that do not fit.

        Raises:
            ValueError: if a row has another number of cells than there are columns.
        """
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.title}: a row has not {len(self.columns)} cells")
