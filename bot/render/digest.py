"""A digest as a Slack message: the opening, a line for each change with its question, drops by cause, one grey line."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.render import digest_text
from bot.render.blocks import (
    CHART,
    TABLE,
    Block,
    Message,
    bullets,
    button,
    chart,
    clip,
    code_block,
    context,
    escape,
    message,
    say,
    section,
)
from bot.render.report import ASK
from bot.render.table import block_of, lines_of
from handlers.digests.compare import Change, Digest, Kind
from handlers.digests.moment import Moment

_OPENED = 8
"""Lines with a button beside them: two screens of a phone; the others are below in small print."""
_STANDING = 4
_LINE = 420
_SIGN = {Kind.NEW: "🔴", Kind.WORSE: "🟠", Kind.CLEARED: "🟢", Kind.BETTER: "🔵", Kind.STANDS: "⚪"}
_SERIES = 6
_RUNS = 20
"""Slack's limits of a chart's series and points."""
_FORMS = (frozenset({TABLE, CHART}), frozenset({TABLE}), frozenset[str]())


def digest_message(digest: Digest, history: Sequence[Moment] = (), *, note: str = "") -> Message:
    """Return the message; one line where nothing differs.

    ``history`` are the moments before, oldest first, for the chart of drops. ``note`` stands below it in small print:
    whose digest it is, or that one was missed.
    """
    words = digest_text.one_line_of(digest) if digest.is_unchanged else digest_text.brief(digest)
    if digest.is_unchanged:
        return message([section(f"{_sign(digest)} {escape(words)}"), *([context(escape(note))] if note else [])], words)
    body = [section(f"{_sign(digest)} *{escape(digest_text.opening(digest))}*"), *_lines(digest)]
    below = [context(*(escape(told) for told in _provenance(digest, note)))]
    richest, *plainer = [message([*body, *_drops(digest, history, natives), *below], words) for natives in _FORMS]
    return replace(richest, plainer=tuple(one.blocks for one in plainer if one.blocks != richest.blocks))


def _sign(digest: Digest) -> str:
    if digest.is_worse:
        return "⛔"
    return "❓" if digest.is_in_doubt else "✅"


def _lines(digest: Digest) -> Iterator[Block]:
    opened, rest = digest.changes[:_OPENED], digest.changes[_OPENED:]
    for number, change in enumerate(opened):
        yield section(_line(change), button(_opener(change.question), f"{ASK}_{number}", change.question))
    if rest:
        yield section(bullets([_line(change) for change in rest], most=20, limit=2_000, rest="in the next ones"))
    standing = [problem for problem in digest.problems if problem.kind is Kind.STANDS]
    for number, problem in enumerate(standing[:_STANDING]):
        place = f"{ASK}_{_OPENED + number}"
        yield section(_line(problem), button(_opener(problem.question), place, problem.question))
    if standing[_STANDING:]:
        yield context(f"… {len(standing) - _STANDING} more stand as before")
    if digest.unread:
        told = [clip(say(sentence), 260) for sentence in digest.unread]
        yield section("*Not read:*\n" + bullets(told, most=4, limit=1_400, rest="see health"))


def _line(change: Change) -> str:
    word = "" if change.kind is Kind.STANDS else f"*{str(change.kind).capitalize()}:* "
    advice = f" → {escape(change.advice)}" if change.advice and change.kind in (Kind.NEW, Kind.WORSE) else ""
    return f"{_SIGN[change.kind]} {word}{clip(say(change.sentence), _LINE)}{clip(advice, 160)}"


def _opener(question: str) -> str:
    word = question.partition(" ")[0]
    return "Why?" if word == "why" else word.capitalize()


def _drops(digest: Digest, history: Sequence[Moment], natives: frozenset[str]) -> Iterator[Block]:
    table = digest_text.table_of(digest)
    if table is None:
        return
    if TABLE in natives:
        yield section(f"*{escape(table.title)}*")
        yield block_of(table)
    else:
        yield section(f"*{escape(table.title)}*\n{code_block(lines_of(table))}")
    drawn = series_of([*history, digest.now])
    if CHART in natives and drawn:
        yield chart("Drops by cause", drawn, kind="line")


def series_of(moments: Sequence[Moment]) -> dict[str, list[tuple[str, float]]]:
    """Return packets of the greatest causes, run by run; nothing where there are fewer than two runs to draw."""
    counted = [moment for moment in moments if moment.window is not None][-_RUNS:]
    totals: dict[str, int] = {}
    for standing in (one for moment in counted for one in moment.causes):
        totals[standing.key] = totals.get(standing.key, 0) + (standing.count or 0)
    if len(counted) < 2 or not totals:
        return {}
    names = {one.key: one.label for moment in counted for one in moment.causes}
    greatest = sorted(totals, key=lambda key: (-totals[key], key))[:_SERIES]
    labels = [f"{moment.at:%d %b %H:%M}" for moment in counted]
    return {
        names[key]: [
            (label, float(next((one.count or 0 for one in moment.causes if one.key == key), 0)))
            for label, moment in zip(labels, counted, strict=True)
        ]
        for key in greatest
    }


def _provenance(digest: Digest, note: str) -> Iterator[str]:
    yield f"{', '.join(digest.now.questions)} · {digest.now.source}, {digest_text.when(digest.now.at)}"
    if note:
        yield note


def missed_message(whose: str, times: Sequence[str], why: str) -> Message:
    """Say which digests nobody was told: it is too late for them."""
    shown = ", ".join(times[-3:])
    more = f" and {len(times) - 3} before" if times[3:] else ""
    one = len(times) == 1
    words = f"The digest{'' if one else 's'} of {shown}{more} {'was' if one else 'were'} missed: {why}."
    return message([section(f"⏰ {escape(words)}"), context(escape(whose))], words)


def undone_message(whose: str, reason: str) -> Message:
    """Say that the cluster could not be looked at: nothing is known to be well."""
    words = f"The digest could not be made: {reason}"
    return message([section(f"❓ {escape(words)}"), context(escape(whose))], words)
