"""A watch over a connection as a message: what became of it since, until when it is watched, and the way to stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.render.blocks import (
    Message,
    actions,
    bullets,
    button,
    clip,
    code,
    context,
    escape,
    message,
    say,
    section,
)
from handlers.fixes.judge import Fix, FixState
from handlers.model.finding import Sentence

_SIGN = {
    FixState.FIXED: "✅",
    FixState.PASSES: "✅",
    FixState.OPENED: "⏳",
    FixState.STILL_BLOCKED: "⛔",
    FixState.APPLIED_STILL_BLOCKED: "⛔",
    FixState.BROKE: "⛔",
    FixState.GONE: "⚠️",
    FixState.CANNOT_TELL: "❓",
}
_FIRST_NUMBER = 400
"""Numbers of these buttons start above those of channels."""
_MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class Watched:
    """A line of the list: what is watched, until when, and what was last said of it."""

    question: str
    title: str
    until: datetime
    by: str
    said: str


def begun_message(question: str, title: str, *, until: datetime, by: str) -> Message:
    """Return what stands there until the first answer has come."""
    text = f"Watching {title} until {_clock(until)}"
    row = actions([_stop(question)])
    return message([section(f"⏳ *{escape(title)}*: looking…"), context(_until(until, by)), *row], text)


def fix_message(
    fix: Fix,
    question: str,
    title: str,
    *,
    why: Sentence | None,
    until: datetime,
    by: str,
    at: datetime,
    is_over: bool,
) -> Message:
    """Return how things stand, and ``why`` nothing passed; the way to stop until it ``is_over``."""
    reason = f"\n*Why:* {clip(say(why), 600)}" if why and fix.state is FixState.STILL_BLOCKED else ""
    head = section(f"{_SIGN[fix.state]} *{escape(title)}*: {clip(say(fix.sentence), 1_500)}{reason}")
    grey = f"{_by(by)}watched until {_clock(at)}" if is_over else f"{_until(until, by)} · looked at {_clock(at)}"
    row = actions(
        [None if is_over else _stop(question), button("Why?", f"ask_{_FIRST_NUMBER + 1}", f"{question} fresh")]
    )
    return message([head, context(grey), *row], f"{title}: {fix.sentence}")


def last_word(fix: Fix, title: str) -> Message:
    """Return the reply that ends a watch."""
    return message([section(f"{_SIGN[fix.state]} {clip(say(fix.sentence), 1_500)}")], f"{title}: {fix.sentence}")


def watches_message(watched: Sequence[Watched]) -> Message:
    """Return all that is watched here."""
    if not watched:
        return message([section("I watch nothing here.")], "I watch nothing here.")
    lines = [
        f"• {code(one.question)} until {_clock(one.until)}{f': {escape(one.said)}' if one.said else ''}"
        for one in watched[:_MOST_LISTED]
    ]
    text = "; ".join(f"{one.title} until {_clock(one.until)}" for one in watched[:_MOST_LISTED])
    row = actions(
        [
            button(f"Stop {one.title}", f"ask_{_FIRST_NUMBER + 2 + index}", f"watch stop {one.question}")
            for index, one in enumerate(watched[:5])
        ]
    )
    return message([section(bullets(lines, most=_MOST_LISTED, limit=2_800, rest="stop some")), *row], text)


def said_message(words: str) -> Message:
    """Return a word to who gave an order about watches."""
    return message([section(escape(words))], words)


def _stop(question: str) -> dict[str, object] | None:
    return button("Stop watching", f"ask_{_FIRST_NUMBER}", f"watch stop {question}")


def _until(until: datetime, by: str) -> str:
    return f"{_by(by)}watching until {_clock(until)}"


def _by(by: str) -> str:
    return f"<@{by}> · " if by.isalnum() else ""


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S} UTC"
