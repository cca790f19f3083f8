"""Gather the parts that a question's probes declare: in parallel, in a few rounds, within a budget of time."""

import queue
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.followed import along
from handlers.catalogue import CATALOGUE, Catalogue
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing, PerNode, Snapshot
from handlers.plan import ROUNDS, next_asks, unasked
from handlers.source import Source

Words = Callable[[str], None]
"""Told in a few words how far the gathering is, such as ``read 7 of 12 parts``; must not raise."""

Glance = Callable[[Snapshot], bool]
"""Shown what has been read while slow reads go on, whenever a part came, until it has seen enough; must not raise."""

Answer = Known[Any] | Missing

DEFAULT_BUDGET = 10.0
"""Seconds for all rounds together."""

MOST_READERS = 16
"""Reads under way at one time; more only queue up in the API server's fairness limits."""

GLANCE_AFTER = 1.0
"""Seconds that slow reads are waited for before somebody looks at what is there."""

_SHARE_OF_ROUND = 0.5
"""A round may hold the next one up for this share of the time that is left; its slow reads go on meanwhile."""

_SOURCE_HEADSTART = 0.95
"""A source gives up a little before the budget ends, so that its own, better worded reason arrives."""


def collect(
    question: Any,
    source: Source,
    *,
    budget: float = DEFAULT_BUDGET,
    progress: Words | None = None,
    glance: Glance | None = None,
    glance_after: float = GLANCE_AFTER,
    catalogue: Catalogue = CATALOGUE,
) -> Snapshot:
    """Read what the question needs from ``source`` within ``budget`` seconds.

    Never waits longer than the budget, even for a source that hangs: what did not come in time is
    ``Missing(TIMEOUT)``, a source that raises ``Missing(FAILED)``, and a part whose width never became known
    ``Missing(NOT_ASKED)``. ``progress`` is called from this thread whenever something arrived,
    ``glance`` when it takes longer than ``glance_after`` seconds.
    """
    gathering = _Gathering(source, progress, glance, deadline=time.monotonic() + budget, glance_after=glance_after)
    rounds_left = ROUNDS
    try:
        while gathering.time_left > 0:
            started = rounds_left > 0 and gathering.start(next_asks(question, gathering.snapshot(), catalogue))
            if not gathering.is_waiting:
                break
            if not started and rounds_left > 0:
                gathering.wait_for_one()
                continue
            rounds_left -= 1
            longest = gathering.time_left * _SHARE_OF_ROUND if rounds_left > 0 else gathering.time_left
            gathering.wait(longest)
        snapshot = gathering.finish(budget)
        return replace(snapshot, parts={**snapshot.parts, **unasked(question, snapshot, catalogue)})
    finally:
        gathering.stop()


