"""Tables as text, Markdown and CSV: lined up, bounded, and inert."""

import pytest

from bot.render.table import csv_of, lines_of, markdown_of
from handlers.model.table import Table

TABLE = Table(
    "Flows", ("from", "flows", "share"), (("shop/cart", 12, 0.5), ("[bold]a|b`", None, 3.25)), left_out=4
)  # fmt: skip


def test_columns_line_up_and_numbers_stand_to_the_right() -> None:
    assert lines_of(TABLE).splitlines() == [
        "from         flows   share",
        "──────────────────────────",
        "shop/cart       12     0.5",
        "[bold]a|b`       ?     3.2",
        "… 4 more",
    ]


def test_a_narrow_terminal_folds() -> None:
    assert max(map(len, lines_of(TABLE, 20).splitlines())) <= 20


def test_markdown_escapes_what_a_label_may_hold() -> None:
    assert markdown_of(TABLE).splitlines()[3] == "| \\[bold\\]a\\|b\\` | ? | 3.2 |"


def test_a_cell_is_no_formula() -> None:
    assert csv_of(Table("", ("a",), (("=1+2",), (3,)))).splitlines() == ["a", "'=1+2", "3"]


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        Table("", ("a", "b"), (("x",),))
