"""The jobs: decode, do, return. Any of them may be delivered twice, or never."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from celery import Task
from celery.exceptions import TimeLimitExceeded
from kombu.exceptions import OperationalError

from bot.behind import Look
from bot.dispatch import DIGEST, LOOK, NAMES, SETUP, TASK, queue_of
from bot.publish import SlackUnavailableError
from bot.ticket import Ticket, TicketError
from workers.answering import TRANSIENT
from workers.app import app
from workers.deps import connect, deps, waiters
from workers.digests import LASTS, settings_of
from workers.doctor.at_start import look_at_setup
from workers.origin import NotOpenedError
from workers.schedule import DUE
from workers.settings import load_settings

_DIGEST_LASTS = int(LASTS.total_seconds())

log = structlog.get_logger(__name__)


class _Question(Task):  # type: ignore[type-arg]
    """A task whose process may have to be killed; then whoever takes the question next tells the asker so."""

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Note that it took too long; called in the parent process when the hard limit struck.

        The message that follows saves the wait for the lease, no more: it may end in another process that hangs.
        """
        if not isinstance(exc, TimeLimitExceeded) or (ticket := _decoded(args[0])) is None:
            return
        with _left_to_the_list(ticket):
            if waiters(load_settings()).time_out(ticket, task_id):
                # Of the same name: it takes over the lease of the run that was killed.
                app.send_task(
                    TASK,
                    args=list(args),
                    task_id=task_id,
                    queue=queue_of(ticket.cluster if ticket.cluster in _served() else ""),
                )


@app.task(name=TASK, base=_Question, bind=True, retry_on_worker_lost=True, default_retry_delay=0, max_retries=None)
def answer(self: _Question, ticket: str) -> None:
    """Answer everybody who waits for the question of a ticket (JSON).

    When its process is killed, the parent sends the same message again at once; everything else that may go wrong is
    left to the list of waiters.
    """
    decoded = _decoded(ticket)
    if decoded is not None:
        with _left_to_the_list(decoded):
            deps().answering.answer(decoded, str(self.request.id))


@app.task(name=DUE)
def digests_due(of_settings: list[Any]) -> None:
    """Queue every digest that is due; what cannot be done now is done at the next look, a minute later."""
    try:
        deps().digests.look_for_due(settings_of(of_settings))
    except (OperationalError, *TRANSIENT) as error:
        log.warning("digests_not_looked_for", error=type(error).__name__, reason=str(error))


@app.task(name=DIGEST, bind=True, soft_time_limit=_DIGEST_LASTS - 30, time_limit=_DIGEST_LASTS)
def digest(self: Task, name: str, due: str = "") -> None:  # type: ignore[type-arg]
    """Tell one digest: of the time that it is due, or now."""
    try:
        if due:
            deps().digests.run(name, due)
        else:
            deps().digests.run_now(name, str(self.request.id))
    except (OperationalError, SlackUnavailableError, *TRANSIENT) as error:
        log.warning("digest_comes_later", digest=name, error=type(error).__name__, reason=str(error))


@app.task(name=LOOK, autoretry_for=TRANSIENT, retry_backoff=1, retry_backoff_max=15, max_retries=6)
def look(wanted: str) -> None:
    """Show what is behind a button (JSON of ``bot.behind.Look``), as far as who pressed it may see it."""
    try:
        decoded = Look.from_json(wanted)
    except ValueError as error:
        log.error("look_not_read", problem=str(error))
        return
    deps().show(decoded)


@app.task(name=NAMES)
def names() -> None:
    """Read the lists of the cluster that hold names; who types meanwhile has the names that are known already."""
    try:
        deps().read_names()
    except (NotOpenedError, *TRANSIENT) as error:
        log.warning("names_not_read", error=type(error).__name__, reason=str(error))


def _served() -> frozenset[str]:
    return frozenset(one.name for one in load_settings().served)


@app.task(name=SETUP)
def setup() -> None:
    """Look at the setup of this worker."""
    settings = load_settings()
    look_at_setup(settings, connect(settings.redis_url.get_secret_value(), decode_responses=True))


@contextmanager
def _left_to_the_list(ticket: Ticket) -> Iterator[None]:
    try:
        yield
    except (*TRANSIENT, OperationalError) as error:
        log.warning("answer_comes_later", ticket=ticket.id, error=type(error).__name__, reason=str(error))


def _decoded(text: str) -> Ticket | None:
    try:
        return Ticket.from_json(text)
    except TicketError as error:
        # Nobody can be told: where the answer belongs stands in the ticket.
        log.error("ticket_not_read", problem=str(error))
        return None
