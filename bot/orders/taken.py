"""Takes an order from the words to its being carried out: understood, allowed, done once, and answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bot.audit import Act
from bot.intake import Search
from bot.orders.desk import Desk
from bot.orders.order import Order
from bot.render.candidates import not_understood
from bot.render.failure import failure_message
from bot.where import Where
from handlers.catalogue import CATALOGUE
from handlers.commands.command import NotUnderstoodError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Orders:
    """All orders by name, and what they work with; made by ``of``."""

    by_name: Mapping[str, Order]
    desk: Desk

    @classmethod
    def of(cls, orders: Iterable[Order], desk: Desk) -> "Orders":
        """Make the table."""
        return cls({order.name: order for order in orders}, desk)

    def take(self, text: str, where: Where, *, delivery: str, attached: Search = tuple) -> bool:
        """Carry out what the words order, once for a delivery; False where they are no order. Raises nothing.

        ``attached`` looks for what came with the words.
        What begins with the name of an order and reads as a question is a question.
        """
        name, _, rest = text.strip().partition(" ")
        order = self.by_name.get(name.casefold())
        if order is None:
            return False
        parsed: Any | NotUnderstoodError
        try:
            parsed = order.parse(rest.strip())
        except NotUnderstoodError as error:
            if _is_question(text):
                return False
            parsed = error
        intake = self.desk.intake
        if intake.is_first(where, f"{delivery}:{order.name}"):
            intake.safely(where, lambda: self._carry_out(order, parsed, where, attached))
        return True

    def _carry_out(self, order: Order, parsed: Any | NotUnderstoodError, where: Where, attached: Search) -> None:
        intake = self.desk.intake
        if order.attach is not None and not isinstance(parsed, NotUnderstoodError):
            try:
                parsed = order.attach(parsed, attached())
            except NotUnderstoodError as error:
                parsed = error
        if isinstance(parsed, NotUnderstoodError):
            intake.tell(where, not_understood(parsed.problem, parsed.usage, parsed.suggestions))
        elif objection := intake.guard.objection(where, order.role, order.name):
            intake.tell(where, failure_message(objection))
            intake.audited(Act.REFUSED, order.name, where)
            return
        elif told := order.carry_out(self.desk, where, parsed):
            intake.tell(where, told)
        intake.audited(Act.ORDERED, order.name, where)
        log.info("ordered", order=order.name, user=where.user, channel=where.channel)


def _is_question(text: str) -> bool:
    try:
        CATALOGUE.understand(text)
    except NotUnderstoodError:
        return False
    return True
