"""What a question came to, for the figures: never what it was about."""

from datetime import UTC, datetime

import structlog

from bot.measured import measured
from bot.metrics import (
    ANSWERED,
    CACHE,
    FLOWS_LOST,
    FLOWS_READ,
    GAPS,
    HUBBLE_READS,
    NODES_SILENT,
    QUESTION_SECONDS,
    Hearing,
    Look,
    Outcome,
)
from bot.render.failure import Failure, FailureKind
from bot.spans import spans
from bot.ticket import Ticket
from handlers.model.parts import Part
from handlers.model.report import Report
from workers.runner import Ran
from workers.status import Status, status_of

log = structlog.get_logger(__name__)


def outcome_of(result: Report | Failure) -> Outcome:
    """Return how a question ended."""
    if isinstance(result, Failure):
        return Outcome.TIMED_OUT if result.kind is FailureKind.TIMEOUT else Outcome.FAILED
    status, is_reachability = status_of(result), result.expected is not None
    if status is Status.UNKNOWN:
        return Outcome.CANNOT_TELL
    if is_reachability:
        return Outcome.OPEN if status is Status.FINE else Outcome.BLOCKED
    return Outcome.FINE if status is Status.FINE else Outcome.PROBLEM


def note_told(ticket: Ticket, result: Report | Failure) -> None:
    """Note that somebody was told, and what."""
    outcome = outcome_of(result)
    log.info("told", outcome=outcome)
    measured.count(ANSWERED, kind=ticket.command, outcome=outcome)
    measured.took(QUESTION_SECONDS, (datetime.now(UTC) - ticket.asked_at).total_seconds(), kind=ticket.command)
    spans.whole(ticket.id, ticket.asked_at, ticket.text, {"kind": ticket.command, "outcome": outcome})


def count_read(ran: Ran, *, fresh: bool) -> None:
    """Count what an answer was made of, where it was not made before."""
    measured.count(CACHE, result=Look.HIT if ran.cached_at else Look.FRESH if fresh else Look.MISS)
    if ran.cached_at is None:
        for gap in ran.report.gaps:
            measured.count(GAPS, reason=gap.gap)
        _count_flows(ran.report)


def _count_flows(report: Report) -> None:
    heard = report.budget
    if any(gap.part == Part.FLOWS.in_words for gap in report.gaps):
        measured.count(HUBBLE_READS, result=Hearing.UNREAD)
    elif heard.until is not None:
        is_whole = not heard.nodes_silent and not heard.events_lost
        measured.count(HUBBLE_READS, result=Hearing.WHOLE if is_whole else Hearing.PARTLY)
    measured.count(FLOWS_READ, heard.flows_seen)
    measured.count(FLOWS_LOST, heard.events_lost)
    measured.count(NODES_SILENT, len(heard.nodes_silent))
