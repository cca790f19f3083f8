"""What a worker does with one ticket: run once for everybody who asks the same, and answer each of them once.

A run can end in a crash at any point. Whoever has not been answered stays on the list of waiters, and the question
is sent again from there. An answer given twice leaves one answer.
"""

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import Protocol, TypeVar

import redis
import structlog
from celery.exceptions import SoftTimeLimitExceeded
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bot.followed import followed
from bot.metrics import Stage
from bot.render.failure import Failure, elsewhere, internal, lost, no_dump, timeout
from bot.reports import Reports
from bot.stages import stage, waited
from bot.surface import Answer, Surface, SurfaceError, UnavailableError
from bot.ticket import Dump, Ticket
from bot.waiters import Turn, Waiters
from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import Asked, NotUnderstoodError
from handlers.model.report import FirstAnswer
from workers.lease import lease_kept
from workers.outcomes import count_read, note_told
from workers.progress import Narrator
from workers.runner import Progress, Ran

REDIS_ERRORS = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError)
"""A Redis that is away, and one that refuses: it is full, a replica, or cannot write its file."""

TRANSIENT = (*REDIS_ERRORS, UnavailableError)
"""Errors that are gone after a while: the question is tried again. Every other one is told to the asker at once."""

T = TypeVar("T")

Outcome = Answer | Failure
"""What everybody who waits is told."""

log = structlog.get_logger(__name__)


class DumpError(Exception):
    """A dump cannot be looked at; the message says why."""


class Look(Protocol):
    """Answer a question from the cluster or the cache."""

    def __call__(self, asked: Asked, progress: Progress) -> Ran:
        """Return the report; gaps are in it, and whatever is raised is a defect or a limit."""
        ...


