"""Where a delivery came from, as the place where its answer belongs.

Payloads: https://docs.slack.dev/interactivity/implementing-slash-commands,
https://docs.slack.dev/reference/events/app_mention, https://docs.slack.dev/reference/events/message,
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.where import Via, Where
from handlers.model.wire import WireError, decode

Payload = Mapping[str, Any]


def of_command(body: Payload) -> Where:
    """Return the channel in which a command was typed. Slack says nothing about a thread there."""
    return Where(
        team=_text(body, "team_id"),
        channel=_text(body, "channel_id"),
        user=_text(body, "user_id"),
        via=Via.COMMAND,
        installed=installation_of(body),
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
        installed=installation_of(body),
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
        installed=installation_of(body),
        thread_ts=thread or (None if is_private else _text(container, "message_ts") or None),
        response_url=_text(body, "response_url") or None,
    )


def of_shortcut(body: Payload) -> Where:
    """Return the direct conversation of who used a shortcut or a button of App Home, named by the person."""
    user = _object(body, "user")
    channel = _text(_object(body, "channel"), "id") or _text(user, "id")
    return Where(
        team=_text(user, "team_id") or _text(_object(body, "team"), "id"),
        channel=channel,
        user=_text(user, "id"),
        via=Via.BUTTON,
        installed=installation_of(body),
        response_url=_text(body, "response_url") or None,
    )


def of_message_shortcut(body: Payload) -> Where:
    """Return the thread of the message that a shortcut was used on."""
    message = _object(body, "message")
    return replace(of_shortcut(body), thread_ts=_text(message, "thread_ts") or _text(message, "ts") or None)


def of_form(body: Payload) -> Where | None:
    """Return where the form was opened whose metadata names the place; None where that is of another release.

    Who sends it is told by Slack, not by the form.
    """
    user = _object(body, "user")
    try:
        where = decode(Where, json.loads(_text(_object(body, "view"), "private_metadata")))
    except (ValueError, WireError):
        return None
    if not isinstance(where, Where):
        return None
    return replace(where, user=_text(user, "id"), team=_text(user, "team_id") or where.team)


def installation_of(body: Payload) -> str:
    """Return the id of the workspace that the bot is installed in, or of the organisation where that is.

    An event says through which installation it came (``authorizations``, ``context_team_id``); everything else is
    delivered with the workspace in which it was done (https://docs.slack.dev/apis/events-api,
    https://docs.slack.dev/enterprise/developing-for-enterprise-orgs).
    """
    authorizations = body.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else {}
    told = first if isinstance(first, Mapping) else {}
    if any(str(one.get("is_enterprise_install") or "").casefold() == "true" for one in (body, told)):
        organisation = _text(told, "enterprise_id") or _text(body, "enterprise_id")
        return organisation or _text(_object(body, "enterprise"), "id")
    own = _text(told, "team_id") or _text(body, "context_team_id") or _text(body, "team_id")
    return own or _text(_object(body, "team"), "id")


def _object(body: Payload, name: str) -> Payload:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(body: Payload, name: str) -> str:
    found = body.get(name)
    return found if isinstance(found, str) else ""
