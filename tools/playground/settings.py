"""What can be chosen about a playground. The defaults are Slack's own numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tools.playground.rate import RateLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """A command as an app manifest declares it (Slack document: "Slash commands")."""

    command: str
    usage_hint: str
    description: str
    should_escape: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A shortcut as an app manifest declares it (Slack document: "Implementing shortcuts")."""

    name: str
    callback_id: str
    description: str
    on_messages: bool
    """In the menu of a message; otherwise in the composer's."""


CILIUM_COMMAND = SlashCommand(
    command="/cilium",
    usage_hint="why shop/frontend shop/cart 8080",
    description="Why one workload cannot reach another",
)

EXAMPLES = (
    "/cilium why shop/frontend shop/cart 8080",
    "@cilium why can't shop/frontend reach shop/cart on 8080?",
    "/cilium help",
)

SUBSCRIBED_EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "channel_created",
        "channel_rename",
        "file_shared",
        "group_rename",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "reaction_added",
        "reaction_removed",
    }
)

EVERY_SCOPE = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
"""Those that some method or event of the playground asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaygroundSettings:
    """Tokens, clocks and subscriptions of the one app installed in the playground's workspace."""

    bot_token: str = "xoxb-playground"  # noqa: S105 - a well-known value for a server that listens on loopback only
    app_token: str = "xapp-playground"  # noqa: S105
    signing_secret: str = "playground"  # noqa: S105
    verification_token: str = "playground-verification"  # noqa: S105
    request_url: str | None = None
    """Deliver by signed HTTP to this URL instead of by Socket Mode."""
    ack_deadline: float = 3.0
    """Slack document "Acknowledging requests": within 3 seconds."""
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    """Slack document "Events API", retries: nearly at once, after 1 minute, after 5 minutes."""
    trigger_lifetime: float = 3.0
    """Slack document "Handling user interaction": a trigger_id expires 3 seconds after it was sent."""
    response_url_uses: int = 5
    response_url_lifetime: float = 30 * 60
    """Slack document "Handling user interaction": up to 5 responses within 30 minutes."""
    rates: RateLimits = field(default_factory=RateLimits)
    commands: tuple[SlashCommand, ...] = (CILIUM_COMMAND,)
    shortcuts: tuple[Shortcut, ...] = ()
    scopes: frozenset[str] = EVERY_SCOPE
    """What the app was granted; ``tools.playground.manifest`` reads it from a manifest."""
    subscriptions: frozenset[str] = SUBSCRIBED_EVENTS
    alerts_url: str = ""
    """Where the app takes webhooks of alert senders; empty: nowhere."""
    alerts_token: str = "playground-alerts"  # noqa: S105
    clock_file: Path | None = None
    """Where the app's processes read by how much the clock is ahead (``tools.moved_clock``)."""
    examples: tuple[str, ...] = EXAMPLES
    """What the page suggests to somebody who is new."""
