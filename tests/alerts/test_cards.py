"""What alerts ask: the truth table, and laws that hold for every payload."""

import pytest

from handlers.alerts.alert import NotAnAlertError
from handlers.alerts.cards import cards_of
from handlers.alerts.received import received
from tests.alerts.payloads import packed
from tests.alerts.relayed import NO_ALERTS, RELAYED
from tests.alerts.rows import ROWS, Row
from tests.alerts.variants import VARIANTS


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in (*ROWS, *VARIANTS, *RELAYED)])
def test_what_is_received_asks(row: Row) -> None:
    cards = cards_of(received(packed(row.payload)))
    found = tuple(
        (str(card.decision), str(card.state), card.questions[: len(wanted[2])])
        for card, wanted in zip(cards, row.expected, strict=False)
    )
    assert (len(cards), found) == (len(row.expected), row.expected)


@pytest.mark.parametrize("text", NO_ALERTS.values(), ids=NO_ALERTS)
def test_what_is_no_alert_is_refused(text: str) -> None:
    with pytest.raises(NotAnAlertError):
        received(packed(text))
