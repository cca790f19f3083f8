"""Slack's limits and Slack's markup: nowhere else.

Numbers: https://docs.slack.dev/reference/block-kit (blocks, elements, composition objects),
https://docs.slack.dev/reference/methods/chat.postMessage and chat.update; markup:
https://docs.slack.dev/messaging/formatting-message-text. The total over all blocks is not documented: servers answer
``msg_blocks_too_long`` at about 13,200 characters (slackapi/bolt-js issue 2509).

Characters are counted as UTF-16 units after escaping, the strictest of the readings.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.render.clean import clean, one_line
from bot.render.spoken import aloud, says_something
from handlers.model.finding import Sentence

Block = dict[str, Any]

MOST_BLOCKS = 50
MOST_CHARACTERS = 13_000
SHORT = 4_000
SECTION = 3_000
CONTEXT_ELEMENTS = 10
HEADER = 150
BUTTON_LABEL = 75
BUTTON_VALUE = 2_000
BUTTONS = 25
FALLBACK = 3_900
"""``chat.update`` refuses more than 4,000 characters of ``text``."""
INLINE_CODE = 260
"""Room for the longest name of Kubernetes, 253 characters."""

TABLE, CHART = "table", "data_visualization"
"""Blocks that came later than the others: a workspace may not take them yet, and then refuses the whole message."""
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_CHARACTERS = 6_000
"""Of all cells together: a share of what a message has room for."""
CELL = 120
CHART_TITLE = 50
CHART_SERIES = 6
CHART_POINTS = 20
CHART_LABEL = 20

ELLIPSIS = "…"
_CODE_BLOCK_FRAME = 48
"""Room for the two fences and the line that counts what was left out."""
_HALF_ENTITY = re.compile(r"&[a-z]{0,3}$")
_PAGE = SECTION - _CODE_BLOCK_FRAME
_KIND_AND_NAME = re.compile(r"[A-Z]\w+ \S+$")
_NO_MARKUP = str.maketrans({"*": "∗", "~": "∼"})
_FENCE = "```"
_PLACE = re.compile("\ue000([0-9]+)\ue001")


@dataclass(frozen=True, slots=True)
class Message:
    """What Slack is given: blocks for the screen, ``text`` for notifications, screen readers and plain clients."""

    text: str
    blocks: tuple[Block, ...] = ()
    plainer: tuple[tuple[Block, ...], ...] = ()
    """The same with fewer of the blocks that not every workspace takes, the richest first; the last has none."""


def natives(blocks: Iterable[Block]) -> frozenset[str]:
    """Return which kinds of blocks there are that not every workspace takes."""
    return frozenset(str(block["type"]) for block in blocks) & {TABLE, CHART}


def size(text: str) -> int:
    """Return the length as UTF-16 counts it."""
    return len(text) + sum(character > "\uffff" for character in text)


def escape(text: str) -> str:
    """Return prose that Slack shows as it stands: no link, mention or broadcast can be smuggled in."""
    safe = clean(text).replace("`", "'")
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unmarked(words: str) -> str:
    """Return somebody else's words on one line, without any markup: they stand beside what is ours."""
    return escape(one_line(words).translate(_NO_MARKUP))


def code(value: str) -> str:
    """Return a value as inline code, whatever it contains."""
    return f"`{clip(escape(one_line(value)) or '?', INLINE_CODE)}`"


def code_block(body: str, limit: int = SECTION) -> str:
    """Return a fenced block of at most ``limit`` characters; what was cut off is counted in lines."""
    lines = escape(body.rstrip("\n").expandtabs(2)).split("\n")
    room = limit - _CODE_BLOCK_FRAME
    kept: list[str] = []
    for line in lines:
        room -= size(line) + 1
        if room < 0:
            break
        kept.append(line)
    kept = kept or [clip(lines[0], limit - _CODE_BLOCK_FRAME)]
    left = len(lines) - len(kept)
    note = f"\n{ELLIPSIS} {left} more lines" if left else ""
    return f"{_FENCE}\n" + "\n".join(kept) + f"{note}\n{_FENCE}"


@dataclass(frozen=True, slots=True)
class Pages:
    """A long text as several blocks of code. ``whole``: nothing was left out."""

    blocks: tuple[Block, ...]
    whole: bool


