"""Where the answer to a button goes."""

from typing import Any

import pytest

from bot.listeners.place import installation_of, of_action, of_message
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


INSTALLED: dict[str, tuple[dict[str, Any], str]] = {
    "a workspace": ({"team_id": "T1"}, "T1"),
    "a shared channel, somebody of the other workspace writes": (
        {"team_id": "T2", "context_team_id": "T1", "is_ext_shared_channel": True},
        "T1",
    ),
    "a shared channel, as the authorisation says": (
        {
            "team_id": "T2",
            "context_team_id": "T2",
            "authorizations": [{"team_id": "T1", "is_enterprise_install": False}],
        },
        "T1",
    ),
    "an organisation, by an event": (
        {"team_id": "T1", "authorizations": [{"enterprise_id": "E1", "team_id": None, "is_enterprise_install": True}]},
        "E1",
    ),
    "an organisation, by a command": (
        {"team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": "true"},
        "E1",
    ),
    "an organisation, by a button": (
        {"team": None, "enterprise": {"id": "E1"}, "is_enterprise_install": True, "user": {"team_id": "T1"}},
        "E1",
    ),
    "one workspace of many": (
        {"team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": "false"},
        "T1",
    ),
    "nothing that Slack names": ({}, ""),
}


@pytest.mark.parametrize(("body", "expected"), INSTALLED.values(), ids=INSTALLED.keys())
def test_what_the_bot_is_installed_in(body: dict[str, Any], expected: str) -> None:
    assert installation_of(body) == expected


def test_people_of_two_workspaces_speak_in_one_place() -> None:
    event = {"channel": "C1", "text": "why a b"}
    shared = {"authorizations": [{"team_id": "T1", "is_enterprise_install": False}], "event": event}
    ours = of_message(shared, {"user": "U1", "user_team": "T1", "ts": "1.0"}, Via.MENTION)
    theirs = of_message(shared, {"user": "U2", "user_team": "T2", "ts": "1.0"}, Via.MENTION)
    assert (ours.team, theirs.team) == ("T1", "T2")
    assert (ours.home, theirs.home) == ("T1", "T1")
