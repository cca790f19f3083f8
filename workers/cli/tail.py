"""A list of flows that grows while somebody watches, line by line."""

from collections.abc import Callable
from typing import TextIO

from bot.render import reading
from bot.render.clean import one_line
from bot.render.table import cell_text
from handlers.model.report import Report


def printer(stream: TextIO) -> Callable[[Report], None]:
    """Return what prints the rows of an answer that it has not printed, the oldest first, and what was lost."""
    printed: set[object] = set()

    def show(report: Report) -> None:
        rows = [row for table in report.tables[:1] for row in reversed(table.rows)]
        lines = [(row, " · ".join(filter(None, map(cell_text, row)))) for row in rows]
        losses = reading.losses(report)
        for key, line in (*lines, *((clause, f"# {clause}") for clause in losses)):
            if key not in printed:
                stream.write(f"{one_line(line)}\n")
        stream.flush()
        printed.update([*rows, *losses])

    return show
