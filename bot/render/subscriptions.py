"""Subscriptions to digests as messages: what was subscribed, the list, and what was done to one."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.digests.subscription import ENVIRONMENT, Subscription
from bot.render.blocks import Block, Message, actions, button, code, context, escape, message, section
from bot.render.report import ASK

_FIRST_NUMBER = 600
"""Numbers of these buttons start above those of fixes."""
_MOST_LISTED = 12
_MOST_QUESTIONS = 8


def subscribed_message(subscription: Subscription, due: datetime) -> Message:
    """Say what is told when, and how to undo it."""
    text = f"Subscribed: {in_words(subscription)}. First on {clock(subscription, due)}."
    return message([section(f"📬 {escape(text)}"), *_buttons(subscription, 0)], text)


def subscriptions_message(listed: Sequence[tuple[Subscription, datetime]]) -> Message:
    """List the subscriptions of a channel, each with when it is due next."""
    if not listed:
        words = "Nothing is subscribed here. Try: digest every weekday 08:00 Europe/Berlin health,drops,lint"
        return message([section(escape(words))], words)
    blocks: list[Block] = []
    for number, (one, due) in enumerate(listed[:_MOST_LISTED]):
        blocks += [section(line(one, due)), *_buttons(one, number)]
    left = len(listed) - _MOST_LISTED
    blocks += [context(f"… {left} more")] if left > 0 else []
    text = "\n".join(f"{one.id}: {in_words(one)}, {_next(one, due)}" for one, due in listed)
    return message(blocks, text)


def line(subscription: Subscription, due: datetime) -> str:
    """Return one subscription in a line of markup."""
    by = "the settings" if subscription.by == ENVIRONMENT else f"<@{subscription.by}>"
    by = by if subscription.by.isalnum() else "somebody"
    return f"{code(subscription.id)} {escape(in_words(subscription))} · {escape(_next(subscription, due))} · by {by}"


def done_message(words: str) -> Message:
    """Say what was done."""
    return message([section(escape(words))], words)


def in_words(subscription: Subscription) -> str:
    """Return when and what: ``0 8 * * mon-fri Europe/Berlin: health, drops shop``."""
    asked = subscription.questions
    more = f" and {len(asked) - _MOST_QUESTIONS} more" if len(asked) > _MOST_QUESTIONS else ""
    shown = ", ".join(asked[:_MOST_QUESTIONS]) or subscription.timetable.scope or "the usual questions"
    cluster = f" of {subscription.cluster}" if subscription.cluster else ""
    quiet = ", quiet while nothing differs" if subscription.timetable.is_quiet else ""
    return f"{subscription.timetable}: {shown}{more}{cluster}{quiet}"


def clock(subscription: Subscription, at: datetime) -> str:
    """Return a time by the wall clock of the subscription."""
    return at.astimezone(ZoneInfo(subscription.timetable.zone)).strftime("%a %d %b %H:%M %Z")


def _next(subscription: Subscription, due: datetime) -> str:
    return "paused" if subscription.is_paused else f"next {clock(subscription, due)}"


def _buttons(subscription: Subscription, number: int) -> list[Block]:
    first = _FIRST_NUMBER + 3 * number
    turn = ("Resume", "resume") if subscription.is_paused else ("Pause", "pause")
    wanted = (("Run now", "now"), turn, ("Remove", "remove"))
    return actions(
        button(label, f"{ASK}_{first + index}", f"digest {verb} {subscription.id}")
        for index, (label, verb) in enumerate(wanted)
    )