def code_pages(body: str, *, most: int = 4) -> Pages:
    """Return a text as up to ``most`` full sections of code."""
    lines = clean(body).rstrip("\n").split("\n")
    pages: list[Block] = []
    page: list[str] = []
    room = _PAGE
    for index, line in enumerate(lines):
        width = size(escape(line.expandtabs(2))) + 1
        if width > room and page:
            pages.append(section(code_block("\n".join(page), SECTION)))
            page, room = [], _PAGE
            if len(pages) == most:
                return Pages((*pages, context(f"{ELLIPSIS} {len(lines) - index} more lines")), whole=False)
        page.append(line)
        room -= width
    return Pages((*pages, section(code_block("\n".join(page), SECTION))), whole=room >= 0)


def say(sentence: Sentence) -> str:
    """Return a sentence with its prose escaped and its values quoted: names as code, phrases as words."""
    values: list[str] = []

    def hold(value: str) -> str:
        values.append(value)
        return f"\ue000{len(values) - 1}\ue001"

    # The values are set in after escaping, so neither prose nor value can break out of its own quotes.
    spoken = sentence.said(hold)
    words = _PLACE.split(spoken)
    return "".join(
        _quoted(values[int(word)]) if index % 2 else escape(word) for index, word in enumerate(words)
    ).strip()


def _quoted(value: str) -> str:
    words = one_line(value)
    if not words:
        return " " if value else ""
    before = " " if value[:1].isspace() else ""
    after = " " if value[-1:].isspace() else ""
    # A phrase is no name: as code it would be hard to read. It may carry no markup of its own, though.
    quoted = code(words) if " " not in words or _KIND_AND_NAME.match(words) else unmarked(words)
    return f"{before}{quoted}{after}"


def clip(text: str, limit: int) -> str:
    """Return mrkdwn of at most ``limit`` characters, cut where it stays whole: no half entity, no open code."""
    if size(text) <= limit:
        return text
    cut = _HALF_ENTITY.sub("", _first(text, limit - size(f"\n{_FENCE}{ELLIPSIS}")))
    if cut.count(_FENCE) % 2:
        return f"{cut}\n{_FENCE}{ELLIPSIS}"
    return f"{cut}`{ELLIPSIS}" if cut.count("`") % 2 else cut + ELLIPSIS


def bullets(items: Sequence[str], *, most: int, limit: int, each: int = 420, rest: str = "see Evidence") -> str:
    """Return a list that says how much of it was left out."""
    lines: list[str] = []
    room = limit - 40
    for item in items[:most]:
        line = f"• {clip(item, each)}"
        room -= size(line) + 1
        if room < 0:
            break
        lines.append(line)
    left = len(items) - len(lines)
    return "\n".join([*lines, *([f"{ELLIPSIS} {left} more, {rest}"] if left else [])])


def section(text: str, accessory: Block | None = None) -> Block:
    """Return a block of mrkdwn. ``verbatim`` keeps Slack from making links and mentions of plain words."""
    block: Block = {"type": "section", "text": _mrkdwn(clip(text, SECTION))}
    return {**block, "accessory": accessory} if accessory else block


def context(*texts: str, limit: int = 1_200) -> Block:
    """Return small grey print."""
    kept = [text for text in texts if text][:CONTEXT_ELEMENTS]
    share = limit // max(1, len(kept))
    return {"type": "context", "elements": [_mrkdwn(clip(text, share)) for text in kept or [ELLIPSIS]]}


def header(text: str) -> Block:
    """Return a large plain line."""
    return {"type": "header", "text": plain(text, HEADER)}


def divider() -> Block:
    """Return a line."""
    return {"type": "divider"}


