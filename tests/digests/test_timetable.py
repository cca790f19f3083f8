"""When a digest is told: what words mean, and which moments they come to through a change of daylight saving."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.digests.due import NotACronError, checked, due_between, is_too_often, next_due
from handlers.commands.command import NotUnderstoodError
from handlers.digests.timetable import Timetable, timetable_of

READ = {
    "every weekday 08:00 Europe/Berlin health,drops,lint of shop": Timetable(
        "0 8 * * mon-fri", "Europe/Berlin", "health,drops,lint of shop"
    ),
    "every day at 7:30": Timetable("30 7 * * *"),
    "daily 9am America/New_York lint": Timetable("0 9 * * *", "America/New_York", "lint"),
    "weekdays at 8 drops of shop": Timetable("0 8 * * mon-fri", "UTC", "drops of shop"),
    "every mon, wed and fri 12:15 europe/berlin": Timetable("15 12 * * mon,wed,fri", "Europe/Berlin"),
    "every monday-thursday 8:00 in Asia/Tokyo health": Timetable("0 8 * * mon-thu", "Asia/Tokyo", "health"),
    "every sunday 12am UTC quiet when unchanged": Timetable("0 0 * * sun", "UTC", "", is_quiet=True),
    "0 8 * * mon-fri CET health, quiet": Timetable("0 8 * * mon-fri", "CET", "health", is_quiet=True),
    "`*/30 6-20 * * 1-5` lint": Timetable("*/30 6-20 * * 1-5", "UTC", "lint"),
    "hourly health": Timetable("0 * * * *", "UTC", "health"),
    "weekdays 8am Berlin": Timetable("0 8 * * mon-fri", "Europe/Berlin"),
    "at 8:30 every weekday New York health": Timetable("30 8 * * mon-fri", "America/New_York", "health"),
    "every day at noon in tokyo drops of shop": Timetable("0 12 * * *", "Asia/Tokyo", "drops of shop"),
    "every 15 minutes": Timetable("*/15 * * * *"),
    "every 2 hours health": Timetable("0 */2 * * *", "UTC", "health"),
    "every weekday 08:00 why shop/frontend shop/cart 8080": Timetable(
        "0 8 * * mon-fri", "UTC", "why shop/frontend shop/cart 8080"
    ),
}


@pytest.mark.parametrize("words", READ)
def test_words_say_when_and_of_what(words: str) -> None:
    assert timetable_of(words) == READ[words]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "health",
        "every weekday",
        "every weekday 25:00",
        "every weekday 13pm",
        "every 7 minutes",
        "every day at teatime",
        "every someday 08:00",
        "every weekday 08:00 Europe/Berlln",
    ],
)
def test_words_that_say_no_time_are_refused(words: str) -> None:
    with pytest.raises(NotUnderstoodError):
        timetable_of(words)


@pytest.mark.parametrize("cron", ["61 * * * *", "0 7 31 2 *", "0 7 * *", "0 7 * * nevers", "noon"])
def test_a_cron_that_never_comes_is_refused(cron: str) -> None:
    with pytest.raises(NotACronError):
        checked(cron)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}Z")


CHANGES = {
    "eight in Berlin as the clock goes forward": (
        Timetable("0 8 * * *", "Europe/Berlin"),
        "2026-03-28T00:00",
        ["2026-03-28T07:00", "2026-03-29T06:00", "2026-03-30T06:00"],
    ),
    "eight in Berlin as the clock goes back": (
        Timetable("0 8 * * *", "Europe/Berlin"),
        "2026-10-24T00:00",
        ["2026-10-24T06:00", "2026-10-25T07:00", "2026-10-26T07:00"],
    ),
    "eight in New York as the clock goes forward": (
        Timetable("0 8 * * *", "America/New_York"),
        "2026-03-07T06:00",
        ["2026-03-07T13:00", "2026-03-08T12:00", "2026-03-09T12:00"],
    ),
    "eight in New York as the clock goes back": (
        Timetable("0 8 * * *", "America/New_York"),
        "2026-10-31T06:00",
        ["2026-10-31T12:00", "2026-11-01T13:00", "2026-11-02T13:00"],
    ),
    "half past two that Berlin leaves out is told when the clock has jumped": (
        Timetable("30 2 * * *", "Europe/Berlin"),
        "2026-03-28T12:00",
        ["2026-03-29T01:30", "2026-03-30T00:30", "2026-03-31T00:30"],
    ),
    "half past two that comes twice in Berlin is told the first time": (
        Timetable("30 2 * * *", "Europe/Berlin"),
        "2026-10-24T12:00",
        ["2026-10-25T00:30", "2026-10-26T01:30", "2026-10-27T01:30"],
    ),
    "half past one that comes twice in New York is told the first time": (
        Timetable("30 1 * * *", "America/New_York"),
        "2026-10-31T12:00",
        ["2026-11-01T05:30", "2026-11-02T06:30", "2026-11-03T06:30"],
    ),
    "a weekday's digest leaves the weekend out": (
        Timetable("0 8 * * mon-fri", "UTC"),
        "2026-11-19T09:00",
        ["2026-11-20T08:00", "2026-11-23T08:00", "2026-11-24T08:00"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_wall_clock_decides(name: str) -> None:
    timetable, after, expected = CHANGES[name]
    moment, found = _at(after), []
    for _ in expected:
        moment = next_due(timetable, moment)
        found.append(moment)
    assert found == [_at(text) for text in expected]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_daily_digest_comes_once_each_day_of_the_year(zone: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for hour in (1, 2, 8):
        due = due_between(Timetable(f"30 {hour} * * *", zone), start, start + timedelta(days=364))
        assert len(due) == 364


def test_what_comes_every_five_minutes_is_no_digest() -> None:
    now = datetime(2026, 11, 20, 12, 3, tzinfo=UTC)
    assert is_too_often(Timetable("*/5 * * * *"), now)
    assert not is_too_often(Timetable("*/15 * * * *"), now)
