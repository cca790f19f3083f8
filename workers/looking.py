"""Shows what is behind a button to who pressed it, as far as their rights go, and to nobody else more than theirs."""

from dataclasses import dataclass

import structlog

from bot.audit import Act, Note, Reader, entry_of, no_note
from bot.behind import Behind, Look, attach, whisper
from bot.publish import Publisher
from bot.render.failure import elsewhere, failure_message, report_gone
from bot.reports import Reports
from handlers.model.report import Report
from handlers.rights.allowed import shown_by
from handlers.rights.redacted import redacted
from workers.rights import RightsOf, is_direct

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Looking:
    """Answers the buttons whose report not everybody may see all of."""

    reports: Reports
    publisher: Publisher
    rights: RightsOf
    note: Note = no_note

    def show(self, look: Look) -> None:
        """Show it: in the thread what everybody there and who pressed it may see, the rest to that person alone.

        Raises:
            redis.RedisError: if Redis does not answer.
            PublishError: if Slack does not take it.
        """
        where = look.where
        report = self.reports.load(look.report_id)
        if report is None:
            self.publisher.whisper(where, failure_message(report_gone()))
            return
        try:
            rights = self.rights.of(look.cluster)
        except KeyError:
            self.publisher.whisper(where, failure_message(elsewhere(look.cluster, ", ".join(self.rights.clusters))))
            return
        owners = shown_by(report)
        mine = rights.own(where.user, owners)
        own = redacted(report, mine)
        is_alone = where.thread is None and not is_direct(where.channel, where.user)
        reader = Reader(where.user, where.team, where.channel)
        what = f"{look.what.value} of {report.title}"
        if is_alone:
            whisper(look.what, self.publisher, where, own)
            self.note(entry_of(Act.SHOWN, what, reader, own, cluster=look.cluster, alone=True))
            return
        shared = redacted(report, rights.shared(where.channel, where.user, owners) & mine)
        log.info("shown", what=look.what.value, user=where.user, channel=where.channel, withheld=bool(shared.withheld))
        if _has(look.what, shared):
            attach(look.what, self.publisher, where, shared)
            self.note(entry_of(Act.SHOWN, what, reader, shared, cluster=look.cluster))
        if own.withheld != shared.withheld or not _has(look.what, shared):
            whisper(look.what, self.publisher, where, own)
            self.note(entry_of(Act.SHOWN, what, reader, own, cluster=look.cluster, alone=True))


def _has(what: Behind, report: Report) -> bool:
    return what is Behind.EVIDENCE or bool(report.patches)