@dataclass(frozen=True, slots=True)
class Answering:
    """Everything that is needed to answer a ticket.

    ``soft_limit`` is for the words of a timeout; ``patience`` is how long to wait in place for a Redis that restarts.
    Both are in seconds. ``looks`` are by the names of the clusters that are looked at, the first is meant where a
    question names none; questions about any other are refused.
    """

    looks: Mapping[str, Look]
    waiters: Waiters
    surface: Surface
    reports: Reports
    soft_limit: float
    clusters: Callable[[], Collection[str]] = tuple
    """The names of all clusters that some worker looks at: where there are several, an answer names its own."""
    patience: float = 10.0
    catalogue: Catalogue = CATALOGUE
    look_of_dump: Callable[[Dump], Look] | None = None
    """Looks at a dump that a question is about; None where nobody can."""

    def answer(self, ticket: Ticket, run: str) -> None:
        """Answer everybody who waits for this question, unless another run does.

        ``run`` is the name of the message that brought the ticket. Whatever is raised, the list of waiters has the
        question sent again for those who were not told.

        Raises:
            UnavailableError: if somebody could not be told now.
            redis.RedisError: if Redis stays away; the ticket itself is answered by then, if a
                run had begun.
        """
        with followed(ticket.id, run=run):
            turn = self._patiently(lambda: self.waiters.begin(ticket, run))
            if turn not in (Turn.TAKEN, Turn.DONE):
                self._answer(ticket, run, turn)

    def _answer(self, ticket: Ticket, run: str, turn: Turn) -> None:
        with lease_kept(self.waiters, ticket, run):
            if turn is Turn.GIVE_UP:
                log.error("question_given_up", question=ticket.text)
                self._tell_everybody(ticket, run, lost())
            elif turn is Turn.TIMED_OUT:
                log.error("question_timed_out", question=ticket.text)
                self._tell_everybody(ticket, run, self._timed_out())
            else:
                log.info("looking", question=ticket.text)
                waited(Stage.QUEUE, ticket.asked_at)
                narrator = Narrator(ticket, run, self.waiters, self.surface)
                outcome = self._outcome(ticket, narrator)
                self._tell_everybody(ticket, run, outcome, narrator.shown)

    def _outcome(self, ticket: Ticket, narrator: Narrator) -> Outcome:
        cluster = ticket.cluster or next(iter(self.looks))
        look = self.looks.get(cluster)
        if ticket.dump is not None:
            look = self.look_of_dump(ticket.dump) if self.look_of_dump else None
        if look is None:
            log.error("question_of_another_cluster", asked=ticket.cluster, looked_at=list(self.looks))
            return elsewhere(ticket.cluster, ", ".join(self.looks))
        is_one_of_several = ticket.dump is None and cluster and len({*self.looks, *self.clusters()}) > 1
        shown_as = cluster if is_one_of_several else ""

        def say(told: str | FirstAnswer) -> None:
            narrator.say(
                told if isinstance(told, str) else replace(told, report=replace(told.report, cluster=shown_as))
            )

        started = time.monotonic()
        try:
            with narrator:
                asked = self.catalogue.understand(ticket.text, ticket.attachments)
                ran = look(replace(asked, fresh=ticket.fresh), say)
            seconds = round(time.monotonic() - started, 2)
            count_read(ran, fresh=ticket.fresh)
            log.info("looked", question=ticket.text, seconds=seconds, cached=ran.cached_at is not None)
            return self._kept(replace(ran, report=replace(ran.report, cluster=shown_as)))
        except SoftTimeLimitExceeded:
            log.warning("question_timed_out", question=ticket.text)
            if narrator.first is not None:
                return self._kept(Ran(narrator.first.as_last()))
            return self._timed_out(narrator.latest)
        except NotUnderstoodError as error:
            # The web process parsed it: this worker is of another release.
            return Failure(internal("").kind, error.problem, f"Ask like this: {error.usage}")
        except DumpError as error:
            return no_dump(str(error))
        except TRANSIENT:
            raise
        except Exception as error:
            failure_id = uuid.uuid4().hex[:8]
            log.exception("question_failed", question=ticket.text, failure=failure_id, error=type(error).__name__)
            return internal(failure_id)

    def _kept(self, ran: Ran) -> Answer:
        try:
            report_id = self.reports.save(ran.report)
        except redis.RedisError as error:
            # The answer matters more than the buttons under it.
            log.warning("report_not_kept", error=type(error).__name__)
            report_id = ""
        return Answer(ran.report, report_id, ran.cached_at)

    def _timed_out(self, waiting_for: str = "") -> Failure:
        return timeout(timedelta(seconds=self.soft_limit), waiting_for)

    def _tell_everybody(self, ticket: Ticket, run: str, outcome: Outcome, shown: Sequence[Ticket] = ()) -> None:
        later: UnavailableError | None = None
        told = set()
        try:
            with stage(Stage.PUBLISH):
                for waiter in chain(self._drained(ticket, run), shown):
                    if waiter.id in told:
                        continue
                    told.add(waiter.id)
                    try:
                        with followed(waiter.id):
                            self._tell(waiter, outcome)
                    except UnavailableError as error:
                        later = error
        except SoftTimeLimitExceeded:
            # There is an answer, only no time left to tell it to all of them.
            raise UnavailableError("the time limit came before everybody was told") from None
        if later is not None:
            raise later

    def _drained(self, ticket: Ticket, run: str) -> Iterator[Ticket]:
        told = False
        try:
            self._patiently(lambda: self.waiters.waiting(ticket))
            for waiter in self.waiters.drain(ticket, run):
                told = told or waiter.id == ticket.id
                yield waiter
        except REDIS_ERRORS:
            if not told:
                yield ticket
            raise

    def _tell(self, waiter: Ticket, outcome: Outcome) -> None:
        try:
            if isinstance(outcome, Answer):
                self.surface.answer(waiter, outcome)
            else:
                self.surface.fail(waiter, outcome)
        except UnavailableError:
            raise
        except SurfaceError as error:
            log.warning("answer_undeliverable", surface=waiter.address.surface, reason=str(error))
        else:
            note_told(waiter, outcome.report if isinstance(outcome, Answer) else outcome)
        self._patiently(lambda: self.waiters.answered(waiter))

    def _patiently(self, step: Callable[[], T]) -> T:
        again = Retrying(
            retry=retry_if_exception_type(REDIS_ERRORS),
            stop=stop_after_delay(self.patience),
            wait=wait_fixed(0.2),
            reraise=True,
        )
        return again(step)
