"""What counts as somebody saying something."""

from typing import Any

import pytest

from bot.listeners.heard import heard
from bot.listeners.mention import without_mention

SAID = {"type": "message", "text": "why a/b c/d", "ts": "1.0", "user": "U1"}
CHANGED = {"type": "message", "subtype": "message_changed", "ts": "9.0", "message": SAID}
CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "a message": (SAID, "1.0"),
    "a reply that is sent to the channel too": ({**SAID, "subtype": "thread_broadcast"}, "1.0"),
    "an edit, by the time of the message": ({**CHANGED, "previous_message": {**SAID, "text": "why a/b"}}, "1.0"),
    "an edit of which nobody says what was before": (CHANGED, "1.0"),
    "an unfurled link, which changes no word": ({**CHANGED, "previous_message": {**SAID, "attachments": []}}, None),
    "an edit without a message": ({**CHANGED, "message": None}, None),
    "a deletion": ({**SAID, "subtype": "message_deleted"}, None),
    "somebody joining": ({**SAID, "subtype": "channel_join"}, None),
    "a message without words": ({**SAID, "text": ""}, None),
    "another bot": ({**SAID, "subtype": "bot_message", "bot_id": "B1"}, None),
    "another bot's edit": ({**CHANGED, "message": {**SAID, "bot_id": "B1"}}, None),
    "a bot that is listened to": ({**SAID, "subtype": "bot_message", "bot_id": "B7"}, "1.0"),
}


@pytest.mark.parametrize("story", CASES)
def test_what_is_heard(story: str) -> None:
    event, ts = CASES[story]
    found = heard({"event": event}, frozenset({"B7"}))
    assert (found.ts if found else None) == ts


@pytest.mark.parametrize("body", [{}, {"event": None}, {"event": "text"}])
def test_what_is_no_event_says_nothing(body: dict[str, Any]) -> None:
    assert heard(body) is None


MENTIONS = {
    "<@UBOT> why a b": "why a b",
    "  <@UBOT>: why a b": "why a b",
    "<@UBOT|cilium>, why a b": "why a b",
    "why a b <@UBOT>": "why a b",
    "why <@UBOT> b": "why <@UBOT> b",
    "<@UOTHER> why a b": "<@UOTHER> why a b",
    "<@UBOT>": "",
}


@pytest.mark.parametrize("text", MENTIONS)
def test_the_mention_of_the_bot_is_taken_off(text: str) -> None:
    assert without_mention(text, "UBOT") == MENTIONS[text]
