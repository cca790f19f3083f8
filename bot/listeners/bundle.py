"""``report``: the answers that stand in a thread, or in a channel, as files for a ticket."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.intake import Intake
from bot.render.bundle import Bundle, bundle_markdown, bundle_zip
from bot.render.failure import failure_message, nothing_to_bundle
from bot.reports import Reports
from bot.where import Where
from handlers.catalogue import CATALOGUE
from handlers.commands.command import Role
from handlers.model.report import Report

WORD = "report"


def is_bundle(text: str) -> bool:
    """Say whether the words ask for what was answered so far."""
    return text.strip().casefold() == WORD


@dataclass(frozen=True, slots=True)
class Bundles:
    """Puts together what was answered in a place. ``program`` is this release in words."""

    intake: Intake
    reports: Reports
    program: str = "cilium-triage"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def give(self, where: Where, *, delivery: str) -> None:
        """Upload the answers of the thread, else of the channel; say so where there is none. Raises nothing."""
        if self.intake.is_first(where, delivery):
            self.intake.safely(where, lambda: self._give(where))

    def _give(self, where: Where) -> None:
        found = self.reports.so_far(where)
        if objection := self.intake.guard.objection(where, _role_of(found), WORD):
            self.intake.tell(where, failure_message(objection))
        elif not found:
            self.intake.tell(where, failure_message(nothing_to_bundle()))
        else:
            bundle = Bundle(found, self.now(), self.program)
            title = f"Report of {len(found)} answer{'s' * (len(found) != 1)}"
            publisher = self.intake.publisher
            publisher.attach(where, name="report.md", content=bundle_markdown(bundle), title=title)
            publisher.attach(where, name="report.zip", content=bundle_zip(bundle), title=f"{title}, with all evidence")


def _role_of(reports: tuple[Report, ...]) -> Role:
    """Return who may see all of them: whoever may ask each."""
    declared = (CATALOGUE.commands.get(report.command) for report in reports)
    is_for_operators = any(command is None or command.role is Role.OPERATOR for command in declared)
    return Role.OPERATOR if is_for_operators else Role.VIEWER
