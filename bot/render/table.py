"""A table as text that lines up, as Slack's own block and picture, as Markdown, and as comma-separated values."""

import csv
import io
from dataclasses import replace
from math import isfinite
from typing import Literal

from bot.render.blocks import Block, bar_chart
from bot.render.blocks import table as table_block
from bot.render.clean import in_markdown, one_line
from handlers.model.table import Cell, Table

_UNKNOWN = "?"


def cell_text(cell: Cell) -> str:
    """Return what a cell says; what is not known is a question mark."""
    if isinstance(cell, float):
        return f"{cell:.1f}"
    return _UNKNOWN if cell is None else one_line(str(cell))


def first_rows(table: Table, most: int) -> Table:
    """Return the table with its first rows, the others counted."""
    return replace(table, rows=table.rows[:most], left_out=table.left_out + max(0, len(table.rows) - most))


def block_of(table: Table) -> Block:
    """Return the table as Slack's own block; what has no room there is not in it."""
    rows = [table.columns, *(tuple(map(cell_text, row)) for row in table.rows)]
    return table_block(rows, right=[index for index in range(len(table.columns)) if _is_of_numbers(table, index)])


def chart_of(table: Table) -> Block | None:
    """Return the table's bars as Slack's own picture, None for a table without a number to show."""
    columns = [table.columns.index(name) for name in table.bars]
    labels = [_label(row, min(columns, default=0)) for row in table.rows]
    series = {
        table.columns[column]: [
            (label, float(value))
            for label, row in zip(labels, table.rows, strict=True)
            if isinstance(value := row[column], int | float) and isfinite(value)
        ]
        for column in columns
    }
    shown = {name: points for name, points in series.items() if any(value for _, value in points)}
    return bar_chart(table.title, shown) if shown else None


def _label(row: tuple[Cell, ...], end: int) -> str:
    """Name a row by its ends, without their namespaces: a label has little room."""
    names = [cell_text(cell).rpartition("/")[2].partition(" ")[0] for cell in row[: min(2, end)]]
    return "→".join(names)


def _is_of_numbers(table: Table, index: int) -> bool:
    return bool(table.rows) and all(isinstance(row[index], int | float | None) for row in table.rows)


def lines_of(table: Table, width: int = 0) -> str:
    """Return the table in columns of characters, at most ``width`` of them in a line, 0 for any number."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

    drawn = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, name in enumerate(table.columns):
        justify: Literal["right", "left"] = "right" if _is_of_numbers(table, index) else "left"
        drawn.add_column(Text(one_line(name)), justify=justify, overflow="fold")
    for row in table.rows:
        # Text, since a name may hold what rich takes for markup.
        drawn.add_row(*(Text(cell_text(cell)) for cell in row))
    console = Console(file=io.StringIO(), width=width or 10_000, no_color=True, highlight=False, legacy_windows=False)
    with console.capture() as captured:
        console.print(drawn)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    return "\n".join([*(line for line in lines if line), *_left_out(table)])


def markdown_of(table: Table) -> str:
    """Return the table as GitHub's Markdown has them."""
    head = [" | ".join(in_markdown(one_line(name)) for name in table.columns), " | ".join("---" for _ in table.columns)]
    rows = [" | ".join(in_markdown(cell_text(cell)) for cell in row) for row in table.rows]
    return "\n".join([f"| {row} |" for row in [*head, *rows]] + ["", *_left_out(table)])


def csv_of(table: Table) -> str:
    """Return the table for a spreadsheet; a cell that such a program would take for a formula is quoted (OWASP)."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(map(_inert, table.columns))
    writer.writerows([_inert(cell) for cell in row] for row in table.rows)
    return written.getvalue()


def _inert(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    return f"'{one_line(cell)}" if cell[:1] in tuple("=+-@\t\r") else one_line(cell)


def _left_out(table: Table) -> list[str]:
    return [f"… {table.left_out} more"] if table.left_out else []
