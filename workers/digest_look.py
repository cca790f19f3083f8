"""What a worker sees for one subscription: its questions asked of its cluster, as those in its channel may see it."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.audit import Act, Note, Reader, entry_of, no_note
from bot.digests.subscription import Subscription
from handlers.catalogue import CATALOGUE
from handlers.commands.command import Asked, NotUnderstoodError
from handlers.digests.moment import Moment
from handlers.digests.scope import questions_in
from handlers.model.report import Report
from handlers.rights.allowed import shown_by
from handlers.rights.redacted import redacted
from workers.digest_reports import AT_ONCE, gather
from workers.documents import UnreadableError, attached
from workers.origin import Live, NotOpenedError, opened
from workers.rights import RightsOf
from workers.settings import Served, WorkerSettings

CHECK = "check"


@dataclass(frozen=True, slots=True)
class DigestLook:
    """Looks. ``rights`` is None where nobody decides who may see what; ``note`` is told of each report."""

    settings: WorkerSettings
    rights: RightsOf | None = None
    note: Note = no_note

    def __call__(self, subscription: Subscription) -> Moment:
        """Return what stands.

        Raises:
            NotOpenedError: if the cluster is none of this worker's, or cannot be opened.
            NothingAnsweredError: if no question has an answer.
        """
        served = self._served(subscription)
        asked = questions_in(subscription.timetable.scope)
        contracts, unread = self._contracts()
        return gather(
            (*asked, *contracts),
            lambda: opened(served.origin),
            budget=self.settings.budget,
            at_once=AT_ONCE if isinstance(served.origin, Live) else 1,
            redact=lambda report: self._shown(report, subscription, served),
            owned=self.rights is not None,
            unasked=unread,
        )

    def _served(self, subscription: Subscription) -> Served:
        known = {one.name: one for one in self.settings.served}
        served = known.get(subscription.cluster) if subscription.cluster else self.settings.served[0]
        if served is None:
            raise NotOpenedError(f"it is about the cluster {subscription.cluster}; I look at {', '.join(known)}")
        return served

    def _contracts(self) -> tuple[tuple[Asked, ...], Mapping[str, str]]:
        """Return the question about contracts, or why it cannot be asked."""
        if self.settings.contracts is None:
            return (), {}
        try:
            return (CATALOGUE.understand(CHECK, attached([self.settings.contracts])),), {}
        except (UnreadableError, NotUnderstoodError) as error:
            return (), {CHECK: str(error)}

    def _shown(self, report: Report, subscription: Subscription, served: Served) -> Report:
        shown = report
        if self.rights is not None:
            rights = self.rights.of(served.name)
            shown = redacted(report, rights.shared(subscription.channel, subscription.by, shown_by(report)))
        reader = Reader("", subscription.team, subscription.channel)
        self.note(entry_of(Act.ANSWERED, f"digest {subscription.id}: {report.question}", reader, shown))
        return shown
