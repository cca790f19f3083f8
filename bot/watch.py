"""Sees to it that no question is forgotten: a worker that was killed, a queue that lost its memory.

What the waiters' list knows is queued again when its run is overdue. What the list itself has lost, because Redis came
back empty, is entered again from this process's own memory.
"""

from collections.abc import Callable
from threading import Event, Lock, Thread

import structlog
from redis.exceptions import RedisError

from bot.dispatch import Dispatcher, QueueDownError
from bot.publish import Publisher, PublishError
from bot.render.failure import failure_message, lost
from bot.ticket import Ticket
from bot.waiters import Overdue, Waiters

EVERY = 5.0
"""Seconds between two looks."""
MOST_RUNS = 3
"""After so many runs were lost the askers are told; a question that kills its worker must not come back for ever."""

log = structlog.get_logger(__name__)


class Watch:
    """Looks after the tickets of this process until they are answered."""

    def __init__(self, waiters: Waiters, dispatcher: Dispatcher, publisher: Publisher) -> None:
        self._waiters = waiters
        self._dispatcher = dispatcher
        self._publisher = publisher
        self._lock = Lock()
        self._open: dict[str, Ticket] = {}
        self._stop = Event()
        self._thread = Thread(target=self._run, name="watch", daemon=True)

    def remember(self, ticket: Ticket) -> None:
        """Look after a ticket that was handed over."""
        with self._lock:
            self._open[ticket.id] = ticket

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
        self._quietly(self._queue_again)

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
            tickets = tuple(self._open.values())
        for ticket in tickets:
            if self._waiters.is_answered(ticket):
                with self._lock:
                    self._open.pop(ticket.id, None)
            elif not self._waiters.is_known(ticket):
                log.warning("queue lost a question", ticket=ticket.id)
                if self._waiters.join(ticket):
                    self._dispatcher.send(ticket)

    def _queue_again(self) -> None:
        for overdue in self._waiters.overdue():
            if overdue.runs_lost < MOST_RUNS:
                log.warning("run lost", ticket=overdue.ticket.id, lost=overdue.runs_lost)
                self._dispatcher.send(overdue.ticket)
            else:
                self._give_up(overdue)

    def _give_up(self, overdue: Overdue) -> None:
        log.error("question given up", ticket=overdue.ticket.id, lost=overdue.runs_lost)
        for waiter in self._waiters.drain(overdue.ticket):
            try:
                self._publisher.answer(waiter.where, failure_message(lost(), waiter.text))
            except PublishError as error:
                log.warning("asker not told", error=type(error).__name__, reason=str(error))
            self._waiters.answered(waiter)
