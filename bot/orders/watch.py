"""``watch``: look again and again whether a connection was mended, and say so; list what is watched, stop it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.fixes.fix_watch import CardPlace, FixWatch, watch_id
from bot.fixes.kept import TooManyWatchesError
from bot.fixes.typed import TypedWatch, typed_watch
from bot.orders.desk import Desk
from bot.orders.order import Order
from bot.publish import NotInChannelError
from bot.render.blocks import Message
from bot.render.failure import failure_message, not_in_channel
from bot.render.fix import Watched, begun_message, said_message, watches_message
from bot.where import Where
from handlers.commands.command import Role

NAME = "watch"
USAGE = "watch why A B [PORT] [10m] | watch list | watch stop [why A B]"


class Do(StrEnum):
    """What is done with watches."""

    BEGIN = "begin"
    LIST = "list"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done: what is to be watched; to stop, None means all that is watched here."""

    do: Do
    typed: TypedWatch | None = None


def parse(words: str) -> Wanted:
    """Read a question and a span.

    Raises:
        NotUnderstoodError: if it is none that can be watched, or the span is too long.
    """
    first, _, rest = words.strip().partition(" ")
    match first.casefold():
        case "" | Do.LIST if not rest.strip():
            return Wanted(Do.LIST)
        case Do.STOP:
            return Wanted(Do.STOP, typed_watch(rest) if rest.strip() else None)
    return Wanted(Do.BEGIN, typed_watch(words))


def carry_out(desk: Desk, where: Where, wanted: Wanted) -> Message | None:
    """Begin, list or stop."""
    match wanted.do:
        case Do.BEGIN if wanted.typed:
            return _begin(desk, where, wanted.typed)
        case Do.STOP:
            return _stop(desk, where, wanted.typed)
    return watches_message([_line(one) for one in _here(desk, where)])


def _begin(desk: Desk, where: Where, typed: TypedWatch) -> Message | None:
    intake, asked = desk.intake, typed.asked
    if objection := intake.guard.objection(where, asked.command.role, asked.command.name):
        return failure_message(objection)
    cluster = typed.cluster or intake.cluster_for(where)
    if doubt := intake.doubt_about(cluster):
        return failure_message(doubt)
    now, question = desk.now(), str(asked)
    title = f"{asked.read_as} (cluster {cluster})" if typed.cluster else asked.read_as
    name = watch_id(where.home, where.channel, question, cluster)
    if found := desk.fix_watches.find(name):
        return said_message(f"{found.title} is watched here already, until {found.until:%H:%M} UTC.")
    until = now + typed.span
    try:
        posted = intake.publisher.placeholder(
            replace(where, ticket=name), begun_message(question, title, until=until, by=where.user)
        )
    except NotInChannelError:
        return failure_message(not_in_channel())
    watch = FixWatch(name, question, asked.command.name, title, posted, where.user, now, until, cluster)
    try:
        desk.fix_watches.begin(watch, due=now)
    except TooManyWatchesError as error:
        intake.publisher.answer(posted, said_message(str(error)))
    return None


def _stop(desk: Desk, where: Where, typed: TypedWatch | None) -> Message:
    stopped = [one for one in _here(desk, where) if typed is None or _is_meant(one, typed)]
    for one in stopped:
        desk.fix_watches.end(one.id)
    if not stopped:
        return said_message("Nothing of that is watched here.")
    return said_message(f"Watched no more: {', '.join(one.title for one in stopped)}.")


def _is_meant(watch: FixWatch, typed: TypedWatch) -> bool:
    return watch.question == str(typed.asked) and typed.cluster in ("", watch.cluster)


def _here(desk: Desk, where: Where) -> list[FixWatch]:
    return [one for one in desk.fix_watches.listed() if _place(one) == (where.home, where.channel)]


def _place(watch: FixWatch) -> tuple[str, str]:
    place = watch.place
    return (place.team if isinstance(place, CardPlace) else place.home), place.channel


def _line(watch: FixWatch) -> Watched:
    by = "" if isinstance(watch.place, CardPlace) else watch.by
    return Watched(watch.question, watch.title, watch.until, by, watch.said)


ORDER = Order(
    NAME,
    USAGE,
    "Did the fix work? I look again until packets pass or time is up, and say who changed what.",
    ("watch why shop/frontend shop/cart 8080 10m", "watch list"),
    parse,
    carry_out,
    Role.VIEWER,
)
