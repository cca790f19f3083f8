"""The matrix side by side: what is open to whom, for as few ends as can be read."""

from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.report import Report
from handlers.model.table import Cell, Table
from handlers.reach.grid import MOST_ENDS
from tests.knowledge.build import allow_from, deny_all, shop
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

DUMP = Path("tests/scenarios/14-both-sides/sysdump.zip")


def answered(question: str) -> Report:
    source = SysdumpSource(DUMP)
    try:
        return run(understand(question), source).report
    finally:
        source.close()


def cell(table: Table, source: str, destination: str) -> Cell:
    (row,) = [row for row in table.rows if row[0] == source]
    return row[table.columns.index(destination)]


@pytest.mark.parametrize("question", ["matrix", "matrix payments"])
def test_a_recorded_cluster(question: str) -> None:
    (table,) = answered(question).tables
    assert cell(table, "shop/frontend", "checkout-api") == "8443/TCP"
    assert cell(table, "shop/loadgen", "checkout-api") == "·"
    assert cell(table, "shop/cart", "ledger-db") == "all"
    assert cell(table, "payments/ledger-db", "ledger-db") == ""


def test_of_a_namespace_only_its_own_ends_are_reached() -> None:
    (table,) = answered("matrix payments").tables
    assert table.columns == ("from \\ to", "checkout-api", "fraud-worker", "ledger-db")
    assert len(table.rows) == 14


def test_more_ends_than_can_be_read_are_no_table() -> None:
    cluster = shop()
    for number in range(MOST_ENDS):
        cluster.deploy(f"pay/p{number}")
    assert cluster.ask("matrix").tables == ()
    (table,) = cluster.ask("matrix shop").tables
    assert [row[0] for row in table.rows] == ["shop/frontend", "shop/cart"]


def test_what_is_allowed_and_what_is_not() -> None:
    cluster = shop().policy(deny_all("shop", "frontend")).policy(allow_from("shop", "cart", "frontend", 8080))
    (table,) = cluster.ask("matrix").tables
    assert cell(table, "shop/frontend", "cart") == "8080/TCP"
    assert cell(table, "shop/cart", "frontend") == "·"
