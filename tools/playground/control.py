"""The control API under ``/_control/``: what tests and scripts use to act as people and to cause trouble.

Every POST takes a JSON object and answers ``{"ok": true, ...}`` or ``{"ok": false, "error": "..."}`` with status 400.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tools.playground import membership, other_apps, panel, person, shortcuts
from tools.playground.delivery import Receipt
from tools.playground.impossible import NotPossible
from tools.playground.methods.files import file_object
from tools.playground.page_feed import shown_message
from tools.playground.stand_in import StandIn
from tools.playground.workspace import PEOPLE, Channel, Json, User

Action = Callable[[StandIn, Json], Json | Awaitable[Json]]


def routes(stand_in: StandIn) -> list[web.RouteDef]:
    """Return the routes of the control API."""
    return [
        *(web.post(f"/_control/{name}", _endpoint(stand_in, action)) for name, action in _ACTIONS.items()),
        *(web.get(f"/_control/{name}", _reader(stand_in, action)) for name, action in _READINGS.items()),
    ]


def _endpoint(stand_in: StandIn, action: Action) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            return web.json_response({"ok": False, "error": "send JSON"}, status=415)
        try:
            body = await request.json()
        except ValueError:
            return web.json_response({"ok": False, "error": "not JSON"}, status=400)
        if not isinstance(body, dict):
            return web.json_response({"ok": False, "error": "not an object"}, status=400)
        return await _answer(stand_in, action, body)

    return handle


def _reader(stand_in: StandIn, action: Action) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await _answer(stand_in, action, dict(request.query))

    return handle


async def _answer(stand_in: StandIn, action: Action, body: Json) -> web.StreamResponse:
    try:
        result = action(stand_in, body)
        answer = await result if isinstance(result, Awaitable) else result
    except NotPossible as refusal:
        return web.json_response({"ok": False, "error": str(refusal)}, status=400)
    return web.json_response({"ok": True} | answer)


# -- what may be asked ----------------------------------------------------------------------------------------------


def _say(stand_in: StandIn, body: Json) -> Json:
    user, channel = _place(stand_in, body)
    thread = body.get("thread_ts")
    smart = body.get("smart_quotes") is True
    message = person.say(stand_in, user, channel, _text(body, "text"), thread_ts=thread, smart_quotes=smart)
    return {"message": shown_message(message)}


async def _command(stand_in: StandIn, body: Json) -> Json:
    user, channel = _place(stand_in, body)
    receipt = await person.command(stand_in, user, channel, _text(body, "command"), str(body.get("text") or ""))
    return receipt_json(receipt)


async def _click(stand_in: StandIn, body: Json) -> Json:
    user, channel = _place(stand_in, body)
    message = person.find_message(stand_in, channel, _text(body, "ts"), user)
    receipt = await person.act(
        stand_in,
        user,
        message,
        _text(body, "action_id"),
        block_id=body.get("block_id"),
        chosen=body.get("chosen"),
    )
    return receipt_json(receipt)


async def _submit(stand_in: StandIn, body: Json) -> Json:
    user = person.find_user(stand_in, _text(body, "user"))
    stack = stand_in.workspace.view_stack(user.id)
    if not stack:
        raise NotPossible("no modal is open")
    values = body.get("values")
    errors = await person.submit(stand_in, user, stack[-1], values if isinstance(values, dict) else {})
    return {"errors": errors}


def _post_as_app(stand_in: StandIn, body: Json) -> Json:
    channel = _channel(stand_in, body)
    name, thread = _text(body, "name"), body.get("thread_ts")
    as_user = body.get("as_user") is True
    text, attachments, blocks = _content(body)
    message = other_apps.post(
        stand_in, channel, name, text, attachments=attachments, blocks=blocks, thread_ts=thread, as_user=as_user
    )
    return {"message": shown_message(message)}


def _edit_as_app(stand_in: StandIn, body: Json) -> Json:
    message = stand_in.workspace.find_message(_channel(stand_in, body).id, _text(body, "ts"))
    if message is None or not message.other_app:
        raise NotPossible("no such message of another app")
    text, attachments, blocks = _content(body)
    other_apps.edit(stand_in, message, text=text, attachments=attachments, blocks=blocks)
    return {"message": shown_message(message)}


def _content(body: Json) -> tuple[str, list[Json], list[Json]]:
    attachments, blocks = body.get("attachments") or [], body.get("blocks") or []
    if not isinstance(attachments, list) or not isinstance(blocks, list):
        raise NotPossible("attachments and blocks are lists")
    return str(body.get("text") or ""), attachments, blocks


def _create_channel(stand_in: StandIn, body: Json) -> Json:
    by = person.find_user(stand_in, _text(body, "user"))
    made = membership.create(stand_in, by, _text(body, "name"), private=body.get("private") is True)
    if made is None:
        raise NotPossible("a channel may not have that name")
    return {"channel": made.to_slack()}


def _rename_channel(stand_in: StandIn, body: Json) -> Json:
    if not membership.rename(stand_in, _channel(stand_in, body), _text(body, "name")):
        raise NotPossible("a channel may not have that name")
    return {}


def _membership(act: membership.Act) -> Action:
    def change(stand_in: StandIn, body: Json) -> Json:
        user, channel = _place(stand_in, body)
        if membership.unknown(stand_in, channel, user, [_text(body, "who")], act):
            raise NotPossible("no such user")
        return {}

    return change


async def _shortcut(stand_in: StandIn, body: Json) -> Json:
    user = person.find_user(stand_in, _text(body, "user"))
    message = None
    if body.get("ts"):
        user, channel = _place(stand_in, body)
        message = person.find_message(stand_in, channel, _text(body, "ts"), user)
    return receipt_json(await shortcuts.use(stand_in, user, _text(body, "callback_id"), message))


async def _suggest(stand_in: StandIn, body: Json) -> Json:
    user = person.find_user(stand_in, _text(body, "user"))
    stack = stand_in.workspace.view_stack(user.id)
    if not stack:
        raise NotPossible("no modal is open")
    typed = str(body.get("typed") or "")
    return {"options": await person.suggestions(stand_in, user, stack[-1], _text(body, "action_id"), typed)}


def _react(stand_in: StandIn, body: Json) -> Json:
    user, channel = _place(stand_in, body)
    person.react(stand_in, user, person.find_message(stand_in, channel, _text(body, "ts"), user), _text(body, "name"))
    return {}


def _home(stand_in: StandIn, body: Json) -> Json:
    person.open_home(stand_in, person.find_user(stand_in, _text(body, "user")), "home")
    return {}


def _reset(stand_in: StandIn, body: Json) -> Json:
    stand_in.reset()
    return {}


async def _request_url(stand_in: StandIn, body: Json) -> Json:
    try:
        verified = await stand_in.delivery.use_request_url(body.get("url") or None)
    except ValueError as problem:
        raise NotPossible(str(problem)) from None
    if not verified:
        raise NotPossible("the request URL did not answer the challenge")
    return {"request_url": stand_in.delivery.request_url}


def cause(stand_in: StandIn, body: Json) -> Json:
    """Set faults, by the names that ``tools.playground.faults`` gives them."""
    faults = stand_in.faults
    counters: dict[str, Counter[str]] = {
        "rate_limited": faults.rate_limited,
        "server_errors": faults.server_errors,
        "lost_replies": faults.lost_replies,
        "dropped_acks": faults.dropped_acks,
        "duplicates": faults.duplicates,
    }
    for name, wanted in body.items():
        if name == "retry_after":
            faults.retry_after = int(wanted)
        elif name == "api_errors" and isinstance(wanted, dict):
            faults.api_errors.update({str(key): [str(item) for item in value] for key, value in wanted.items()})
        elif name in counters and isinstance(wanted, dict):
            counters[name].update({str(key): int(value) for key, value in wanted.items()})
        else:
            raise NotPossible(f"no such fault: {name[:80]}")
    return {}


async def _sockets(stand_in: StandIn, body: Json) -> Json:
    if body.get("how") == "refresh":
        await stand_in.socket_mode.refresh()
        return {}
    if body.get("how") == "silence":
        return {"silenced": stand_in.socket_mode.silence()}
    return {"cut": stand_in.socket_mode.cut()}


def _messages(stand_in: StandIn, body: Json) -> Json:
    return {"messages": messages_of(stand_in, _channel(stand_in, body).id)}


def _channel(stand_in: StandIn, body: Json) -> Channel:
    reference = str(body.get("channel", ""))
    found = stand_in.workspace.channel(reference)
    if found is None:
        raise NotPossible(f"no such channel: {reference[:80]}")
    return found


def messages_of(stand_in: StandIn, channel: str) -> list[Json]:
    """Return every message of a channel in order, replies and ephemeral ones included."""
    return [shown_message(message) for message in stand_in.workspace.timeline(channel)]


def _files(stand_in: StandIn, body: Json) -> Json:
    files = [file for file in stand_in.workspace.files.values() if file.completed]
    return {
        "files": [file_object(stand_in, file) | {"content": base64.b64encode(file.content).decode()} for file in files]
    }


def _views(stand_in: StandIn, body: Json) -> Json:
    user = person.find_user(stand_in, str(body.get("user") or PEOPLE[0].id))
    return {"views": [view.to_slack() for view in stand_in.workspace.view_stack(user.id)]}


def _deliveries(stand_in: StandIn, body: Json) -> Json:
    return {"deliveries": [attempt.to_json() for attempt in stand_in.delivery.log]}


def _calls(stand_in: StandIn, body: Json) -> Json:
    return {"calls": list(stand_in.calls)}


def _status(stand_in: StandIn, body: Json) -> Json:
    return {"connection": stand_in.connection()}


def receipt_json(receipt: Receipt) -> Json:
    """Return how a delivery went."""
    return {"acknowledged": receipt.acknowledged, "reason": receipt.reason, "payload": receipt.payload}


def _place(stand_in: StandIn, body: Json) -> tuple[User, Channel]:
    user = person.find_user(stand_in, _text(body, "user"))
    return user, person.find_channel(stand_in, _text(body, "channel"), user)


def _text(body: Json, name: str) -> str:
    value: Any = body.get(name)
    if not isinstance(value, str) or not value:
        raise NotPossible(f"{name} is missing")
    return value


_ACTIONS: dict[str, Action] = {
    **panel.ASKED,
    "say": _say,
    "command": _command,
    "click": _click,
    "submit": _submit,
    "post-as-app": _post_as_app,
    "edit-as-app": _edit_as_app,
    "create-channel": _create_channel,
    "rename-channel": _rename_channel,
    "invite": _membership(membership.invite),
    "remove": _membership(membership.remove),
    "shortcut": _shortcut,
    "suggest": _suggest,
    "react": _react,
    "home": _home,
    "reset": _reset,
    "request-url": _request_url,
    "faults": cause,
    "sockets": _sockets,
}
_READINGS: dict[str, Action] = {
    "messages": _messages,
    "files": _files,
    "views": _views,
    "deliveries": _deliveries,
    "calls": _calls,
    "status": _status,
}
