"""Notes every answer in the audit log: to whom it went, and what of the cluster it showed."""

from dataclasses import dataclass

from bot.audit import Act, Note, Reader, entry_of
from bot.render.failure import Failure
from bot.surface import Answer, Surface
from bot.ticket import Ticket
from handlers.model.report import FirstAnswer
from workers.redacting import asker_of


@dataclass(frozen=True, slots=True)
class Auditing:
    """A surface in front of all others, behind what takes out of answers what their readers may not read."""

    surface: Surface
    note: Note

    def progress(self, waiter: Ticket, told: str | FirstAnswer) -> bool:
        """Show how far the run is; the answer that follows holds all of it."""
        return self.surface.progress(waiter, told)

    def answer(self, waiter: Ticket, answer: Answer) -> None:
        """Give the answer, and note it once it is given."""
        self.surface.answer(waiter, answer)
        user, channel = asker_of(waiter)
        reader = Reader(user, str(waiter.address.place.get("team") or ""), channel)
        self.note(entry_of(Act.ANSWERED, waiter.text, reader, answer.report, cluster=waiter.cluster))
        if answer.own is not None:
            self.note(entry_of(Act.ANSWERED, waiter.text, reader, answer.own, cluster=waiter.cluster, alone=True))

    def fail(self, waiter: Ticket, failure: Failure) -> None:
        """Say why there is no answer; nothing is shown."""
        self.surface.fail(waiter, failure)
