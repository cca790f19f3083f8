"""What somebody wrote, out of the several events that say so.

An edit comes as ``message_changed`` with the message inside (https://docs.slack.dev/reference/events/message#subtypes);
deletions, joins and the like say nothing, and neither do bots, this one above all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SAYS_SOMETHING = {"", "thread_broadcast", "file_share", "me_message", "bot_message"}


@dataclass(frozen=True, slots=True)
class Heard:
    """A message with words in it. ``raw`` is as Slack sent it."""

    text: str
    ts: str
    raw: Mapping[str, Any]


def heard(body: Mapping[str, Any], bots: frozenset[str] = frozenset()) -> Heard | None:
    """Return the message that an event is about, None where there is nothing to answer."""
    event = body.get("event")
    if not isinstance(event, Mapping):
        return None
    message = event
    if event.get("subtype") == "message_changed":
        changed, previous = event.get("message"), event.get("previous_message")
        if not isinstance(changed, Mapping) or (isinstance(previous, Mapping) and _words(changed) == _words(previous)):
            return None  # a link was unfurled, a reaction counted: the words are the same
        message = changed
    if str(message.get("subtype") or "") not in _SAYS_SOMETHING or message.get("hidden"):
        return None
    bot = message.get("bot_id")
    if bot and bot not in bots:
        return None
    text, ts = _words(message), str(message.get("ts") or "")
    return Heard(text, ts, message) if text and ts else None


def _words(message: Mapping[str, Any]) -> str:
    return str(message.get("text") or "")
