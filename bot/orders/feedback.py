"""``feedback``: what people said of answers, that this was not it; counted, listed and exported."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.cards.place import CardRef, Place
from bot.feedback import Word, json_lines
from bot.orders.desk import Desk
from bot.orders.order import Order
from bot.render.blocks import Message
from bot.render.failure import failure_message
from bot.render.manners import Doubted, feedback_message, said_message
from bot.where import Via, Where
from handlers.alerts.life import doubted
from handlers.commands.command import NotUnderstoodError, Role

NAME = "feedback"
USAGE = "feedback [list | export | wrong ID]"
_ID = re.compile(r"[\w.:-]{1,80}")


class Do(StrEnum):
    """What is done with what people say."""

    LIST = "list"
    EXPORT = "export"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done; the card that was wrong by its fingerprint."""

    do: Do
    fingerprint: str = ""


def parse(words: str) -> Wanted:
    """Read what is to be done.

    Raises:
        NotUnderstoodError: if that cannot be done.
    """
    first, _, rest = words.strip().partition(" ")
    match first.casefold() or Do.LIST:
        case Do.LIST | Do.EXPORT as do if not rest:
            return Wanted(Do(do))
        case Do.WRONG if _ID.fullmatch(rest.strip()):
            return Wanted(Do.WRONG, rest.strip())
    raise NotUnderstoodError("feedback is listed, exported, or given by the button of a card.", USAGE)


def carry_out(desk: Desk, where: Where, wanted: Wanted) -> Message | None:
    """Keep a word, list what was said, or upload it."""
    if wanted.do is Do.WRONG:
        return _keep(desk, where, wanted.fingerprint)
    if objection := desk.intake.guard.objection(where, Role.OPERATOR, NAME):
        # What was said in other channels is not for everybody.
        return failure_message(objection)
    said = desk.feedback.all()
    if wanted.do is Do.EXPORT and said:
        title = f"{len(said)} time{'s' if len(said) > 1 else ''} this was not it"
        desk.intake.publisher.attach(where, name="feedback.jsonl", content=json_lines(said), title=title)
        return None
    words = [Doubted(one.at, one.by, one.title, one.status) for one in said]
    return feedback_message(words, len(said), is_private=where.via in (Via.COMMAND, Via.BUTTON))


def _keep(desk: Desk, where: Where, fingerprint: str) -> Message:
    ref = CardRef(Place(where.home, where.channel), fingerprint)
    entry = desk.cards.find(ref)
    if entry is None:
        return said_message("I keep no such card in this channel.")
    if where.user in entry.card.doubted_by:
        return said_message("You said so already; thank you.")
    found = entry.card.diagnosis
    word = Word(
        desk.now(),
        where.user,
        where.channel,
        fingerprint,
        entry.card.title,
        question=found.question if found else "",
        status=found.status if found else "",
        report_id=found.report_id if found else "",
    )
    desk.feedback.put(word)
    desk.cards.change(ref, lambda card: doubted(card, where.user))
    return said_message("Thank you: noted, with the answer, so that it can be looked into.")


ORDER = Order(
    NAME,
    USAGE,
    "What people said of answers: this was not it.",
    ("feedback", "feedback export"),
    parse,
    carry_out,
    Role.VIEWER,
)
