"""The jobs: decode, do, return. Any of them may be delivered twice."""

from typing import Any

import structlog
from celery import Task
from celery.exceptions import TimeLimitExceeded

from bot.dispatch import QUEUE, TASK
from bot.ticket import Ticket, TicketError
from workers.answering import TRANSIENT
from workers.app import app
from workers.deps import deps
from workers.schedule import DIGEST

GIVE_UP = "workers.tasks.give_up"

_RETRIED: dict[str, Any] = {
    "autoretry_for": TRANSIENT,
    "retry_backoff": 1,
    "retry_backoff_max": 15,
    "retry_jitter": True,
    "max_retries": 6,
}
"""Six times in about half a minute; who is not told by then is seen to by the watch over overdue questions."""

log = structlog.get_logger(__name__)


class _Question(Task):  # type: ignore[type-arg]
    """A task whose process may have to be killed, and who then has somebody else tell the asker."""

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Queue the bad news; called in the parent process when the hard limit struck."""
        if isinstance(exc, TimeLimitExceeded):
            app.send_task(GIVE_UP, args=list(args), queue=QUEUE)


@app.task(name=TASK, base=_Question, **_RETRIED)
def answer(ticket: str) -> None:
    """Answer everybody who waits for the question of a ticket (JSON)."""
    decoded = _decoded(ticket)
    if decoded is not None:
        deps().answering.answer(decoded)


@app.task(name=GIVE_UP, **_RETRIED)
def give_up(ticket: str) -> None:
    """Tell everybody who waits that the run took too long."""
    decoded = _decoded(ticket)
    if decoded is not None:
        deps().answering.give_up(decoded)


@app.task(name=DIGEST, **_RETRIED)
def digest(channel: str, question: str) -> None:
    """Ask a scheduled question."""
    deps().digests.start(channel, question)


def _decoded(text: str) -> Ticket | None:
    try:
        return Ticket.from_json(text)
    except TicketError as error:
        # Nobody can be told: where the answer belongs stands in the ticket.
        log.error("ticket_not_read", problem=str(error))
        return None
