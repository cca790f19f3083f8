"""What every message has: words of its own, for a notification and for a screen reader."""

import re
from collections.abc import Iterable
from typing import Any

_JUNK = {
    "a mention as Slack writes it": re.compile(r"<[@#!]"),
    "a link as Slack writes it": re.compile(r"<https?://[^>]*\|"),
    "escaped twice": re.compile(r"&amp;(?:lt|gt|amp);"),
    "a fence": re.compile(r"```"),
    "bold": re.compile(r"(?<![\w*])\*[^\s*][^*\n]*\*(?![\w*])"),
    "code": re.compile(r"`[^`\n]+`"),
    "an emoji by its name": re.compile(r"(?<!\S):[a-z][a-z0-9_+-]*:(?!\S)"),
    "what Slack says where there is no text": re.compile(r"can.t be displayed|no preview available", re.IGNORECASE),
}


def untold(text: str) -> list[str]:
    """Return what is wrong with a text; nothing where it can be read out."""
    if len(re.findall(r"[^\W\d_]{2,}", text)) < 2:
        return ["fewer than two words"]
    return [name for name, pattern in _JUNK.items() if pattern.search(text)]


def of_the_app(messages: Iterable[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return the texts of the app's messages that cannot be read out, with what is wrong with each."""
    texts = (str(one["text"]) for one in messages if str(one.get("user", "")).startswith("U0CILIUM"))
    return [(text, wrong) for text in texts if (wrong := untold(text))]
