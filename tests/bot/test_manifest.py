"""The manifest that people paste into Slack asks for what the listeners need, and for no more."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.listeners import form, triage
from bot.listeners.command import NAME
from bot.scopes import SCOPES as DECLARED
from bot.settings import Settings
from tools.playground.limits import ACTION_ELEMENTS

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "deploy/slack/manifest.yaml").read_text(encoding="utf-8"))
GUIDE = (ROOT / "docs/slack.md").read_text(encoding="utf-8")
LISTENERS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot/listeners").glob("*.py"))
SCOPES = set(MANIFEST["oauth_config"]["scopes"]["bot"])

NEEDED = {
    "app_mention": {"app_mentions:read"},
    "app_home_opened": set(),
    "channel_created": {"channels:read"},
    "channel_rename": {"channels:read"},
    "group_rename": {"groups:read"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "reaction_added": {"reactions:read"},
    "reaction_removed": {"reactions:read"},
}
"""Scopes by event: https://docs.slack.dev/reference/events."""


def test_every_event_has_a_listener_and_every_listener_its_event() -> None:
    listened = set(re.findall(r'app\.event\("(\w+)"', LISTENERS))
    assert {event.partition(".")[0] for event in MANIFEST["settings"]["event_subscriptions"]["bot_events"]} == listened


def test_every_event_has_its_scope() -> None:
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert set(events) == set(NEEDED)
    assert set().union(*NEEDED.values()) <= SCOPES


def test_the_other_scopes_are_those_that_writing_needs() -> None:
    assert SCOPES - set().union(*NEEDED.values()) == {
        "channels:join",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "im:write",
        "usergroups:read",
    }


def test_every_shortcut_has_a_listener() -> None:
    declared = {(one["callback_id"], one["type"]) for one in MANIFEST["features"]["shortcuts"]}
    assert declared == {(form.SHORTCUT, "global"), (triage.SHORTCUT, "message")}


def test_the_doctor_asks_for_the_same_scopes() -> None:
    assert set(DECLARED) == SCOPES


def test_the_command_is_one_that_is_listened_to() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert NAME.fullmatch(command["command"])
    assert command["should_escape"] is True


def test_buttons_and_home_are_on() -> None:
    assert ACTION_ELEMENTS
    assert MANIFEST["settings"]["interactivity"]["is_enabled"]
    assert MANIFEST["features"]["app_home"]["home_tab_enabled"]
    assert MANIFEST["settings"]["socket_mode_enabled"]


LIMITS = {"display_information.name": 35, "display_information.description": 140}


@pytest.mark.parametrize("path", LIMITS)
def test_names_are_within_what_a_manifest_may_hold(path: str) -> None:
    section, name = path.split(".")
    assert len(MANIFEST[section][name]) <= LIMITS[path]


def test_the_guide_explains_every_scope_and_every_setting() -> None:
    assert not [scope for scope in SCOPES if f"`{scope}`" not in GUIDE]
    prefix = Settings.model_config["env_prefix"]
    names = [str(field.validation_alias or f"{prefix}{name.upper()}") for name, field in Settings.model_fields.items()]
    short = [name.replace("CILIUM_TRIAGE_", "…_") for name in names]
    assert not [name for name, other in zip(names, short, strict=True) if name not in GUIDE and other not in GUIDE]
