"""Tables as text, Markdown and CSV: lined up, bounded, and inert."""

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.render.blocks import Block
from bot.render.report import report_message
from bot.render.table import csv_of, lines_of, markdown_of
from handlers.model.report import Report
from handlers.model.table import Table
from tests.bot.samples import drops
from tests.sampling import examples
from tools.playground.limits import block_violations, total_text

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


LONG = Table(
    "Top talkers",
    ("from", "to", "flows"),
    tuple((f"shop/frontend-{n}", "shop/cart", n) for n in range(40)),
    bars=("flows",),
)


def listed(*tables: Table) -> Report:
    return replace(drops(), tables=tables)


def kinds(blocks: Iterable[Block]) -> list[str]:
    return [block["type"] for block in blocks if block["type"] in ("table", "data_visualization")]


def test_the_first_table_is_slacks_own_with_its_picture_and_says_what_is_in_the_file() -> None:
    message = report_message(listed(LONG, TABLE))
    assert kinds(message.blocks) == ["table", "data_visualization"]
    (block,) = [block for block in message.blocks if block["type"] == "table"]
    assert [cell["text"] for cell in block["rows"][1]] == ["shop/frontend-0", "shop/cart", "0"]
    assert [setting["align"] for setting in block["column_settings"]] == ["left", "left", "right"]
    assert "… 20 more rows in the file in the thread" in str(message.blocks)
    assert "[bold]a|b'" in str(message.blocks)
    assert not block_violations(list(message.blocks))


def test_it_is_also_made_without_what_a_workspace_may_refuse() -> None:
    message = report_message(listed(LONG))
    assert [kinds(form) for form in message.plainer] == [["table"], []]
    assert "shop/frontend-19" in str(message.plainer[-1])


@pytest.mark.parametrize(
    "table",
    [
        Table("wide", tuple(f"c{n}" for n in range(30)), (tuple(range(30)),)),
        Table("long cells", ("a", "b"), tuple(("x" * 500, "😀" * 300) for _ in range(200))),
        Table("empty cells", ("a", "b"), (("", "\n"),), bars=("b",)),
        Table("markup", ("<!here>", "*"), (("<@U1>", "`"),)),
    ],
    ids=lambda table: table.title,
)
def test_slack_takes_whatever_a_table_holds(table: Table) -> None:
    message = report_message(listed(table))
    for form in (message.blocks, *message.plainer):
        assert not block_violations(list(form))
        assert total_text(list(form)) <= 13_200


cells = some.one_of(some.none(), some.text(max_size=40), some.integers(), some.floats(allow_nan=False))
columns = some.lists(some.text(max_size=20), min_size=1, max_size=4, unique=True).map(tuple)
made_up = columns.flatmap(
    lambda names: some.builds(
        Table,
        some.text(max_size=20),
        some.just(names),
        some.lists(some.tuples(*(cells for _ in names)), max_size=5).map(tuple),
        some.integers(0, 9),
        some.just(names[-1:]),
    )
)


@settings(max_examples=examples(12), deadline=None)
@given(made_up)
def test_slack_takes_any_table_and_its_values_stay_values(table: Table) -> None:
    message = report_message(listed(table))
    for form in (message.blocks, *message.plainer):
        assert not block_violations(list(form))
        assert not re.search(r"<(?!@U0ADA>)", "".join(texts(form)))
    assert all("\x1b" not in made for made in (lines_of(table), markdown_of(table)))


def texts(part: object) -> list[str]:
    """Return what is written in mrkdwn."""
    if isinstance(part, dict):
        own = [str(part["text"])] if part.get("type") == "mrkdwn" else []
        return own + [text for item in part.values() for text in texts(item)]
    return [text for item in part for text in texts(item)] if isinstance(part, list | tuple) else []


def test_a_list_has_five_buttons_for_the_next_question_at_most() -> None:
    findings = tuple(
        replace(drops().findings[0], follow_up=f"why shop/{n} shop/cart 80/TCP", code=f"X{n}") for n in range(7)
    )
    message = report_message(replace(drops(), findings=findings), report_id="r")
    asked = re.findall(r"'action_id': 'ask_(\d+)'", str(message.blocks))
    assert len(asked) == 5
