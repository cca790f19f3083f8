"""Manners of cards in messages: what a muted card says, what quiet hours held back, what is muted, what people said."""

from collections.abc import Mapping, Sequence
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


def mutes_message(mutes: Sequence[Mute], counts: Mapping[Target, tuple[str, int, int]]) -> Message:
    """Return what is muted here: each with its name, how many causes it covers and how many alerts told of them."""
    if not mutes:
        return said_message("Nothing is muted here.")
    rows = []
    for mute in mutes[:_MOST_LISTED]:
        name, causes, alerts = counts.get(mute.target, ("", 0, 0))
        covers = f"{causes} cause{'' if causes == 1 else 's'}, {alerts:,} alert{'' if alerts == 1 else 's'}"
        rows.append(
            f"• {clip(unmarked(name), 120) or code(str(mute.target))} until {_moment(mute.until)}"
            f"{_by(mute.by)}: {covers}"
        )
    lifts = [
        button(
            f"Unmute {counts.get(mute.target, ('',))[0] or mute.target}"[:70],
            f"ask_{_FIRST_NUMBER + index}",
            f"unmute {mute.target}",
        )
        for index, mute in enumerate(mutes[:_MOST_BUTTONS])
    ]
    return message([section("\n".join(rows)), *actions(lifts)], f"{len(mutes)} muted here")


def feedback_message(said: Sequence[tuple[datetime, str, str, str]], count: int) -> Message:
    """Return the newest words of people: when, by whom, about what, and what was answered."""
    if not count:
        return said_message("Nobody said that an answer was not it.")
    head = f"{count} time{'s' if count > 1 else ''} somebody said: this was not it"
    rows = [
        f"• {_moment(at)}{_by(by)}: {clip(unmarked(title), 160)}{f' – {escape(status)}' if status else ''}"
        for at, by, title, status in said[:_MOST_LISTED]
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


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%d %b %H:%M} UTC"
