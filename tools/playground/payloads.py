"""The payloads that Slack sends to an app: events, slash commands, interactions.

Shapes follow the Slack documents "Events API", "Slash commands", "Interaction payloads" and the reference pages of the
single events. Functions of values: no state, no clock.
"""

from __future__ import annotations

from tools.playground.workspace import (
    APP_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    Channel,
    ChannelKind,
    Json,
    Message,
    User,
    View,
)

TEAM = {"id": TEAM_ID, "domain": TEAM_DOMAIN}


def event_callback(event: Json, *, event_id: str, now: float, verification_token: str) -> Json:
    """Wrap an event as the Events API delivers it."""
    return {
        "token": verification_token,
        "team_id": TEAM_ID,
        "context_team_id": TEAM_ID,
        "context_enterprise_id": None,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(now),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-playground-{event_id}",
    }


def message_event(message: Message, channel: Channel) -> Json:
    """Return the ``message`` event of a new message."""
    shown = message.to_slack()
    for key in ("reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked", "subscribed"):
        shown.pop(key, None)
    return shown | {"channel": channel.id, "event_ts": message.ts, "channel_type": channel.kind.value}


def mention_event(message: Message, channel: Channel) -> Json:
    """Return the ``app_mention`` event that accompanies a message naming the app."""
    shown = message_event(message, channel)
    shown.pop("channel_type")
    return shown | {"type": "app_mention"}


def changed_event(message: Message, previous: Json, channel: Channel, *, event_ts: str) -> Json:
    """Return the ``message_changed`` event of an edit."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": message.to_slack() | {"source_team": TEAM_ID, "user_team": TEAM_ID},
        "previous_message": previous,
        "channel": channel.id,
        "ts": event_ts,
        "event_ts": event_ts,
        "channel_type": channel.kind.value,
    }


def deleted_event(previous: Json, channel: Channel, *, event_ts: str) -> Json:
    """Return the ``message_deleted`` event."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": previous["ts"],
        "previous_message": previous,
        "channel": channel.id,
        "ts": event_ts,
        "event_ts": event_ts,
        "channel_type": channel.kind.value,
    }


def reaction_event(kind: str, user: User, name: str, message: Message, *, event_ts: str) -> Json:
    """Return ``reaction_added`` or ``reaction_removed``."""
    return {
        "type": kind,
        "user": user.id,
        "reaction": name,
        "item_user": message.user,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "event_ts": event_ts,
    }


def member_joined_event(user: str, channel: Channel, inviter: str, *, event_ts: str) -> Json:
    """Return ``member_joined_channel``."""
    return {
        "type": "member_joined_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.kind is ChannelKind.PRIVATE else "C",
        "team": TEAM_ID,
        "inviter": inviter,
        "event_ts": event_ts,
    }


def member_left_event(user: str, channel: Channel, *, event_ts: str) -> Json:
    """Return ``member_left_channel``."""
    return {
        "type": "member_left_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.kind is ChannelKind.PRIVATE else "C",
        "team": TEAM_ID,
        "event_ts": event_ts,
    }


def channel_created_event(channel: Channel, creator: str, *, event_ts: str) -> Json:
    """Return ``channel_created``, which comes for public channels, joined or not."""
    shown = {"id": channel.id, "name": channel.name, "created": channel.created, "creator": creator}
    return {"type": "channel_created", "channel": shown, "event_ts": event_ts}


def channel_renamed_event(channel: Channel, *, event_ts: str) -> Json:
    """Return ``channel_rename``, which comes for public channels, joined or not; ``group_rename`` for private ones."""
    kind = "group_rename" if channel.kind is ChannelKind.PRIVATE else "channel_rename"
    shown = {"id": channel.id, "name": channel.name, "created": channel.created}
    return {"type": kind, "channel": shown, "event_ts": event_ts}


def file_shared_event(file_id: str, user: str, channel: str, *, event_ts: str) -> Json:
    """Return ``file_shared``."""
    return {
        "type": "file_shared",
        "file_id": file_id,
        "user_id": user,
        "file": {"id": file_id},
        "channel_id": channel,
        "event_ts": event_ts,
    }


def home_opened_event(user: str, channel: str, tab: str, view: Json | None, *, event_ts: str) -> Json:
    """Return ``app_home_opened``."""
    event: Json = {"type": "app_home_opened", "user": user, "channel": channel, "tab": tab, "event_ts": event_ts}
    return event | ({"view": view} if view is not None else {})


def subscription(event: Json) -> str:
    """Return the name under which an app subscribes to ``event``."""
    if event["type"] != "message":
        return str(event["type"])
    family = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}
    return family[event["channel_type"]]


def slash_command(
    command: str,
    text: str,
    user: User,
    channel: Channel,
    *,
    trigger_id: str,
    response_url: str,
    verification_token: str,
) -> Json:
    """Return the payload of a slash command."""
    return {
        "token": verification_token,
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def channel_name(channel: Channel) -> str:
    """Return the name that payloads give to a channel."""
    if channel.kind is ChannelKind.DIRECT:
        return "directmessage"
    return "privategroup" if channel.kind is ChannelKind.PRIVATE else channel.name


def interaction(kind: str, user: User, *, verification_token: str, trigger_id: str = "") -> Json:
    """Return what every interaction payload starts with; those that may open nothing have no trigger."""
    trigger = {"trigger_id": trigger_id} if trigger_id else {}
    return trigger | {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM_ID},
        "api_app_id": APP_ID,
        "token": verification_token,
        "team": dict(TEAM),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_place(message: Message, channel: Channel, state: Json, response_url: str) -> Json:
    """Return the part of ``block_actions`` that says which message was acted on."""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.only_for is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    place: Json = {
        "container": container,
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": state,
        "response_url": response_url,
    }
    if message.only_for is None:
        place["message"] = message.to_slack()
    return place


def view_place(view: View) -> Json:
    """Return the part of ``block_actions`` that says which view was acted on."""
    return {"container": {"type": "view", "view_id": view.id}, "view": view.to_slack()}


def message_shortcut(
    callback_id: str, message: Message, channel: Channel, *, action_ts: str, response_url: str
) -> Json:
    """Return the part of ``message_action`` that says which shortcut was used on which message."""
    return {
        "callback_id": callback_id,
        "action_ts": action_ts,
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "message_ts": message.ts,
        "message": message.to_slack(),
        "response_url": response_url,
    }


def global_shortcut(callback_id: str, *, action_ts: str) -> Json:
    """Return the part of ``shortcut`` that says which one was used; it knows no channel."""
    return {"callback_id": callback_id, "action_ts": action_ts}


def suggestion(element: Json, block_id: str, typed: str) -> Json:
    """Return the part of ``block_suggestion`` that says what was typed into which menu."""
    return {"action_id": element["action_id"], "block_id": block_id, "value": typed}


def view_submission(view: View) -> Json:
    """Return the part of ``view_submission`` that carries the view."""
    return {"view": view.to_slack(), "response_urls": []}


def view_closed(view: View, *, cleared: bool) -> Json:
    """Return the part of ``view_closed`` that carries the view."""
    return {"view": view.to_slack(), "is_cleared": cleared}


def action(element: Json, block_id: str, chosen: Json, *, action_ts: str) -> Json:
    """Return one entry of ``actions`` for an element that a person used."""
    shown: Json = {
        "type": element["type"],
        "action_id": element.get("action_id", ""),
        "block_id": block_id,
        "action_ts": action_ts,
    }
    for key in ("text", "value", "style", "placeholder"):
        if element.get(key) is not None and element["type"] != "plain_text_input":
            shown[key] = element[key]
    return shown | chosen
