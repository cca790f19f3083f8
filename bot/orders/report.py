"""``report``: the answers that stand in a thread, or in a channel, as files for a ticket."""

from bot.orders.desk import Desk
from bot.orders.order import Order
from bot.render.blocks import Message
from bot.render.bundle import Bundle, bundle_markdown, bundle_zip
from bot.render.failure import failure_message, nothing_to_bundle
from bot.where import Where
from handlers.catalogue import CATALOGUE
from handlers.commands.command import NotUnderstoodError, Role
from handlers.model.report import Report

NAME = "report"
USAGE = "report"


def parse(words: str) -> None:
    """Read nothing."""
    if words.strip():
        raise NotUnderstoodError("report takes no words; it is about the place in which it is said.", USAGE)


def carry_out(desk: Desk, where: Where, _parsed: None) -> Message | None:
    """Upload the answers of the thread, else of the channel; say so where there is none."""
    found = desk.reports.so_far(where)
    if objection := desk.intake.guard.objection(where, _role_of(found), NAME):
        return failure_message(objection)
    if not found:
        return failure_message(nothing_to_bundle())
    bundle = Bundle(found, desk.now(), desk.program)
    title = f"Report of {len(found)} answer{'s' * (len(found) != 1)}"
    publisher = desk.intake.publisher
    publisher.attach(where, name="report.md", content=bundle_markdown(bundle), title=title)
    publisher.attach(where, name="report.zip", content=bundle_zip(bundle), title=f"{title}, with all evidence")
    return None


def _role_of(reports: tuple[Report, ...]) -> Role:
    """Return who may see all of them: whoever may ask each."""
    declared = (CATALOGUE.commands.get(report.command) for report in reports)
    is_for_operators = any(command is None or command.role is Role.OPERATOR for command in declared)
    return Role.OPERATOR if is_for_operators else Role.VIEWER


ORDER = Order(
    NAME, USAGE, "The answers of this thread, or of this channel, as files.", (USAGE,), parse, carry_out, Role.VIEWER
)
