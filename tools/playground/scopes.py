"""Which scope an event needs: without it Slack delivers nothing, whatever the app subscribes to.

Source: the reference pages of the single events, docs.slack.dev/reference/events.
"""

from __future__ import annotations

from tools.playground.workspace import ChannelKind

FAMILIES = {ChannelKind.PUBLIC: "channels", ChannelKind.PRIVATE: "groups", ChannelKind.DIRECT: "im"}
"""What stands before ``:read`` and ``:history`` for each kind of conversation."""

OF_EVENTS: dict[str, frozenset[str]] = {
    "app_home_opened": frozenset(),
    "app_mention": frozenset({"app_mentions:read"}),
    "channel_created": frozenset({"channels:read"}),
    "channel_rename": frozenset({"channels:read"}),
    "group_rename": frozenset({"groups:read"}),
    "file_shared": frozenset({"files:read"}),
    "member_joined_channel": frozenset({"channels:read", "groups:read"}),
    "member_left_channel": frozenset({"channels:read", "groups:read"}),
    "message.channels": frozenset({"channels:history"}),
    "message.groups": frozenset({"groups:history"}),
    "message.im": frozenset({"im:history"}),
    "reaction_added": frozenset({"reactions:read"}),
    "reaction_removed": frozenset({"reactions:read"}),
}
"""Any one of them is enough."""


def may_hear(subscription: str, granted: frozenset[str]) -> bool:
    """Whether an app with these scopes gets events of that subscription."""
    needed = OF_EVENTS[subscription]
    return not needed or bool(needed & granted)
