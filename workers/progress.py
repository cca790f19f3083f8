"""Tell those who wait how far a slow run is."""

import threading
from types import TracebackType
from typing import Self

import redis
import structlog

from bot.surface import Surface
from bot.ticket import Ticket
from bot.waiters import Waiters

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
        self._first = first
        self._pace = pace
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._narrate, name="narrator", daemon=True)
        self._shown: dict[str, Ticket] = {}
        self.latest = ""
        """The last words said."""

    @property
    def shown(self) -> tuple[Ticket, ...]:
        """Who was shown progress: it may stand over the answer of a run that had lost its lease meanwhile."""
        return tuple(self._shown.values())

    def say(self, words: str) -> None:
        """Take note of how far the run is."""
        self.latest = words

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Not joined: a slow update may still be under way. A surface never lets progress follow an answer.
        self._over.set()

    def _narrate(self) -> None:
        shown = ""
        wait = self._first
        while not self._over.wait(wait):
            wait = self._pace
            try:
                if self.latest and self.latest != shown and self._waiters.renew(self._ticket, self._run):
                    shown = self.latest
                    self._show(shown)
            except redis.RedisError as error:
                log.info("progress_not_shown", error=type(error).__name__)

    def _show(self, words: str) -> None:
        for waiter in self._waiters.waiting(self._ticket):
            if not self._over.is_set():
                self._shown[waiter.id] = waiter
                self._surface.progress(waiter, words)
