"""What can be chosen about a playground. The defaults are Slack's own numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.playground.rate import RateLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """A command as an app manifest declares it (Slack document: "Slash commands")."""

    command: str
    usage_hint: str
    description: str
    should_escape: bool = False


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
        "file_shared",
        "member_joined_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "reaction_added",
        "reaction_removed",
    }
)


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
    subscriptions: frozenset[str] = SUBSCRIBED_EVENTS
    examples: tuple[str, ...] = EXAMPLES
    """What the page suggests to somebody who is new."""
