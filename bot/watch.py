"""Sees to it that no question is forgotten: a worker that was killed, a queue that lost its memory.

Every process that is alive watches over every question, whoever asked it. What the waiters' list knows is sent again
when nobody has its lease; what the list itself has lost, because Redis came back empty, is entered again from memory.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Lock, Thread

import structlog
from redis.exceptions import RedisError

from bot.dispatch import Dispatcher, QueueDownError
from bot.measured import measured
from bot.metrics import RUNS_SENT_AGAIN
from bot.ticket import Ticket
from bot.waiters import KEEP, Waiters

EVERY = 2.0
"""Seconds between two looks."""

log = structlog.get_logger(__name__)


class Watch:
    """Looks after all tickets until they are answered."""

    def __init__(self, waiters: Waiters, dispatcher: Dispatcher) -> None:
        self._waiters = waiters
        self._dispatcher = dispatcher
        self._lock = Lock()
        self._open: dict[str, Ticket] = {}
        self._stop = Event()
        self._thread = Thread(target=self._run, name="watch", daemon=True)

    def enter(self, ticket: Ticket) -> None:
        """Enter a question on the list, send it to the queue if nobody works on it, and look after it from now on.

        Raises:
            redis.RedisError: if the list does not answer; the ticket is not on it.
            QueueDownError: if the queue does not take it; the ticket is on the list, and sent when it does.
        """
        is_first = self._waiters.join(ticket)
        with self._lock:
            self._open[ticket.id] = ticket
        if is_first:
            self._dispatcher.send(ticket)

    def ahead(self) -> int:
        """Return how many questions wait for a worker now; 0 as well where the queue does not answer."""
        try:
            return self._dispatcher.waiting()
        except RedisError:
            return 0

    def start(self) -> None:
        """Look again and again in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Look once."""
        self._quietly(self._enter_again)
        self._quietly(self._send_again)

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            self.look()

    def _quietly(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (RedisError, QueueDownError) as error:
            log.warning("queue does not answer", error=type(error).__name__)

    def _enter_again(self) -> None:
        with self._lock:
            known = dict(self._open)
        listed = {ticket.id: ticket for ticket in self._waiters.listed()}
        for ticket in known.values():
            if ticket.id in listed:
                continue
            if self._waiters.is_answered(ticket) or datetime.now(UTC) - ticket.asked_at > KEEP:
                with self._lock:
                    self._open.pop(ticket.id, None)
            else:
                log.warning("queue lost a question", ticket=ticket.id)
                self.enter(ticket)
        with self._lock:
            self._open.update(listed)

    def _send_again(self) -> None:
        for ticket in self._waiters.overdue(is_queue_empty=self._dispatcher.is_queue_empty()):
            log.warning("question sent again", ticket=ticket.id)
            measured.count(RUNS_SENT_AGAIN)
            self._dispatcher.send(ticket)
