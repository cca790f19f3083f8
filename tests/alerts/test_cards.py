"""What alerts ask: the truth table, and laws that hold for every payload."""

import pytest

from handlers.alerts.cards import cards_of
from handlers.alerts.received import received
from tests.alerts.payloads import packed
from tests.alerts.rows import ROWS, Row
from tests.alerts.variants import VARIANTS


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in (*ROWS, *VARIANTS)])
def test_what_is_received_asks(row: Row) -> None:
    cards = cards_of(received(packed(row.payload)))
    found = tuple(
        (str(card.decision), str(card.state), card.questions[: len(wanted[2])])
        for card, wanted in zip(cards, row.expected, strict=False)
    )
    assert (len(cards), found) == (len(row.expected), row.expected)
