"""Goes round in a thread of its own: has asked what is to be asked, and shows what is to be shown."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread

import structlog
from redis.exceptions import RedisError

from bot.cards.asking import Asking
from bot.cards.showing import Showing

EVERY = 0.25
"""Seconds between two rounds."""
REDIS_AWAY = 2.0
"""Seconds until the next round where Redis does not answer."""

log = structlog.get_logger(__name__)


class Rounds:
    """One for a web process. Several processes share the work, and none is needed."""

    def __init__(
        self, asking: Asking, showing: Showing, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._steps = (asking.ask, showing.show)
        self._now = now
        self._stop = Event()
        self._thread = Thread(target=self._run, name="cards", daemon=True)

    def start(self) -> None:
        """Go round again and again."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread once it has done what it is at."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def go(self) -> bool:
        """Go round once; False where Redis did not answer."""
        for step in self._steps:
            try:
                step(self._now())
            except RedisError as error:
                log.warning("cards wait for redis", error=type(error).__name__)
                return False
            except Exception as error:  # noqa: BLE001  (the next round must come, whatever one card holds)
                log.error("a card broke", error=type(error).__name__)

        return True

    def _run(self) -> None:
        pause = EVERY
        while not self._stop.wait(pause):
            pause = EVERY if self.go() else REDIS_AWAY
