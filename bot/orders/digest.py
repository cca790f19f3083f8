"""``digest``: subscribe a channel to what differs in the cluster, list, pause, run and remove subscriptions."""

import secrets
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.digests.due import CLOSEST, NotACronError, checked, is_too_often, next_due
from bot.digests.kept import TooManySubscriptionsError
from bot.digests.subscription import ENVIRONMENT, Subscription
from bot.dispatch import QueueDownError
from bot.orders.desk import Desk
from bot.orders.order import Order
from bot.render.blocks import Message
from bot.render.failure import failure_message, queue_down
from bot.render.subscriptions import clock, done_message, subscribed_message, subscriptions_message
from bot.where import Where
from handlers.commands.command import Asked, NotUnderstoodError, Role
from handlers.digests.scope import questions_in
from handlers.digests.timetable import EXAMPLE, Timetable, timetable_of

NAME = "digest"
USAGE = "digest every DAY HH:MM [ZONE] [SCOPE] [quiet when unchanged] | digest list | digest pause|resume|now|remove ID"


class Do(StrEnum):
    """What is done with subscriptions."""

    ADD = "add"
    LIST = "list"
    PAUSE = "pause"
    RESUME = "resume"
    NOW = "now"
    REMOVE = "remove"


_WORDS = {
    **{str(do): do for do in (Do.PAUSE, Do.RESUME, Do.NOW, Do.REMOVE)},
    "run": Do.NOW,
    "delete": Do.REMOVE,
    "stop": Do.REMOVE,
    "unsubscribe": Do.REMOVE,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done: to add, a timetable and its questions; to do with one, its id, empty for the only one."""

    do: Do
    timetable: Timetable | None = None
    asked: tuple[Asked, ...] = ()
    id: str = ""


def parse(words: str) -> Wanted:
    """Read when and what, or what is to be done with which.

    Raises:
        NotUnderstoodError: if the words say no time, no question or nothing that can be done.
    """
    first, _, rest = words.strip().partition(" ")
    if first.casefold() in ("", "list", "show"):
        if rest.strip():
            raise NotUnderstoodError("The list takes no more words.", USAGE, (EXAMPLE,))
        return Wanted(Do.LIST)
    if do := _WORDS.get(first.casefold()):
        named = rest.strip().removeprefix("now").strip() if do is Do.NOW else rest.strip()
        if " " in named:
            raise NotUnderstoodError("Name one subscription by its id; digest list shows them.", USAGE)
        return Wanted(do, id=named.strip("`").lower())
    timetable = timetable_of(rest if first.casefold() in ("add", "subscribe") else words)
    try:
        checked(timetable.cron)
    except NotACronError as error:
        raise NotUnderstoodError(f"{error}.", USAGE, (EXAMPLE,)) from error
    return Wanted(Do.ADD, timetable, questions_in(timetable.scope))


def carry_out(desk: Desk, where: Where, wanted: Wanted) -> Message | None:
    """Subscribe, list, or do with one of this channel what is wanted."""
    if wanted.do is Do.ADD and wanted.timetable is not None:
        return _add(desk, where, wanted.timetable, wanted.asked)
    here = [one for one in desk.digests.listed() if one.channel == where.channel and one.team in ("", where.team)]
    if wanted.do is Do.LIST:
        now = desk.now()
        return subscriptions_message([(one, next_due(one.timetable, max(now, one.told))) for one in here])
    meant = [one for one in here if one.id == wanted.id] if wanted.id else here
    if len(meant) != 1:
        none = "Nothing of that is subscribed here" if wanted.id or not here else "Several are subscribed here"
        return done_message(f"{none}: digest list shows what is.")
    return _do(desk, meant[0], wanted.do)


def _add(desk: Desk, where: Where, timetable: Timetable, asked: tuple[Asked, ...]) -> Message:
    for one in asked:
        if objection := desk.intake.guard.objection(where, one.command.role, one.command.name):
            return failure_message(objection)
    now = desk.now()
    if is_too_often(timetable, now):
        return done_message(f"A digest comes every {CLOSEST.seconds // 60} minutes at most; watch looks closer.")
    cluster = desk.intake.cluster_for(where)
    if doubt := desk.intake.doubt_about(cluster):
        return failure_message(doubt)
    subscription = Subscription(
        id=secrets.token_hex(3),
        team=where.team,
        channel=where.channel,
        timetable=timetable,
        by=where.user,
        since=now,
        told=now,
        cluster=cluster,
        questions=tuple(map(str, asked)),
    )
    try:
        desk.digests.add(subscription)
    except TooManySubscriptionsError as error:
        return done_message(str(error))
    return subscribed_message(subscription, next_due(timetable, now))


def _do(desk: Desk, one: Subscription, do: Do) -> Message | None:
    now = desk.now()
    match do:
        case Do.NOW:
            try:
                desk.run_digest(one.id, "", one.cluster)
            except QueueDownError:
                return failure_message(queue_down())
            return done_message(f"Looking: digest {one.id} comes in a moment.")
        case Do.PAUSE:
            desk.digests.change(one.id, lambda found: replace(found, is_paused=True))
            return done_message(f"Digest {one.id} is paused; digest resume {one.id} lets it go on.")
        case Do.RESUME:
            desk.digests.change(one.id, lambda found: replace(found, is_paused=False, told=now))
            return done_message(f"Digest {one.id} goes on, next {clock(one, next_due(one.timetable, now))}.")
        case _ if one.by == ENVIRONMENT:
            return done_message(f"Digest {one.id} comes from the settings (CILIUM_TRIAGE_DIGESTS): take it out there.")
        case _:
            desk.digests.remove(one.id)
            return done_message(f"Digest {one.id} is removed, with what it told.")


ORDER = Order(
    NAME,
    USAGE,
    "What differs in the cluster, told on a schedule: new and cleared problems, drops, lints, contracts.",
    (EXAMPLE, "digest list"),
    parse,
    carry_out,
    Role.OPERATOR,
)
