"""Counts what happens, in every process of a worker or in the web process, so that one of them can tell all of it.

Every series is declared (``bot.metrics``), so all of them together are one row of numbers. There is a row for each
process, in memory that the processes share: made before the fork, written by its process alone, read by the parent. A
process that is killed leaves what it counted, and the one that takes its place counts on (docs/adr/0016).
"""

import itertools
import mmap
import os
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from bot.metrics import METRICS, OTHER, Kind, Metric

_ROWS = 129
"""Processes that count, the parent first. Those beyond share the rows of others, and may lose a count now and then."""
_BYTES = 8


@dataclass(frozen=True, slots=True)
class Series:
    """One counter, or one histogram: ``values`` is its count, or counts up to each bucket's end, the sum last."""

    metric: Metric
    labels: tuple[str, ...]
    values: tuple[float, ...]


class Measured:
    """The rows. Any thread and any forked process may count."""

    def __init__(self, metrics: Sequence[Metric] = METRICS) -> None:
        self._metrics = tuple(one for one in metrics if one.kind is not Kind.GAUGE)
        self._places: dict[tuple[str, tuple[str, ...]], int] = {}
        width = 1  # The first cell says that the row has been counted in.
        for metric in self._metrics:
            for values in itertools.product(*metric.labels.values()):
                self._places[metric.name, values] = width
                width += _width(metric)
        self._width = width
        self._row = 0
        # Anonymous memory that a fork shares; pages that nobody touches cost nothing.
        self._cells = memoryview(mmap.mmap(-1, max(1, _ROWS * width) * _BYTES)).cast("d")
        self._renew()
        os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        # A thread of the parent may have held it at the fork.
        self._lock = Lock()

    def in_row(self, child: int) -> None:
        """Count in the row of a child from now on; ``child`` is its place among its brothers, from 0."""
        self._row = 1 + child % (_ROWS - 1)

    def count(self, metric: Metric, by: float = 1, **labels: str) -> None:
        """Add to a counter. A value of a label that is not declared counts as ``other``, or nowhere without that."""
        if (place := self._place(metric, labels)) is not None and by > 0:
            with self._lock:
                self._cells[self._row * self._width] = 1
                self._cells[place] += by

    def took(self, metric: Metric, seconds: float, **labels: str) -> None:
        """Note how long something took; less than nothing, by clocks that differ, is nothing."""
        seconds = max(0.0, seconds)
        if (place := self._place(metric, labels)) is not None:
            with self._lock:
                self._cells[self._row * self._width] = 1
                self._cells[place + bisect_left(metric.buckets, seconds)] += 1
                self._cells[place + len(metric.buckets) + 1] += seconds

    @contextmanager
    def timed(self, metric: Metric, **labels: str) -> Iterator[None]:
        """Note how long the block takes, also where it raises."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.took(metric, time.monotonic() - begun, **labels)

    def series(self) -> Iterator[Series]:
        """Yield every series, summed over all processes, those that are nothing yet included."""
        named = {metric.name: metric for metric in self._metrics}
        starts = [row * self._width for row in range(_ROWS) if self._cells[row * self._width]]
        for (name, labels), place in self._places.items():
            metric = named[name]
            cells = [
                float(sum(self._cells[start + place + offset] for start in starts)) for offset in range(_width(metric))
            ]
            if metric.kind is Kind.HISTOGRAM:
                yield Series(metric, labels, (*itertools.accumulate(cells[:-1]), cells[-1]))
            else:
                yield Series(metric, labels, tuple(cells))

    def value(self, metric: Metric, **labels: str) -> float:
        """Return a counter's count, or how often a histogram's something took place, over all processes."""
        wanted = _values(metric, labels)
        values = next(one.values for one in self.series() if (one.metric.name, one.labels) == (metric.name, wanted))
        return values[-2] if metric.kind is Kind.HISTOGRAM else values[0]

    def _place(self, metric: Metric, labels: dict[str, str]) -> int | None:
        place = self._places.get((metric.name, _values(metric, labels)))
        return None if place is None else self._row * self._width + place


def _values(metric: Metric, labels: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        str(labels[name]) if labels[name] in declared or OTHER not in declared else OTHER
        for name, declared in metric.labels.items()
    )


def _width(metric: Metric) -> int:
    # A histogram: a cell for each bucket, one for what is above all of them, and the sum.
    return len(metric.buckets) + 2 if metric.kind is Kind.HISTOGRAM else 1


measured = Measured()
"""What this process, and those that it forks, count."""
