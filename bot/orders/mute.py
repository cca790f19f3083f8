"""``mute``: nothing is shown of a cause, a namespace, or anything in this channel for a while; what is muted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from bot.cards.outbox import Item
from bot.cards.place import CardRef, Place
from bot.mutes import TooManyMutesError
from bot.orders.desk import Desk
from bot.orders.order import Order
from bot.render.blocks import Message
from bot.render.failure import failure_message
from bot.render.manners import Muted, mutes_message, said_message, span_said
from bot.where import Via, Where
from handlers.alerts.life import KeptCard, muted
from handlers.alerts.manners import Mute, Scope, Target, muting, target_of
from handlers.commands.command import NotUnderstoodError, Role
from handlers.names.trailing_span import without_span

NAME = "mute"
USAGE = "mute [list | here | namespace NAME | cause ID] [1h]"
EXAMPLES = ("mute namespace shop 2h", "mute here 30m")
DEFAULT_SPAN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is muted for how long; no target: what is muted is listed."""

    target: Target | None = None
    span: timedelta = DEFAULT_SPAN


def parse(words: str) -> Wanted:
    """Read what is to be muted, and for how long: a week at most, as every span.

    Raises:
        NotUnderstoodError: if that is nothing that can be muted, or for no time.
    """
    said = words.split()
    if not said or [one.casefold() for one in said] == ["list"]:
        return Wanted()
    rest, span = without_span(words)
    if span is not None and not span:
        raise NotUnderstoodError("mute takes a span such as 30m or 2h.", USAGE)
    target = target_of(rest) if rest else Target(Scope.CHANNEL)
    if target is None:
        raise NotUnderstoodError(f"mute does not know what {rest[:80]!r} is.", USAGE, EXAMPLES)
    return Wanted(target, span or DEFAULT_SPAN)


def carry_out(desk: Desk, where: Where, wanted: Wanted) -> Message:
    """Mute it, or list what is muted."""
    at, place = desk.now(), Place(where.home, where.channel)
    if wanted.target is None:
        return _listed(desk, where, place)
    mute = Mute(wanted.target, where.user, at, at + wanted.span)
    if wanted.target.scope is Scope.CAUSE:
        ref = CardRef(place, wanted.target.name)
        card = desk.cards.change(ref, lambda card: muted(card, mute.until, mute.by))
        if card is None:
            return said_message("I keep no such card in this channel.")
        return said_message(f"Muted for {span_said(wanted.span)}: {card.title}")
    # A word about more than one card is a setting of the channel.
    if objection := desk.intake.guard.objection(where, Role.OPERATOR, NAME):
        return failure_message(objection)
    try:
        desk.mutes.put(where.channel, mute)
    except TooManyMutesError as error:
        return said_message(str(error))
    for entry in desk.cards.of(place):
        desk.cards.kept.outbox.enter(place, Item.card(entry.card.fingerprint), at)
    return said_message(f"Muted for {span_said(wanted.span)}: {wanted.target}. Alerts are counted all the same.")


def _listed(desk: Desk, where: Where, place: Place) -> Message:
    at = desk.now()
    cards = [entry.card for entry in desk.cards.of(place)]
    of_causes = [found for card in cards if card.is_muted(at) and (found := muting(card, (), at))]
    listed = [_muted(mute, cards) for mute in (*of_causes, *desk.mutes.of(place.channel, at))]
    return mutes_message(listed, is_private=where.via in (Via.COMMAND, Via.BUTTON))


def _muted(mute: Mute, cards: Iterable[KeptCard]) -> Muted:
    covered = [card for card in cards if _is_covered(card, mute)]
    is_cause = mute.target.scope is Scope.CAUSE and bool(covered)
    title = covered[0].title if is_cause else str(mute.target)
    return Muted(mute, title, len(covered), sum(card.count for card in covered))


def _is_covered(card: KeptCard, mute: Mute) -> bool:
    match mute.target.scope:
        case Scope.CAUSE:
            return card.fingerprint == mute.target.name
        case Scope.NAMESPACE:
            return mute.target.name in card.namespaces
    return True


ORDER = Order(
    NAME,
    USAGE,
    "Show nothing of a cause, a namespace or this channel for a while; what is muted here.",
    ("mute", *EXAMPLES),
    parse,
    carry_out,
    Role.VIEWER,
)
