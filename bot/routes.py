"""What the process serves over HTTP: its health, and in HTTP mode Slack's deliveries.

Bolt checks the signature and the age of every delivery (https://docs.slack.dev/authentication/verifying-requests-from-slack).
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from redis.exceptions import RedisError
from slack_bolt import BoltRequest
from slack_bolt.adapter.aiohttp import to_aiohttp_response

from bot.app import Web

EVENTS = "/slack/events"
MOST_BYTES = 1024 * 1024
"""Slack's largest payloads are views and messages with many blocks, some hundred kilobytes."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = structlog.get_logger(__name__)


def routes(parts: Web, *, is_connected: Callable[[], bool], serve_slack: bool) -> web.Application:
    """Return the server. ``is_connected`` says whether Slack can deliver now."""
    server = web.Application(client_max_size=MOST_BYTES)
    server.router.add_get("/healthz", _health)
    server.router.add_get("/readyz", _readiness(parts, is_connected))
    if serve_slack:
        server.router.add_post(EVENTS, _slack(parts))
    return server


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


def _readiness(parts: Web, is_connected: Callable[[], bool]) -> Handler:
    async def ready(_request: web.Request) -> web.Response:
        state = {"redis": await asyncio.to_thread(_answers, parts), "slack": is_connected()}
        return web.json_response(state, status=200 if all(state.values()) else 503)

    return ready


def _slack(parts: Web) -> Handler:
    async def deliver(request: web.Request) -> web.Response:
        body = await request.text()
        delivery = BoltRequest(body=body, query=request.query_string, headers=dict(request.headers))
        return await to_aiohttp_response(await asyncio.to_thread(parts.app.dispatch, delivery))

    return deliver


def _answers(parts: Web) -> bool:
    try:
        return bool(parts.redis.ping())
    except RedisError:
        return False
