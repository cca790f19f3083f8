"""A message in plain words: what a notification shows and a screen reader says, where blocks are neither seen nor read.

Slack shows "This content can't be displayed" for a message that has blocks and no text of its own
(https://docs.slack.dev/reference/methods/chat.postMessage, "text").
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.render.clean import one_line

_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_LABELLED = re.compile(r"<[^<>|]*\|([^<>]*)>")
_MENTION = re.compile(r"<[@#!][^<>]*>")
_LINK = re.compile(r"<(https?://[^<>|]+)>")
_FENCE = re.compile(r"```\n?")
_MARKED = re.compile(r"(?<![\w*_~`])([*_~`])(?=\S)(.+?)(?<=\S)\1(?![\w*_~`])")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_SAYS_NOTHING = re.compile(r"[\W_]*")


def says_something(text: str) -> bool:
    """Say whether there is a word in it, and not only signs."""
    return _SAYS_NOTHING.fullmatch(text) is None


def aloud(blocks: Iterable[Mapping[str, Any]]) -> str:
    """Return the words of blocks in their order, without markup; a picture by the words that stand for it."""
    words = (one_line(_plain(text)) for block in blocks if block.get("type") != "actions" for text in _texts(block))
    return ". ".join(text.rstrip(".") for text in words if says_something(text))


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    for key in ("title", "text", "alt_text"):
        value = block.get(key)
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from _texts(value)
    for key in ("fields", "elements", "rows"):
        for item in block.get(key) or ():
            yield from _texts({"elements": item} if isinstance(item, list) else item)


def _plain(mrkdwn: str) -> str:
    text = _DATE.sub(r"\1", mrkdwn)
    text = _LABELLED.sub(r"\1", text)
    text = _LINK.sub(r"\1", _MENTION.sub("", text))
    text = _FENCE.sub(" ", text)
    for _ in range(2):  # code in bold, bold in italics
        text = _MARKED.sub(r"\2", text)
    for entity, sign in _ENTITIES:
        text = text.replace(entity, sign)
    return text
