"""``unmute``: show again what was muted."""

from bot.cards.outbox import Item
from bot.cards.place import CardRef, Place
from bot.orders.desk import Desk
from bot.orders.order import Order
from bot.render.blocks import Message
from bot.render.failure import failure_message
from bot.render.manners import said_message
from bot.where import Where
from handlers.alerts.life import muted
from handlers.alerts.manners import Scope, Target, target_of
from handlers.commands.command import NotUnderstoodError, Role

NAME = "unmute"
USAGE = "unmute [here | namespace NAME | cause ID]"


def parse(words: str) -> Target:
    """Read what is to be shown again; nothing means the channel.

    Raises:
        NotUnderstoodError: if that is nothing that can be muted.
    """
    target = target_of(words or "here")
    if target is None:
        raise NotUnderstoodError(f"unmute does not know what {words[:80]!r} is.", USAGE)
    return target


def carry_out(desk: Desk, where: Where, target: Target) -> Message:
    """Show it again."""
    at, place = desk.now(), Place(where.home, where.channel)
    if target.scope is Scope.CAUSE:
        card = desk.cards.change(CardRef(place, target.name), lambda card: muted(card, None, where.user))
        return said_message(f"Shown again: {card.title}" if card else "I keep no such card in this channel.")
    if objection := desk.intake.guard.objection(where, Role.OPERATOR, NAME):
        return failure_message(objection)
    if not desk.mutes.lift(where.channel, target):
        return said_message(f"{target} is not muted here; mute list shows what is.")
    for entry in desk.cards.of(place):
        desk.cards.kept.outbox.enter(place, Item.card(entry.card.fingerprint), at)
    return said_message(f"Shown again: {target}.")


ORDER = Order(
    NAME,
    USAGE,
    "Show again what was muted.",
    ("unmute here", "unmute namespace shop"),
    parse,
    carry_out,
    Role.VIEWER,
)
