"""Times of day in a question: how long ago they were."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from handlers.catalogue import understand
from handlers.commands.command import AskBackError

HALF_PAST_TWO = datetime(2026, 3, 1, 14, 30, 20, tzinfo=timezone(timedelta(hours=2)))

READ = {
    "since": ("drops shop since 14:05", "drops shop since 26m"),
    "an event at": ("since the deploy at 14:05 shop/a can't reach shop/b", "why shop/a shop/b since 26m"),
    "at alone": ("at 13:30 shop/a lost its connection to shop/b", "why shop/a shop/b since 61m"),
    "later than now was yesterday": ("drops since 15:30", "drops since 1381m"),
    "this very minute was just now": ("drops since 14:30", "drops since 1m"),
    "in the afternoon": ("drops since 2:05pm", "drops since 26m"),
    "in UTC": ("drops since 12:05 UTC", "drops since 26m"),
    "German": ("seit dem Deploy um 14:05 Uhr erreicht shop/a shop/b nicht", "why shop/a shop/b since 26m"),
    "French": ("depuis 14h05 shop/a n'arrive pas à joindre shop/b", "why shop/a shop/b since 26m"),
    "a port is no time": ("can shop/a reach shop/b:1405?", "why shop/a shop/b 1405"),
    "an address is no time": ("can shop/a reach fd00::14:05 on 80", "why shop/a fd00::14:5 80"),
}


@pytest.mark.parametrize(("says", "question"), READ.values(), ids=READ.keys())
def test_a_time_of_day_is_a_look_back(says: str, question: str) -> None:
    assert str(understand(says, now=HALF_PAST_TWO)) == question


def test_a_follow_up_has_times_too() -> None:
    asked = understand("and since 13:30?", earlier="drops shop", now=HALF_PAST_TWO.astimezone(UTC))
    assert str(asked) == "drops shop since 1381m"
    assert str(understand("and since 13:30?", earlier="drops shop", now=HALF_PAST_TWO)) == "drops shop since 61m"


def test_a_time_of_day_is_asked_back_where_now_is_not_known() -> None:
    with pytest.raises(AskBackError, match="14:05") as caught:
        understand("since the deploy at 14:05 shop/a can't reach shop/b")
    assert caught.value.suggestions == ("why shop/a shop/b",)
