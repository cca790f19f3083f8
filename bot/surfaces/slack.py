"""Slack as a surface: the answer takes the place of the placeholder."""

from datetime import UTC, datetime, timedelta

import structlog
from redis.exceptions import RedisError

from bot.publish import Publisher
from bot.render.blocks import Message
from bot.render.dump import about_dump
from bot.render.failure import Failure, failure_message
from bot.render.progress import LOOKING, progress
from bot.render.report import first_message, long_tables, report_message
from bot.render.table import csv_of
from bot.reports import Reports
from bot.surface import Answer, SurfaceError
from bot.ticket import Address, Ticket
from bot.where import Where
from handlers.model.report import FirstAnswer, Report
from handlers.model.wire import WireError, decode, encode

NAME = "slack"
_HEALTH = "health"
"""The question whose newest answer App Home shows to everybody."""

log = structlog.get_logger(__name__)


def address_of(where: Where) -> Address:
    """Return the address of a place in Slack whose placeholder stands."""
    return Address(NAME, encode(where))


def where_of(ticket: Ticket) -> Where:
    """Return the place in Slack that a ticket's address names.

    Raises:
        SurfaceError: if it names none.
    """
    try:
        where = decode(Where, ticket.address.place)
    except WireError as error:
        raise SurfaceError(f"no place in Slack: {error}") from error
    assert isinstance(where, Where)  # noqa: S101  (tells the type checker what decode promises)
    return where


class SlackSurface:
    """Edits the placeholder."""

    def __init__(
        self, publisher: Publisher, reports: Reports | None = None, *, is_health_for_everybody: bool = False
    ) -> None:
        """Take where answers are kept, to note which of them stand where.

        ``is_health_for_everybody`` says that an answer about the health of the cluster may be shown to whoever may ask.
        """
        self._publisher = publisher
        self._reports = reports
        self._is_health_for_everybody = is_health_for_everybody

    def progress(self, waiter: Ticket, told: str | FirstAnswer) -> bool:
        """Show how far the run is, or what is certain already, in the placeholder."""
        where = where_of(waiter)
        if not where.placeholder_ts:
            return self._publisher.status(where, f"{LOOKING} {told}" if isinstance(told, str) else LOOKING)
        if isinstance(told, str):
            return self._publisher.progress(where, progress(waiter.text, told))
        shown = _about(waiter, first_message(told, asked_by=where.user), told.report)
        return self._publisher.progress(where, shown)

    def answer(self, waiter: Ticket, answer: Answer) -> None:
        """Put the answer in the place of the placeholder."""
        where = where_of(waiter)
        age = None if answer.cached_at is None else max(timedelta(0), datetime.now(UTC) - answer.cached_at)
        shown = report_message(answer.report, report_id=answer.report_id, age=age, asked_by=where.user)
        place = self._publisher.answer(where, _about(waiter, shown, answer.report))
        self._note(place, answer)
        if answer.own is not None:
            self._tell_asker(waiter, answer.own, answer.own_id, age)
        for table in long_tables(answer.report):
            self._publisher.attach_once(
                place,
                name=f"{answer.report.command}-{waiter.id[:8]}.csv",
                content=csv_of(table),
                title=f"{table.title}: {answer.report.title}",
            )

    def _tell_asker(self, waiter: Ticket, own: Report, own_id: str, age: timedelta | None) -> None:
        """Tell the asker alone what not everybody there may see; without it the answer stands all the same."""
        where = where_of(waiter)
        shown = report_message(own, report_id=own_id, age=age, asked_by=where.user)
        try:
            self._publisher.whisper(where, _about(waiter, shown, own))
        except SurfaceError as error:
            log.warning("asker not told the rest", channel=where.channel, reason=str(error))

    def _note(self, place: Where, answer: Answer) -> None:
        if self._reports is None or not answer.report_id:
            return
        try:
            self._reports.answered(place, answer.report_id)
            if answer.report.question == _HEALTH and self._is_health_for_everybody:
                self._reports.answered_health(place, answer.report_id)
        except RedisError as error:
            # The answer stands; only a bundle of the thread will lack it.
            log.warning("answer not noted", error=type(error).__name__)

    def fail(self, waiter: Ticket, failure: Failure) -> None:
        """Put the reason in the place of the placeholder."""
        self._publisher.answer(where_of(waiter), failure_message(failure, waiter.asking))


def _about(waiter: Ticket, shown: Message, report: Report) -> Message:
    return about_dump(shown, waiter.dump.name, report.taken_at) if waiter.dump is not None else shown
