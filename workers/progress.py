"""Tell those who wait how far a slow run is."""

import threading
from types import TracebackType
from typing import Self

import redis
import structlog

from bot.followed import along
from bot.surface import Surface
from bot.ticket import Ticket
from bot.waiters import Waiters
from handlers.model.report import FirstAnswer

FIRST_WORD = 2.0
"""Seconds before anything is said: most answers come sooner."""

PACE = 2.0
"""Seconds between two updates."""

log = structlog.get_logger(__name__)


class Narrator:
    """Shows the latest words to everybody who waits, while a run runs and has the lease.

    It works on a thread of its own: a surface may be slow, and the gathering must not wait for it.
    """

    def __init__(
        self,
        ticket: Ticket,
        run: str,
        waiters: Waiters,
        surface: Surface,
        *,
        first: float = FIRST_WORD,
        pace: float = PACE,
    ) -> None:
        self._ticket = ticket
        self._run = run
        self._waiters = waiters
        self._surface = surface
        self._wait = first
        self._pace = pace
        self._over = threading.Event()
        self._thread = threading.Thread(target=along(self._narrate), name="narrator", daemon=True)
        self._shown: dict[str, Ticket] = {}
        self._news = threading.Event()
        self.latest = ""
        """The last words said."""
        self.first: FirstAnswer | None = None
        """What is certain already. It is shown at once, and no words come after it."""

    @property
    def shown(self) -> tuple[Ticket, ...]:
        """Who was shown progress: it may stand over the answer of a run that had lost its lease meanwhile."""
        return tuple(self._shown.values())

    def say(self, told: str | FirstAnswer) -> None:
        """Take note of how far the run is."""
        if isinstance(told, str):
            self.latest = told
            return
        self.first = told
        self._news.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Not joined: a slow update may still be under way. A surface never lets progress follow an answer.
        self._over.set()
        self._news.set()

    def _narrate(self) -> None:
        told: dict[str, str | FirstAnswer] = {}
        wait = self._wait
        while not self._over.is_set():
            if self._news.wait(wait) and self.first is not None:
                self._news.clear()
            wait = self._pace
            latest = self.first or self.latest
            try:
                if latest and not self._over.is_set() and self._waiters.renew(self._ticket, self._run):
                    self._show(latest, told)
            except redis.RedisError as error:
                log.info("progress_not_shown", error=type(error).__name__)

    def _show(self, latest: str | FirstAnswer, told: dict[str, str | FirstAnswer]) -> None:
        """Show it to everybody who has not seen it; whom it did not reach, or who came later, the next time."""
        for waiter in self._waiters.waiting(self._ticket):
            if not self._over.is_set() and told.get(waiter.id) != latest:
                self._shown[waiter.id] = waiter
                if self._surface.progress(waiter, latest):
                    told[waiter.id] = latest
