"""``reactions.*``: the little faces below a message."""

from __future__ import annotations

from tools.playground import payloads
from tools.playground.rate import Tier
from tools.playground.stand_in import StandIn
from tools.playground.web_api import Call, SlackError, method
from tools.playground.workspace import BOT_USER_ID, Json, Message

MAX_KINDS = 23


@method("reactions.add", Tier.THREE, scope="reactions:write")
def reactions_add(call: Call) -> Json:
    """React to a message."""
    message, name = _named(call)
    if BOT_USER_ID in message.reactions.get(name, []):
        raise SlackError("already_reacted")
    if name not in message.reactions and len(message.reactions) >= MAX_KINDS:
        raise SlackError("too_many_emoji")
    react(call.stand_in, message, name, BOT_USER_ID)
    return {}


@method("reactions.remove", Tier.TWO, scope="reactions:write")
def reactions_remove(call: Call) -> Json:
    """Take a reaction back."""
    message, name = _named(call)
    if BOT_USER_ID not in message.reactions.get(name, []):
        raise SlackError("no_reaction")
    react(call.stand_in, message, name, BOT_USER_ID)
    return {}


@method("reactions.get", Tier.THREE, scope="reactions:read")
def reactions_get(call: Call) -> Json:
    """Return a message with its reactions."""
    channel = call.channel()
    message = call.message(channel, "timestamp")
    return {"type": "message", "channel": channel.id, "message": message.to_slack()}


def react(stand_in: StandIn, message: Message, name: str, user: str) -> None:
    """Add a user's reaction, or remove it when it is there, and tell the app."""
    users = message.reactions.setdefault(name, [])
    kind = "reaction_added" if user not in users else "reaction_removed"
    if kind == "reaction_added":
        users.append(user)
    else:
        users.remove(user)
    if not users:
        del message.reactions[name]
    stand_in.workspace.changed(message)
    reacting = stand_in.workspace.users[user]
    if stand_in.app_sees(message.channel):
        event_ts = stand_in.workspace.next_ts()
        stand_in.emit(payloads.reaction_event(kind, reacting, name, message, event_ts=event_ts))


def _named(call: Call) -> tuple[Message, str]:
    name = call.text("name").strip(":")
    if not name or not all(letter.isalnum() or letter in "_-+'" for letter in name):
        raise SlackError("invalid_name")
    return call.message(call.joined_channel(), "timestamp"), name