class _Gathering:
    """The reads of one question: asked, answered, still awaited.

    Reads run on daemon threads, because a read that hangs inside a library cannot be cancelled and must neither hold up
    the answer nor the exit of the process.
    """

    def __init__(
        self,
        source: Source,
        progress: Words | None,
        glance: Glance | None,
        *,
        deadline: float,
        glance_after: float,
    ) -> None:
        self._source = source
        self._progress = progress
        self._glance = glance
        self._deadline = deadline
        self._glance_from = time.monotonic() + glance_after
        self._seen = 0
        self._taken_at = source.now()
        self._asked: list[Ask] = []
        self._answers: dict[tuple[AnyPart, str | None], Answer] = {}
        self._to_read: queue.SimpleQueue[Ask | None] = queue.SimpleQueue()
        self._read: queue.SimpleQueue[tuple[Ask, Answer]] = queue.SimpleQueue()
        self._readers = 0

    @property
    def time_left(self) -> float:
        """Seconds until the budget is used up, never negative."""
        return max(0.0, self._deadline - time.monotonic())

    @property
    def is_waiting(self) -> bool:
        """Whether some read is still under way."""
        return len(self._answers) < len(self._asked)

    def start(self, asks: Collection[Ask]) -> bool:
        """Start the reads of parts that were not asked for before; return whether there were any."""
        before = {ask.part for ask in self._asked}
        new = [ask for ask in asks if ask.part not in before]
        self._asked.extend(new)
        for ask in new:
            self._to_read.put(ask)
        for _ in range(min(MOST_READERS, len(self._asked) - len(self._answers)) - self._readers):
            self._readers += 1
            threading.Thread(target=along(self._serve), name=f"reader-{self._readers}", daemon=True).start()
        return bool(new)

    def wait(self, seconds: float) -> None:
        """Take answers as they come, until all are there or ``seconds`` are over."""
        end = time.monotonic() + seconds
        while self.is_waiting and (left := end - time.monotonic()) > 0:
            self._look()
            until_look = self._glance_from - time.monotonic()
            self._take(min(left, until_look) if self._glance and until_look > 0 else left)

    def wait_for_one(self) -> None:
        """Take the next answer, if one comes in time."""
        self._take(self.time_left)

    def snapshot(self) -> Snapshot:
        """Return the parts that are complete by now."""
        parts: dict[AnyPart, Answer] = {}
        for part in dict.fromkeys(ask.part for ask in self._asked):
            nodes = [ask.node for ask in self._asked if ask.part is part]
            answers = {node: self._answers[part, node] for node in nodes if (part, node) in self._answers}
            if len(answers) == len(nodes):
                parts[part] = _together(answers, self._source.now()) if part.is_per_node else answers[None]
        return Snapshot(self._taken_at, self._source.title, parts)

    def finish(self, budget: float) -> Snapshot:
        """Return the snapshot with a reason for everything that was asked for and did not come."""
        late = Missing(
            Gap.TIMEOUT,
            f"no answer within the {budget:g} s budget",
            "Ask again, or give it more time.",
        )
        for ask in self._asked:
            self._answers.setdefault((ask.part, ask.node), late)
        return self.snapshot()

    def stop(self) -> None:
        """Let the readers go home; those that hang go when their read returns."""
        for _ in range(self._readers):
            self._to_read.put(None)

    def _look(self) -> None:
        """Show what is there, if that is more than the last time."""
        if self._glance is None or time.monotonic() < self._glance_from:
            return
        so_far = self.snapshot()
        if len(so_far.parts) > self._seen:
            self._seen = len(so_far.parts)
            self._glance = None if self._glance(so_far) else self._glance

    def _take(self, timeout: float) -> None:
        try:
            ask, answer = self._read.get(timeout=timeout)
        except queue.Empty:
            return
        self._answers[ask.part, ask.node] = answer
        if self._progress is not None:
            self._progress(self._so_far(ask))

    def _serve(self) -> None:
        while (ask := self._to_read.get()) is not None:
            if self.time_left > 0:
                self._read.put((ask, read_part(self._source, ask, self.time_left * _SOURCE_HEADSTART)))

    def _so_far(self, latest: Ask) -> str:
        if latest.node is not None:
            of_part = [ask for ask in self._asked if ask.part is latest.part]
            heard = sum((ask.part, ask.node) in self._answers for ask in of_part)
            return f"{latest.part.in_words}: {heard} of {len(of_part)} nodes"
        awaited = [ask.part for ask in self._asked if (ask.part, ask.node) not in self._answers]
        parts = {ask.part for ask in self._asked}
        waiting = f", waiting for {awaited[0].in_words}" if awaited else ""
        return f"read {len(parts.difference(awaited))} of {len(parts)} parts{waiting}"


def read_part(source: Source, ask: Ask, timeout: float) -> Answer:
    """Read one part; whatever a source does wrong is a gap."""
    try:
        return source.read(ask, timeout)
    except Exception as error:  # noqa: BLE001  (never an empty part)
        return Missing(Gap.FAILED, f"reading it failed with {type(error).__name__}")


def _together(answers: dict[str | None, Answer], now: datetime) -> Answer:
    by_node = {node: answer for node, answer in answers.items() if node is not None}
    oldest = min((answer.observed_at for answer in by_node.values() if isinstance(answer, Known)), default=now)
    return Known(PerNode(by_node), oldest, "agent")