def table(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> Block:
    """Return a table whose first row is its head, as many rows as there is room for; ``right``: columns of numbers.

    At least the head fits: it is as narrow as a message may be.
    """
    kept: list[list[Block]] = []
    room = TABLE_CHARACTERS
    for row in rows[:TABLE_ROWS]:
        cells = [_cut(one_line(cell) or " ", CELL) for cell in row[:TABLE_COLUMNS]]
        room -= sum(map(size, cells))
        if room < 0 and kept:
            break
        kept.append([{"type": "raw_text", "text": cell} for cell in cells])
    width = len(kept[0]) if kept else 0
    settings = [{"align": "right" if index in right else "left"} for index in range(width)]
    return {"type": TABLE, "rows": kept, "column_settings": settings}


def bar_chart(title: str, series: Mapping[str, Sequence[tuple[str, float]]]) -> Block:
    """Return bars: for each name of a series its labelled numbers, as many as fit."""
    return chart(title, series, kind="bar")


def chart(title: str, series: Mapping[str, Sequence[tuple[str, float]]], *, kind: str) -> Block:
    """Return a picture with axes, ``bar``, ``line`` or ``area``, with as many series and points as fit."""
    shown = [
        {
            "name": _named(name, CHART_LABEL),
            "data": [{"label": _named(label, CHART_LABEL), "value": value} for label, value in points],
        }
        for name, points in ((name, points[:CHART_POINTS]) for name, points in list(series.items())[:CHART_SERIES])
    ]
    return {"type": CHART, "title": _named(title, CHART_TITLE), "chart": {"type": kind, "series": shown}}


def button(label: str, action_id: str, value: str, *, primary: bool = False) -> Block | None:
    """Return a button, or None where the value does not fit: half a question is a wrong question."""
    if not value or size(value) > BUTTON_VALUE:
        return None
    block: Block = {
        "type": "button",
        "action_id": action_id,
        "text": plain(label, BUTTON_LABEL),
        "value": value,
    }
    return {**block, "style": "primary"} if primary else block


def actions(buttons: Iterable[Block | None]) -> list[Block]:
    """Return a row of the buttons that there are; nothing when there are none."""
    there = [item for item in buttons if item][:BUTTONS]
    return [{"type": "actions", "elements": there}] if there else []


def message(blocks: Sequence[Block], text: str, *, budget: int = MOST_CHARACTERS) -> Message:
    """Return the message within every limit; where it is too long, a line says what was left out.

    Where ``text`` has no words, those of the blocks are its text.
    """
    told = text if says_something(text) else aloud(blocks)
    return Message(text=clip(escape(told), FALLBACK), blocks=tuple(_fitted(list(blocks), budget)))


def shortened(whole: Message) -> Message:
    """Return the message cut to its beginning and its last blocks, for a server that refused the whole."""
    blocks = whole.plainer[-1] if whole.plainer else whole.blocks
    return Message(text=clip(whole.text, FALLBACK), blocks=tuple(_fitted(list(blocks), SHORT)))


def weight(block: object) -> int:
    """Return the characters that a block brings to the total, button values included."""
    match block:
        case Mapping():
            strings = sum(
                size(text) for key, text in block.items() if key in ("text", "value") and isinstance(text, str)
            )
            return strings + sum(weight(item) for item in block.values() if not isinstance(item, str))
        case list() | tuple():
            return sum(map(weight, block))
        case _:
            return 0


def _fitted(blocks: list[Block], budget: int) -> list[Block]:
    tail_length = 2
    left_out = 0
    notice: Callable[[], list[Block]] = lambda: (  # noqa: E731
        [context(f"{ELLIPSIS} {left_out} parts left out here, see Evidence")] if left_out else []
    )
    head, tail = blocks[:-tail_length], blocks[-tail_length:]
    while len(blocks) > MOST_BLOCKS or weight(blocks) > budget:
        if len(head) > 1:
            head.pop()
        elif tail:
            tail.pop(0)
        else:
            break
        left_out += 1
        blocks = [*head, *notice(), *tail]
    return blocks


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text or ELLIPSIS, "verbatim": True}


def plain(text: str, limit: int) -> Block:
    """Return plain text on one line, cut to its place; never empty."""
    return {"type": "plain_text", "text": _named(text, limit), "emoji": True}


def _named(text: str, limit: int) -> str:
    """Return plain text for a place that may not be empty."""
    return _cut(one_line(text) or ELLIPSIS, limit)


def _cut(text: str, limit: int) -> str:
    return text if size(text) <= limit else _first(text, limit - 1).rstrip() + ELLIPSIS


def _first(text: str, limit: int) -> str:
    cut = text[: max(0, limit)]
    while (over := size(cut) - limit) > 0 and cut:
        cut = cut[: -((over + 1) // 2)]  # a character is one unit or two: never takes too many
    return cut
