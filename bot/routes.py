"""What the process serves over HTTP: its health, alerts, and in HTTP mode Slack's deliveries.

The signature and the age of every delivery are checked (https://docs.slack.dev/authentication/verifying-requests-from-slack).
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web
from redis.exceptions import RedisError
from slack_bolt import BoltRequest
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_sdk.signature import SignatureVerifier

from bot.app import Web
from bot.listeners.webhook import MOST_BYTES as MOST_OF_ALERTS
from bot.listeners.webhook import NotTakenError

EVENTS = "/slack/events"
ALERTS = "/alerts"
MOST_BYTES = 1024 * 1024
"""Slack's largest payloads are views and messages with many blocks, some hundred kilobytes."""

_PATIENCE = 15.0
"""Seconds for a body to arrive; Alertmanager gives up sooner."""
_AT_ONCE = 4
"""Payloads of alerts that are read at a time; the others wait."""

_NO_DELIVERY = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What Bolt raises for bodies and headers that no Slack sends; what our listeners raise it answers itself."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = structlog.get_logger(__name__)


def routes(
    parts: Web, *, is_connected: Callable[[], bool], signing_secret: str | None, alerts_token: str | None = None
) -> web.Application:
    """Return the server. ``is_connected`` says whether Slack can deliver now.

    With a signing secret Slack's deliveries are served too: 401 for what Slack has not signed, 400 for what makes no
    sense. With a token alerts are: 401 without it, 413 for too much, 400 for what is no alert, 503 for what its sender
    has to send again.
    """
    server = web.Application(client_max_size=MOST_BYTES)
    server.router.add_get("/healthz", _health)
    server.router.add_get("/readyz", _readiness(parts, is_connected))
    if signing_secret:
        server.router.add_post(EVENTS, _slack(parts, SignatureVerifier(signing_secret)))
    if alerts_token:
        server.router.add_post(ALERTS, _alerts(parts, alerts_token))
    return server


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


def _readiness(parts: Web, is_connected: Callable[[], bool]) -> Handler:
    async def ready(_request: web.Request) -> web.Response:
        state = {"redis": await asyncio.to_thread(_answers, parts), "slack": is_connected()}
        return web.json_response(state, status=200 if all(state.values()) else 503)

    return ready


def _slack(parts: Web, verifier: SignatureVerifier) -> Handler:
    async def deliver(request: web.Request) -> web.Response:
        body, headers = await request.read(), dict(request.headers)
        # Bolt checks it as well, and falls over what is no number or no ASCII.
        if not _is_signed(verifier, body, headers):
            return web.Response(status=401)
        try:
            delivery = BoltRequest(body=body.decode(), query=request.query_string, headers={**headers})
            if not isinstance(delivery.body.get("event", {}), dict):
                raise TypeError("an event is an object")
            answer = await asyncio.to_thread(parts.app.dispatch, delivery)
        except _NO_DELIVERY as error:
            log.warning("delivery makes no sense", error=type(error).__name__)
            return web.Response(status=400)
        # Bolt says 404 where no listener knows what it is; every kind that Slack sends has one.
        return web.Response(status=400) if answer.status == 404 else await to_aiohttp_response(answer)

    return deliver


def _alerts(parts: Web, token: str) -> Handler:
    turn = asyncio.Semaphore(_AT_ONCE)

    async def take(request: web.Request) -> web.Response:
        # Compared as bytes in constant time: the time that it takes tells nothing about the token.
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        try:
            body = await asyncio.wait_for(_body(request, MOST_OF_ALERTS), _PATIENCE)
        except TimeoutError:
            return web.Response(status=408)
        if body is None:
            return web.json_response({"error": f"more than {MOST_OF_ALERTS >> 20} MiB"}, status=413)
        async with turn:
            try:
                taken = await asyncio.to_thread(parts.webhook.take, body, request.query.getall("channel", []))
            except NotTakenError as error:
                log.warning("alerts not taken", status=error.status, reason=str(error))
                return web.json_response({"error": str(error)}, status=error.status)
        return web.json_response(taken)

    return take


async def _body(request: web.Request, most: int) -> bytes | None:
    """Return what was sent, None where that is more than is read."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def _is_signed(verifier: SignatureVerifier, body: bytes, headers: Mapping[str, str]) -> bool:
    try:
        return verifier.is_valid_request(body, dict(headers))
    except (ValueError, TypeError):
        return False


def _answers(parts: Web) -> bool:
    try:
        return bool(parts.redis.ping())
    except RedisError:
        return False
