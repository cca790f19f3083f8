"""Shortcuts: what people start from the menu of a message, or from the composer's."""

from __future__ import annotations

from tools.playground import payloads
from tools.playground.delivery import Kind, Receipt
from tools.playground.impossible import NotPossible
from tools.playground.stand_in import StandIn
from tools.playground.workspace import Json, Message, User


async def use(stand_in: StandIn, user: User, callback_id: str, message: Message | None) -> Receipt:
    """Use a shortcut that the app declares, on a message or on none."""
    declared = {item.callback_id for item in stand_in.settings.shortcuts if item.on_messages is (message is not None)}
    if callback_id not in declared:
        raise NotPossible(f"no such shortcut: {callback_id[:80]}")
    action_ts = stand_in.workspace.next_ts()
    if message is None:
        return await _send(stand_in, "shortcut", user, payloads.global_shortcut(callback_id, action_ts=action_ts))
    channel = stand_in.workspace.channels[message.channel]
    address = stand_in.response_url(stand_in.response_target(channel.id, user.id, message))
    place = payloads.message_shortcut(callback_id, message, channel, action_ts=action_ts, response_url=address)
    return await _send(stand_in, "message_action", user, place)


async def _send(stand_in: StandIn, kind: str, user: User, more: Json) -> Receipt:
    token = stand_in.settings.verification_token
    payload = payloads.interaction(kind, user, trigger_id=stand_in.new_trigger(user.id), verification_token=token)
    return await stand_in.delivery.send(Kind.INTERACTION, payload | more)
