"""The app as its manifest declares it: what Slack would grant and deliver after an installation from that file.

Source: Slack document "App manifest reference".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tools.playground.settings import PlaygroundSettings, Shortcut, SlashCommand

MANIFEST = Path(__file__).parents[2] / "deploy/slack/manifest.yaml"


def installed(manifest: Path = MANIFEST, **chosen: Any) -> PlaygroundSettings:
    """Return the settings of a playground into which the app was installed; ``chosen`` are further fields of them.

    A method whose scope the manifest does not ask for answers ``missing_scope``, an event that it does not subscribe
    to never comes, and people see the commands and shortcuts that it declares.
    """
    declared = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    features, settings = declared["features"], declared["settings"]
    granted: dict[str, Any] = {
        "scopes": frozenset(declared["oauth_config"]["scopes"]["bot"]),
        "subscriptions": frozenset(settings["event_subscriptions"]["bot_events"]),
        "commands": tuple(map(_command, features.get("slash_commands", ()))),
        "shortcuts": tuple(map(_shortcut, features.get("shortcuts", ()))),
    }
    return PlaygroundSettings(**granted | chosen)


def _command(declared: dict[str, Any]) -> SlashCommand:
    return SlashCommand(
        command=declared["command"],
        usage_hint=declared.get("usage_hint", ""),
        description=declared["description"],
        should_escape=declared.get("should_escape", False),
    )


def _shortcut(declared: dict[str, Any]) -> Shortcut:
    return Shortcut(
        name=declared["name"],
        callback_id=declared["callback_id"],
        description=declared["description"],
        on_messages=declared["type"] == "message",
    )
