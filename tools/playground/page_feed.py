"""The page's websocket: the state once, every change as it happens, and what the person does on the way back."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from aiohttp import WSMsgType, web

from tools.playground import panel, person, shortcuts
from tools.playground.impossible import NotPossible
from tools.playground.stand_in import StandIn
from tools.playground.workspace import PEOPLE, TEAM_NAME, Change, ChangeKind, Json, Message, User

MAX_SHOWN = 500
MAX_QUEUED = 5000


def shown_message(message: Message) -> Json:
    """Return a message as the page draws it."""
    return message.to_slack() | {
        "channel": message.channel,
        "only_for": message.only_for,
        "is_reply": message.is_reply,
        "broadcast": message.broadcast,
        "streaming": message.streaming,
    }


def state(stand_in: StandIn, user: User) -> Json:
    """Return everything that ``user`` sees."""
    workspace = stand_in.workspace
    visible = [item for item in workspace.channels.values() if item.partner in (None, user.id)]
    return {
        "type": "state",
        "team": TEAM_NAME,
        "me": user.id,
        "people": [item.id for item in PEOPLE],
        "users": [item.to_slack() for item in workspace.users.values()],
        "channels": [
            channel.to_slack() | {"kind": channel.kind.value, "label": channel.name, "count": len(channel.members)}
            for channel in visible
        ],
        "messages": [
            shown_message(message)
            for channel in visible
            for message in list(workspace.timeline(channel.id))[-MAX_SHOWN:]
            if message.only_for in (None, user.id)
        ],
        "views": views(stand_in, user),
        "home": home(stand_in, user),
        "commands": [
            {"command": item.command, "hint": item.usage_hint, "description": item.description}
            for item in stand_in.settings.commands
        ],
        "shortcuts": [
            {"name": item.name, "callback_id": item.callback_id, "on_messages": item.on_messages}
            for item in stand_in.settings.shortcuts
        ],
        "examples": list(stand_in.settings.examples),
        "statuses": [
            {"channel": channel, "thread_ts": thread, "status": status}
            for (channel, thread), status in workspace.thread_status.items()
        ],
        "panel": panel.shown(stand_in),
        "connection": stand_in.connection(),
        "deliveries": [attempt.to_json() for attempt in list(stand_in.delivery.log)[-50:]],
    }


def views(stand_in: StandIn, user: User) -> list[Json]:
    """Return the modals open for ``user``."""
    return [view.to_slack() for view in stand_in.workspace.view_stack(user.id)]


def home(stand_in: StandIn, user: User) -> Json | None:
    """Return the Home tab of ``user``."""
    view = stand_in.workspace.views.get(stand_in.workspace.homes.get(user.id, ""))
    return view.to_slack() if view is not None else None


class _Reader:
    """One open page."""

    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self.user = PEOPLE[0]
        self.queue: asyncio.Queue[Json] = asyncio.Queue()

    def put(self, update: Json) -> None:
        """Queue an update; a reader that fell far behind starts over with the state."""
        if self.queue.qsize() > MAX_QUEUED:
            while not self.queue.empty():
                self.queue.get_nowait()
            update = state(self.stand_in, self.user)
        self.queue.put_nowait(update)

    def changed(self, change: Change) -> None:
        update = self._update(change)
        if update is not None:
            self.put(update)

    def _update(self, change: Change) -> Json | None:
        message = change.message
        if message is not None:
            if message.only_for not in (None, self.user.id) or not self._sees(message.channel):
                return None
            return {"type": change.kind.value, "message": shown_message(message)}
        match change.kind:
            case ChangeKind.RESET | ChangeKind.CHANNEL:
                return state(self.stand_in, self.user)
            case ChangeKind.VIEWS if change.user == self.user.id:
                found, tab = views(self.stand_in, self.user), home(self.stand_in, self.user)
                return {"type": "views", "views": found, "home": tab}
            case ChangeKind.STATUS if change.channel and self._sees(change.channel):
                return {"type": "status", "channel": change.channel} | (change.detail or {})
            case ChangeKind.CLOCK:
                return {"type": "panel", "panel": panel.shown(self.stand_in)}
            case ChangeKind.CONNECTION:
                return {"type": "connection", "connection": change.detail}
            case ChangeKind.DELIVERY:
                return {"type": "delivery", "delivery": change.detail}
        return None

    def _sees(self, channel: str) -> bool:
        return self.stand_in.workspace.channels[channel].partner in (None, self.user.id)


async def serve(stand_in: StandIn, request: web.Request) -> web.StreamResponse:
    """Serve one open page."""
    socket = web.WebSocketResponse(heartbeat=30, max_msg_size=256 * 1024)
    await socket.prepare(request)
    reader = _Reader(stand_in)
    stop = stand_in.workspace.watch(reader.changed)
    sender = asyncio.create_task(_send(socket, reader))
    reader.put(state(stand_in, reader.user))
    try:
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                _received(reader, frame.data)
    finally:
        stop()
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sender
    return socket


async def _send(socket: web.WebSocketResponse, reader: _Reader) -> None:
    while True:
        update = await reader.queue.get()
        with contextlib.suppress(ConnectionError):
            await socket.send_json(update)


def _received(reader: _Reader, text: str) -> None:
    try:
        asked: Any = json.loads(text)
    except ValueError:
        return
    if isinstance(asked, dict):
        reader.stand_in.delivery.spawn(_do(reader, asked))


async def _do(reader: _Reader, asked: Json) -> None:
    token = asked.get("token")
    try:
        told = await _act(reader, asked)
    except NotPossible as refusal:
        told = {"problem": str(refusal)}
    reader.put({"type": "done", "token": token} | (told or {}))


async def _act(reader: _Reader, asked: Json) -> Json | None:
    stand_in, user = reader.stand_in, reader.user
    kind = asked.get("do")
    if kind == "become":
        reader.user = person.find_user(stand_in, _text(asked, "user"))
        reader.put(state(stand_in, reader.user))
        return None
    if kind in panel.ASKED:
        return await panel.ASKED[str(kind)](stand_in, asked)
    if kind == "home":
        person.open_home(stand_in, user, "home" if asked.get("tab") == "home" else "messages")
        return None
    if kind == "shortcut" and not asked.get("ts"):
        await shortcuts.use(stand_in, user, _text(asked, "callback_id"), None)
        return None
    if kind in ("act_in_view", "submit", "close_view", "suggest"):
        return await _in_view(reader, asked)
    channel = person.find_channel(stand_in, _text(asked, "channel"), user)
    if kind == "type":
        thread = asked.get("thread_ts")
        await person.compose(
            stand_in,
            user,
            channel,
            _text(asked, "text"),
            thread_ts=str(thread) if thread else None,
            smart_quotes=asked.get("smart_quotes") is True,
        )
        return None
    message = person.find_message(stand_in, channel, _text(asked, "ts"), user)
    if kind == "act":
        chosen, block = asked.get("chosen"), asked.get("block_id")
        receipt = await person.act(
            stand_in,
            user,
            message,
            _text(asked, "action_id"),
            block_id=str(block) if block else None,
            chosen=str(chosen) if chosen is not None else None,
        )
        return {"acknowledged": receipt.acknowledged}
    if kind == "shortcut":
        await shortcuts.use(stand_in, user, _text(asked, "callback_id"), message)
        return None
    if kind == "react":
        person.react(stand_in, user, message, _text(asked, "name"))
        return None
    if kind == "dismiss" and message.only_for == user.id:
        stand_in.workspace.remove(message)
        return None
    raise NotPossible("the page asked for something unknown")


async def _in_view(reader: _Reader, asked: Json) -> Json | None:
    stand_in, user = reader.stand_in, reader.user
    view = person.find_view(stand_in, user, _text(asked, "view"))
    if asked["do"] == "submit":
        values = asked.get("values")
        errors = await person.submit(stand_in, user, view, values if isinstance(values, dict) else {})
        return {"errors": errors} if errors else None
    if asked["do"] == "close_view":
        await person.close_view(stand_in, user, view, everything=asked.get("everything") is True)
        return None
    if asked["do"] == "suggest":
        typed = str(asked.get("typed") or "")
        return {"options": await person.suggestions(stand_in, user, view, _text(asked, "action_id"), typed)}
    chosen = asked.get("chosen")
    receipt = await person.act_in_view(
        stand_in, user, view, _text(asked, "action_id"), chosen=str(chosen) if chosen is not None else None
    )
    return {"acknowledged": receipt.acknowledged}


def _text(asked: Json, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise NotPossible(f"{name} is missing")
    return value
