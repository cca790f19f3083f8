"""Takes out of every answer what its readers may not read, before any surface has it.

Askers share a run, never a redaction: each place gets the answer as everybody there may see it, and who asked gets the
rest alone. What is kept for buttons, cards and bundles is what was shown; the whole answer is kept beside it.
"""

from dataclasses import dataclass, replace

import redis
import structlog

from bot.cards.place import ref_of
from bot.render.failure import Failure
from bot.reports import Reports
from bot.surface import Answer, Surface
from bot.ticket import Ticket
from handlers.model.report import FirstAnswer, Report
from handlers.rights.allowed import Allowed, shown_by
from handlers.rights.redacted import redacted, redacted_first
from workers.rights import RightsOf, is_direct

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Redacting:
    """A surface in front of all others."""

    surface: Surface
    rights: RightsOf
    reports: Reports

    def progress(self, waiter: Ticket, told: str | FirstAnswer) -> bool:
        """Show how far the run is, or what of a first answer may be seen there."""
        if isinstance(told, str):
            return self.surface.progress(waiter, told)
        return self.surface.progress(waiter, redacted_first(told, self._shared(waiter, told.report)))

    def answer(self, waiter: Ticket, answer: Answer) -> None:
        """Give the answer as it may be seen there, and the rest to the asker alone."""
        user, channel = asker_of(waiter)
        report = answer.report
        shared = redacted(report, self._shared(waiter, report))
        own = shared
        if user and not is_direct(channel, user) and shared.withheld:
            own = redacted(report, self.rights.own(waiter.cluster, user, shown_by(report)))
        sees_more = own != shared and bool(set(shared.withheld) - set(own.withheld))
        self.surface.answer(
            waiter,
            replace(
                answer,
                report=shared,
                report_id=self._kept(shared, answer.report_id),
                own=own if sees_more else None,
                own_id=self._kept(own, answer.report_id) if sees_more else "",
            ),
        )

    def fail(self, waiter: Ticket, failure: Failure) -> None:
        """Say why there is no answer: no failure holds anything of the cluster."""
        self.surface.fail(waiter, failure)

    def _shared(self, waiter: Ticket, report: Report) -> Allowed:
        user, channel = asker_of(waiter)
        return self.rights.shared(waiter.cluster, channel, user, shown_by(report))

    def _kept(self, shown: Report, whole_id: str) -> str:
        if not whole_id:
            return ""
        try:
            return self.reports.save_shown(shown, whole_id)
        except redis.RedisError as error:
            log.warning("report_not_kept", error=type(error).__name__)
            return ""


def asker_of(waiter: Ticket) -> tuple[str, str]:
    """Return who asked and in which channel, empty where the address names none."""
    place = waiter.address.place
    if "card" in place:
        return "", ref_of(str(place["card"])).place.channel
    return str(place.get("user") or ""), str(place.get("channel") or "")
