"""The words of a Slack message: text, attachments with their fields, blocks; new, edited, or out of a history.

https://docs.slack.dev/reference/events/message, /messaging/formatting-message-text, /block-kit.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handlers.alerts.alert import LONGEST_TEXT, State, text_in

MOST_MESSAGES = 200
_MOST_PARTS = 200
_DEEPEST = 8
_RESOLVED_COLOURS = frozenset({"good", "#2eb886", "2eb886", "#36a64f", "36a64f", "#2eb67d", "2eb67d"})
_LINK = re.compile(r"<(?P<target>[^<>|]{0,2000})(?:\|(?P<label>[^<>]{0,2000}))?>")
_EMOJI = re.compile(r"(?<![\w\]]):[a-z][a-z0-9_+-]{1,39}:(?!\w)")


def messages_inside(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the messages of an event, a shortcut, a history or a posted payload; none where there are none."""
    event = document.get("event")
    if isinstance(event, Mapping):
        return messages_inside(event)
    held = document.get("messages")
    if isinstance(held, list):
        return [one for one in held[:MOST_MESSAGES] if isinstance(one, Mapping) and _says_something(one)]
    if isinstance(inside := document.get("message"), Mapping) and _says_something(inside):
        return [inside]  # message_changed, a shortcut, an answer of chat.postMessage
    return [document] if _says_something(document) else []


def _says_something(one: Mapping[str, Any]) -> bool:
    has_parts = any(isinstance(one.get(name), list) for name in ("attachments", "blocks"))
    is_posted = any(name in one for name in ("ts", "channel", "type", "bot_id", "username", "user", "subtype"))
    return has_parts or (isinstance(one.get("text"), str) and (is_posted or len(one) <= 2))


def words_of(message: Mapping[str, Any]) -> str:
    """Return everything that a message says, a line for each part, without Slack's decoration.

    What its text says as well is not said again by its blocks and attachments; they themselves may repeat a line: of
    two alerts that have a label in common each has its own.
    """
    lines = _lines((text_in(message.get("text"), LONGEST_TEXT),))
    said = set(lines)
    lines += [line for line in _lines(_parts(message)) if line not in said]
    return "\n".join(lines)[:LONGEST_TEXT]


def _lines(parts: Iterable[str]) -> list[str]:
    return [line.strip() for part in parts for line in plain(part).splitlines() if line.strip()]


def plain(text: str) -> str:
    """Return Slack's markup as its words: links by their labels, no stars, ticks and emoji."""
    text = _LINK.sub(lambda found: found["label"] or found["target"], text)
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, char)
    return _EMOJI.sub(" ", text).replace("*", "").replace("`", "")


def colour_says(message: Mapping[str, Any]) -> State | None:
    """Return what the colour of the attachments says, None where it says nothing: good is Alertmanager's resolved."""
    colours = {text_in(one.get("color")).lower() for one in _mappings(message.get("attachments"))} - {""}
    return State.RESOLVED if colours and colours <= _RESOLVED_COLOURS else None


def _parts(message: Mapping[str, Any]) -> Iterator[str]:
    yield from _blocks(message.get("blocks"), _DEEPEST)
    for one in _mappings(message.get("attachments")):
        yield from _attachment(one)


def _attachment(one: Mapping[str, Any]) -> Iterator[str]:
    said = [text_in(one.get(name), LONGEST_TEXT) for name in ("pretext", "title", "text")]
    blocks = list(_blocks(one.get("blocks"), _DEEPEST))
    yield from said
    for field in _mappings(one.get("fields")):
        title, value = text_in(field.get("title")).strip(" :"), text_in(field.get("value"), LONGEST_TEXT)
        yield f"{title}: {value}" if title else value
    yield from blocks
    if not any(said) and not blocks:
        yield text_in(one.get("fallback"), LONGEST_TEXT)
    yield text_in(one.get("footer"))


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in (value if isinstance(value, list) else [])[:_MOST_PARTS] if isinstance(one, Mapping)]


def _blocks(value: object, deepest: int) -> Iterator[str]:
    """Give the texts of blocks, whatever they are nested in; a field with its name on a line of its own is joined."""
    if deepest < 0:
        return
    if isinstance(value, list):
        pieces = [piece for one in value[:_MOST_PARTS] for piece in _blocks(one, deepest - 1)]
        yield from pieces
    elif isinstance(value, Mapping):
        if value.get("type") == "rich_text_section":
            yield "".join(text_in(one.get("text") or one.get("url")) for one in _mappings(value.get("elements")))
            return
        text = value.get("text")
        if isinstance(text, str):
            yield _joined(text[:LONGEST_TEXT])
        elif isinstance(text, Mapping):
            yield from _blocks(text, deepest - 1)
        for name in ("fields", "elements"):
            if isinstance(value.get(name), list) and value.get("type") != "actions":
                yield from _blocks(value[name], deepest - 1)


_HEADING = re.compile(
    r"^\s{0,5}[*_]{1,2}(?P<name>[A-Za-z][\w .-]{0,40}?):?[*_]{1,2}:?\s{0,5}\n\s{0,5}(?P<value>[^\n]{1,1000})\s{0,5}$"
)


def _joined(text: str) -> str:
    found = _HEADING.match(text)
    return f"{found['name']}: {found['value']}" if found else text
