"""Where the answer to a button goes."""

from typing import Any

import pytest

from bot.listeners.place import of_action
from bot.where import Via, Where

USER = {"id": "U1", "team_id": "T1"}
CHANNEL = {"id": "C1"}
CASES: dict[str, tuple[dict[str, Any], Where]] = {
    "under a message, in its thread": (
        {"user": USER, "channel": CHANNEL, "container": {"message_ts": "1.0"}},
        Where("T1", "C1", "U1", Via.BUTTON, "1.0"),
    ),
    "in a thread, in that thread": (
        {"user": USER, "channel": CHANNEL, "container": {"message_ts": "2.0", "thread_ts": "1.0"}},
        Where("T1", "C1", "U1", Via.BUTTON, "1.0"),
    ),
    "on what only the asker sees, in the channel": (
        {"user": USER, "channel": CHANNEL, "container": {"message_ts": "2.0", "is_ephemeral": True}},
        Where("T1", "C1", "U1", Via.BUTTON),
    ),
    "in a direct conversation, there": (
        {"user": USER, "channel": {"id": "D1"}, "container": {"message_ts": "2.0"}},
        Where("T1", "D1", "U1", Via.BUTTON),
    ),
    "in App Home, in the direct conversation with the person": (
        {"user": USER, "container": {"type": "view", "view_id": "V1"}},
        Where("T1", "U1", "U1", Via.BUTTON),
    ),
    "nowhere that Slack names": ({}, Where("", "", "", Via.BUTTON)),
}


@pytest.mark.parametrize("story", CASES)
def test_a_button_is_answered(story: str) -> None:
    body, where = CASES[story]
    assert of_action(body) == where
