"""Manners of cards in messages: what a muted card says, what quiet hours held back, what is muted, what people said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.render.blocks import Block, Message, actions, button, clip, code, context, escape, message, section, unmarked
from handlers.alerts.life import KeptCard
from handlers.alerts.manners import Mute, Scope, Target
from handlers.alerts.severity import Severity

_FIRST_NUMBER = 500
"""Numbers of these buttons start above those of watches."""
_MOST_LISTED = 20
_MOST_BUTTONS = 5


def card_buttons(card: KeptCard) -> list[Block | None]:
    """Return the buttons of a card about how it is treated."""
    if not card.is_open:
        return []
    target = Target(Scope.CAUSE, card.fingerprint)
    not_it = button("This was not it", f"ask_{_FIRST_NUMBER + 1}", f"feedback wrong {card.fingerprint}")
    return [
        button("Snooze 1 h", f"ask_{_FIRST_NUMBER}", f"mute {target} 1h"),
        not_it if card.diagnosis else None,
    ]


def muted_message(card: KeptCard, mute: Mute) -> Message:
    """Return what stands in the place of a muted card: the same however often it is told again."""
    state = "Resolved" if not card.is_open else "Muted"
    until = "" if not card.is_open else f" until {_moment(mute.until)}{_by(mute.by)}"
    line = f"🔇 *{state}*{until}: {unmarked(card.title)}"
    lift = button("Unmute", f"ask_{_FIRST_NUMBER + 2}", f"unmute {mute.target}") if card.is_open else None
    return message([section(line, lift)], f"{state}: {card.title}")


def held_message(cards: Sequence[KeptCard], until: datetime) -> Message:
    """Return the summary of what quiet hours held back, what still fires first."""
    ordered = sorted(cards, key=lambda card: (not card.is_open, card.severity.order, -card.count))
    firing = sum(card.is_open for card in cards)
    causes = f"{len(cards)} cause{'s' if len(cards) > 1 else ''}"
    said = f"While it was quiet: {causes}, {firing} still firing, {len(cards) - firing} over"
    rows = [_held(card) for card in ordered[:_MOST_LISTED]]
    left = [f"… {len(cards) - len(rows)} more"] if len(cards) > len(rows) else []
    grey = context(f"held back until {_moment(until)}; what is critical is never held back")
    return message([section(f"🌙 *{escape(said)}*"), section("\n".join([*rows, *left])), grey], said)


def _held(card: KeptCard) -> str:
    state = "🔔" if card.is_open else "✅"
    verdict = f" – {escape(card.diagnosis.status)}" if card.diagnosis and card.diagnosis.status else ""
    severity = f"{card.severity} · " if card.severity is not Severity.UNSAID else ""
    alerts = f"{card.count:,} alert{'' if card.count == 1 else 's'}"
    return clip(f"{state} {unmarked(card.title)}{verdict} · {severity}{alerts}", 240)


@dataclass(frozen=True, slots=True)
class Muted:
    """A mute, and what it covers: how many causes, and how many alerts told of them."""

    mute: Mute
    title: str
    causes: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Doubted:
    """Somebody's word that an answer was not it."""

    at: datetime
    by: str
    title: str
    status: str


def mutes_message(muted: Sequence[Muted], *, is_private: bool) -> Message:
    """Return what is muted here. People are mentioned only where a message ``is_private``: there nobody is called."""
    if not muted:
        return said_message("Nothing is muted here.")
    lifts = [
        button(f"Unmute {clip(one.title, 60)}", f"ask_{_FIRST_NUMBER + index}", f"unmute {one.mute.target}")
        for index, one in enumerate(muted[:_MOST_BUTTONS])
    ]
    rows = [_muted(one, is_private=is_private) for one in muted[:_MOST_LISTED]]
    return message([section("\n".join(rows)), *actions(lifts)], f"{len(muted)} muted here")


def _muted(one: Muted, *, is_private: bool) -> str:
    causes = f"{one.causes} cause{'' if one.causes == 1 else 's'}"
    alerts = f"{one.alerts:,} alert{'' if one.alerts == 1 else 's'}"
    who = _by(one.mute.by) if is_private else _named(one.mute.by)
    return f"• {clip(unmarked(one.title), 120)} until {_moment(one.mute.until)}{who}: {causes}, {alerts}"


def feedback_message(said: Sequence[Doubted], count: int, *, is_private: bool) -> Message:
    """Return the newest words of people, of so many."""
    if not count:
        return said_message("Nobody said that an answer was not it.")
    head = f"{count} time{'s' if count > 1 else ''} somebody said: this was not it"
    rows = [
        f"• {_moment(one.at)}{_by(one.by) if is_private else _named(one.by)}: {clip(unmarked(one.title), 160)}"
        f"{f' – {unmarked(one.status)}' if one.status else ''}"
        for one in said[:_MOST_LISTED]
    ]
    export = actions([button("Export", f"ask_{_FIRST_NUMBER}", "feedback export")])
    return message([section(f"*{head}*"), section("\n".join(rows)), *export], head)


def said_message(words: str) -> Message:
    """Return a word to who gave an order."""
    return message([section(escape(words))], words)


def span_said(span: timedelta) -> str:
    """Return ``30 min``, ``2 h`` or ``3 days``."""
    minutes = round(span.total_seconds() / 60)
    if minutes % 1440 == 0:
        return f"{minutes // 1440} day{'s' if minutes > 1440 else ''}"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _by(user: str) -> str:
    return f" by <@{user}>" if user.isalnum() else ""


def _named(user: str) -> str:
    return f" by {code(user)}" if user else ""


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%d %b %H:%M} UTC"
