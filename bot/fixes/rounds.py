"""Asks what is watched again when it is due, and ends what is over without an answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Thread

import structlog
from redis.exceptions import RedisError

from bot.dispatch import QueueDownError
from bot.fixes.fix_watch import GRACE, SURFACE, CardPlace, FixWatch
from bot.fixes.kept import FixWatches
from bot.fixes.telling import Telling
from bot.surface import SurfaceError
from bot.ticket import Address, Ticket, new_ticket_id
from bot.watch import Watch

EVERY = 2.0
"""Seconds between two looks for what is due."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FixRounds:
    """The clock of all watches. One in each web process; what is due is asked once, however many there are."""

    watches: FixWatches
    telling: Telling
    watch: Watch
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _stop: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        """Look again and again in a thread of its own."""
        thread = Thread(target=self._run, name="fix-rounds", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def look(self) -> None:
        """Ask what is due now. Raises nothing; what could not be asked is asked the next time."""
        try:
            for watch in self.watches.take(self.now()):
                self._go_on(watch)
        except (RedisError, QueueDownError, SurfaceError) as error:
            log.warning("watches not asked", error=type(error).__name__)

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            self.look()

    def _go_on(self, watch: FixWatch) -> None:
        if self.now() >= watch.until + GRACE:
            self.telling.no_answer(watch)
            return
        # Whose rights decide what may be told there.
        user = "" if isinstance(watch.place, CardPlace) else watch.by
        address = Address(SURFACE, {"watch": watch.id, "channel": watch.place.channel, "user": user})
        ticket = Ticket(
            new_ticket_id(), watch.question, watch.command, True, address, self.now(), cluster=watch.cluster
        )
        self.watch.enter(ticket)
