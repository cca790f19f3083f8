"""When a number has changed enough to be told: counters move all the time, and a digest is about what is different.

| what | worse from | better from |
|---|---|---|
| packets of one cause of drops | twice as many as before in the same time, and 20 more | half as many, and 20 fewer |
| share of a map in use | 20 points more, and at least 30 % | 20 points fewer, from at least 30 % |
| identities | half as many again, and 200 more | a third fewer, and 200 fewer |
"""

from enum import IntEnum

from handlers.digests.figures import Figure

PACKETS = 20
FACTOR = 2.0
POINTS = 20.0
SHARE = 30.0
COUNT = 200.0
GROWTH = 1.5


class Trend(IntEnum):
    """Where a number goes; more is worse."""

    BETTER = -1
    STEADY = 0
    WORSE = 1


def of_packets(before: int, after: int, then: float | None, now: float | None) -> Trend:
    """Compare packets seen within two windows of so many seconds, as if the first had been as long as the second."""
    expected = before * (now / then) if then and now else float(before)
    return _trend(expected, float(after), FACTOR, float(PACKETS))


def of_figure(before: Figure, after: Figure) -> Trend:
    """Compare two values of one figure."""
    if after.unit == "%":
        if max(before.value, after.value) < SHARE:
            return Trend.STEADY
        return _trend(before.value, after.value, 1.0, POINTS)
    return _trend(before.value, after.value, GROWTH, COUNT)


def _trend(before: float, after: float, factor: float, step: float) -> Trend:
    if after >= before * factor and after - before >= step:
        return Trend.WORSE
    if after * factor <= before and before - after >= step:
        return Trend.BETTER
    return Trend.STEADY
