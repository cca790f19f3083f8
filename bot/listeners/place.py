"""Where a delivery came from, as the place where its answer belongs.

Payloads: https://docs.slack.dev/interactivity/implementing-slash-commands,
https://docs.slack.dev/reference/events/app_mention, https://docs.slack.dev/reference/events/message,
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload.
"""

from collections.abc import Mapping
from typing import Any

from bot.where import Via, Where

Payload = Mapping[str, Any]


def of_command(body: Payload) -> Where:
    """Return the channel in which a command was typed. Slack says nothing about a thread there."""
    return Where(
        team=_text(body, "team_id"),
        channel=_text(body, "channel_id"),
        user=_text(body, "user_id"),
        via=Via.COMMAND,
        response_url=_text(body, "response_url") or None,
    )


def of_message(body: Payload, message: Payload, via: Via) -> Where:
    """Return the thread of a message; a message outside of a thread gets one, but not in a direct conversation."""
    event = _object(body, "event")
    own_thread = None if via is Via.DIRECT else _text(message, "ts")
    return Where(
        team=_text(message, "user_team") or _text(message, "team") or _text(event, "team") or _text(body, "team_id"),
        channel=_text(event, "channel"),
        user=_text(message, "user") or _text(message, "bot_id"),
        via=via,
        thread_ts=_text(message, "thread_ts") or own_thread or None,
    )


def of_action(body: Payload) -> Where:
    """Return the thread under the message whose button was pressed.

    A button that only the asker sees has no thread, and one in App Home no channel: there the person is the channel,
    and Slack opens the direct conversation.
    """
    container, user = _object(body, "container"), _text(_object(body, "user"), "id")
    channel = _text(_object(body, "channel"), "id") or _text(container, "channel_id") or user
    thread = _text(container, "thread_ts") or _text(_object(body, "message"), "thread_ts")
    is_private = bool(container.get("is_ephemeral")) or channel[:1] in ("D", "U", "W")
    return Where(
        team=_text(_object(body, "user"), "team_id") or _text(_object(body, "team"), "id"),
        channel=channel,
        user=user,
        via=Via.BUTTON,
        thread_ts=thread or (None if is_private else _text(container, "message_ts") or None),
        response_url=_text(body, "response_url") or None,
    )


def _object(body: Payload, name: str) -> Payload:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(body: Payload, name: str) -> str:
    found = body.get(name)
    return found if isinstance(found, str) else ""
