"""Socket Mode: the app's open websockets, and envelopes that go out over one of them and come back acknowledged.

Source: Slack documents "Using Socket Mode" and "Comparing HTTP and Socket Mode": up to 10 connections an app, each
payload goes to one of them, an acknowledgement repeats the ``envelope_id`` and may carry a response ``payload``.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from tools.playground.workspace import APP_ID, Json

MAX_CONNECTIONS = 10
MAX_TICKETS = 100


@dataclass(frozen=True, slots=True, eq=False)
class _Connection:
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None


class SocketMode:
    """The connections of the one installed app."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._tickets: dict[str, None] = {}
        self._connections: list[_Connection] = []
        self._silent: set[_Connection] = set()
        self._turn = 0
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._arrived = asyncio.Event()

    @property
    def connections(self) -> int:
        """How many websockets are open."""
        return len(self._connections)

    def open_url(self, base: str) -> str:
        """Return a fresh websocket address, good for one connection (``apps.connections.open``)."""
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = None
        while len(self._tickets) > MAX_TICKETS:
            del self._tickets[next(iter(self._tickets))]
        return f"{base}/link/?ticket={ticket}&app_id={APP_ID}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket of the app."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=404)
        del self._tickets[ticket]
        socket = web.WebSocketResponse(max_msg_size=1024 * 1024)
        await socket.prepare(request)
        if len(self._connections) >= MAX_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": _debug()})
            await socket.close()
            return socket
        connection = _Connection(socket, request.transport)
        self._connections.append(connection)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._connections),
                "debug_info": _debug(),
                "connection_info": {"app_id": APP_ID},
            }
        )
        self._arrived.set()
        self._on_change()
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._acknowledged(frame.data)
        finally:
            self._forget(connection)
        return socket

    def _forget(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            self._silent.discard(connection)
            if not self._connections:
                self._arrived.clear()
            self._on_change()

    def _acknowledged(self, text: str) -> None:
        try:
            answer: Any = json.loads(text)
        except ValueError:
            return
        if not isinstance(answer, dict):
            return
        waiting = self._waiting.get(str(answer.get("envelope_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def wait_connected(self, seconds: float) -> bool:
        """Wait for a connection; returns whether there is one."""
        if self._connections:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    async def send(self, envelope: Json, seconds: float) -> Json | None:
        """Send one envelope over one connection; returns the acknowledgement, or None when there was none in time."""
        waiting: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = waiting
        try:
            async with asyncio.timeout(seconds):
                self._turn += 1
                connection = self._connections[self._turn % len(self._connections)]
                if connection not in self._silent:
                    await connection.socket.send_json(envelope)
                return await waiting
        except (TimeoutError, ConnectionError):
            return None
        finally:
            del self._waiting[envelope["envelope_id"]]

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to reconnect, as Slack does every few hours, then close it."""
        for connection in tuple(self._connections):
            await connection.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": _debug()})
            self._forget(connection)
            await connection.socket.close()

    def silence(self) -> int:
        """Let every connection fall silent without closing it, as a network that drops packets; returns how many.

        Nothing is read any more, so no ping is answered, and no delivery goes out.
        """
        for connection in self._connections:
            self._silent.add(connection)
            if connection.transport is not None:
                connection.transport.pause_reading()
        return len(self._connections)

    def cut(self) -> int:
        """Break every connection without a word, as a failing network does; returns how many."""
        cut = tuple(self._connections)
        for connection in cut:
            self._forget(connection)
            if connection.transport is not None:
                connection.transport.abort()
        return len(cut)

    async def close(self) -> None:
        """Close every connection when the playground stops."""
        for connection in tuple(self._connections):
            await connection.socket.close()


def _debug() -> Json:
    return {"host": "playground", "build_number": 1, "approximate_connection_time": 18060}
