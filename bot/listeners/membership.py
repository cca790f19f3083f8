"""Channels that the bot comes into: invited, or joined because their names are those of incident channels.

https://docs.slack.dev/reference/events/member_joined_channel, /channel_created, /channel_rename, /group_rename. Joining
needs the scope channels:join; without it the bot waits to be invited.
"""

from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, App

from bot.listeners.place import installation_of
from bot.membership import Membership


def listen(app: App, membership: Membership) -> None:
    """Register the listeners."""

    def joined(body: Mapping[str, Any], event: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        own_user = context.get("bot_user_id")
        if own_user and event.get("user") == own_user:
            membership.names.forget_joined()
            membership.came_into(str(event.get("channel") or ""), installation_of(body))

    def named(body: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        channel = event.get("channel")
        if isinstance(channel, Mapping) and channel.get("id"):
            is_public = event.get("type") in ("channel_created", "channel_rename")
            name, team = str(channel.get("name") or ""), installation_of(body)
            membership.named(str(channel["id"]), name, team, is_public=is_public)

    app.event("member_joined_channel")(ack=_acknowledge, lazy=[joined])
    app.event("channel_created")(ack=_acknowledge, lazy=[named])
    app.event("channel_rename")(ack=_acknowledge, lazy=[named])
    app.event("group_rename")(ack=_acknowledge, lazy=[named])


def _acknowledge(ack: Ack) -> None:
    ack()
