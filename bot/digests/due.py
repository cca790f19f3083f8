"""When a subscription is due: Celery reads the cron expression, the wall clock of its time zone decides.

A time that a change of daylight saving leaves out is told when the clock has jumped; one that comes twice, the first
time.
"""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from celery.schedules import ParseException, crontab

from handlers.digests.timetable import Timetable


class _WallClock(crontab):
    """Celery's cron by itself: no application, and so no settings, say what time zone it is in."""

    def now(self) -> datetime:
        """Return any moment: how far the next one is depends on the last alone."""
        return datetime.min.replace(tzinfo=UTC)

    @property
    def tz(self) -> Any:
        """Return the zone in whose clothes wall time comes."""
        return UTC


CLOSEST = timedelta(minutes=15)
"""No subscription is told more often."""
_MOST_STEPS = 10_000


class NotACronError(ValueError):
    """The text is no cron expression of five fields, or says no time that ever comes."""


def checked(cron: str) -> str:
    """Give an expression back that can be reckoned with.

    Raises:
        NotACronError: if it cannot.
    """
    try:
        _next_wall(_WallClock.from_string(cron), datetime(2026, 1, 1))  # noqa: DTZ001  (wall time has no zone)
    except (ParseException, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise NotACronError(f"{cron!r} is no cron expression of five fields, such as '0 7 * * mon-fri'") from error
    return cron


def is_too_often(timetable: Timetable, since: datetime) -> bool:
    """Whether two of the next times are closer than subscriptions may be."""
    first = next_due(timetable, since)
    times = [first]
    for _ in range(8):
        times.append(next_due(timetable, times[-1]))
    return any(later - earlier < CLOSEST for earlier, later in itertools.pairwise(times))


def next_due(timetable: Timetable, after: datetime) -> datetime:
    """Return the first time after a moment, in UTC."""
    zone, schedule = ZoneInfo(timetable.zone), _WallClock.from_string(timetable.cron)
    wall = after.astimezone(zone).replace(tzinfo=None, fold=0)
    while True:
        wall = _next_wall(schedule, wall)
        due = wall.replace(tzinfo=zone).astimezone(UTC)
        # The wall clock runs through an hour twice in autumn: the second time is no other time.
        if due > after:
            return due


def due_between(timetable: Timetable, after: datetime, until: datetime) -> tuple[datetime, ...]:
    """Return the times after a moment until another one, included, oldest first; of very many the first."""
    found: list[datetime] = []
    moment = after
    while len(found) < _MOST_STEPS:
        moment = next_due(timetable, moment)
        if moment > until:
            break
        found.append(moment)
    return tuple(found)


def _next_wall(schedule: crontab, wall: datetime) -> datetime:
    # Wall time in UTC's clothes: Celery's arithmetic then meets no change of daylight saving.
    dressed = wall.replace(tzinfo=UTC)
    _, step, _ = schedule.remaining_delta(dressed, tz=UTC)
    following: datetime = dressed + step
    return following.replace(tzinfo=None)
