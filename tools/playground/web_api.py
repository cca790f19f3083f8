"""The Web API's front door: reads arguments, checks tokens, rates and faults, and calls the method.

Source: Slack document "Using the Slack Web API": form-encoded or JSON arguments, bearer token or ``token`` argument,
``ok``/``error`` in every answer, HTTP 429 with ``Retry-After``.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tools.playground.rate import Tier
from tools.playground.stand_in import StandIn
from tools.playground.workspace import Channel, Json, Message


class SlackError(Exception):
    """An answer with ``ok: false``."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer: Json = {"ok": False, "error": error} | more


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method: the arguments, with the readings that methods need."""

    stand_in: StandIn
    method: str
    arguments: Json

    def text(self, name: str, default: str = "") -> str:
        """Return a text argument; numbers are written out, as form encoding does."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def optional(self, name: str) -> str | None:
        """Return a text argument, or None when it is missing or empty."""
        return self.text(name) or None

    def required(self, name: str) -> str:
        """Return a text argument that the method cannot do without."""
        value = self.text(name)
        if not value:
            complaint = f"[ERROR] missing required field: {name}"
            raise SlackError("invalid_arguments", response_metadata={"messages": [complaint]})
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean argument in any of the forms that SDKs send."""
        return str(self.arguments.get(name, "")).lower() in ("1", "true", "yes")

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        try:
            value = int(self.text(name, str(default)))
        except ValueError:
            raise SlackError("invalid_arguments") from None
        return max(least, min(most, value))

    def need(self, *scopes: str) -> None:
        """Refuse the call unless the app was granted one of the scopes."""
        granted = self.stand_in.settings.scopes
        if not granted.intersection(scopes):
            raise SlackError("missing_scope", needed=",".join(scopes), provided=",".join(sorted(granted)))

    def given(self, name: str) -> bool:
        """Whether the argument was sent at all."""
        return self.arguments.get(name) is not None

    def structure(self, name: str, error: str = "invalid_arguments") -> Any:
        """Return an argument that is JSON: as sent in a JSON body, or decoded from its text form."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None

    def channel(self, name: str = "channel") -> Channel:
        """Return the channel that an argument names."""
        found = self.stand_in.workspace.channel(self.text(name))
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def joined_channel(self, name: str = "channel") -> Channel:
        """Return the channel that an argument names, if the app is in it."""
        found = self.channel(name)
        if not self.stand_in.app_sees(found.id):
            raise SlackError("not_in_channel")
        return found

    def message(self, channel: Channel, name: str = "ts", error: str = "message_not_found") -> Message:
        """Return the message that an argument names; ephemeral ones cannot be named."""
        found = self.stand_in.workspace.find_message(channel.id, self.text(name))
        if found is None or found.only_for is not None:
            raise SlackError(error)
        return found


Handler = Callable[[Call], Json | Awaitable[Json]]


@dataclass(frozen=True, slots=True)
class _Method:
    handler: Handler
    tier: Tier
    scope: str | None
    app_level: bool
    open_to_all: bool


_METHODS: dict[str, _Method] = {}


def method(
    name: str, tier: Tier, *, scope: str | None = None, app_level: bool = False, open_to_all: bool = False
) -> Callable[[Handler], Handler]:
    """Register a Web API method.

    ``scope`` is what the app must have been granted, where one is enough to say; ``app_level`` asks for the xapp token,
    ``open_to_all`` for none.
    """

    def register(handler: Handler) -> Handler:
        _METHODS[name] = _Method(handler, tier, scope, app_level, open_to_all)
        return handler

    return register


def method_names() -> list[str]:
    """Return the names of all methods there are."""
    return sorted(_METHODS)


async def serve(stand_in: StandIn, request: web.Request) -> web.StreamResponse:
    """Answer one Web API call."""
    name = request.match_info["method"]
    faults = stand_in.faults
    if faults.strike(faults.server_errors, name):
        return web.Response(status=500, text="Internal Server Error")
    try:
        arguments = await _arguments(request)
        answer = await _answer(stand_in, name, arguments, _token(request, arguments))
    except SlackError as error:
        arguments, answer = {}, error.answer
    except _RateLimited as limited:
        stand_in.record_call(name, {}, {"ok": False, "error": "ratelimited"})
        return web.json_response(
            {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(limited.seconds)}
        )
    stand_in.record_call(name, arguments, answer)
    if faults.strike(faults.lost_replies, name):
        return web.Response(status=502, text="Bad Gateway")
    return web.json_response(answer, headers={"X-OAuth-Scopes": ",".join(sorted(stand_in.settings.scopes))})


class _RateLimited(Exception):  # noqa: N818 - an answer, not a fault
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def _answer(stand_in: StandIn, name: str, arguments: Json, token: str | None) -> Json:
    found = _METHODS.get(name)
    if found is None:
        raise SlackError("unknown_method", req_method=name)
    if not found.open_to_all:
        _check_token(stand_in, token, app_level=found.app_level)
    faults = stand_in.faults
    if faults.strike(faults.rate_limited, name):
        raise _RateLimited(faults.retry_after)
    forced = faults.api_error(name)
    if forced is not None:
        raise SlackError(forced)
    seconds = stand_in.rates.retry_after(name, found.tier, _rate_channel(stand_in, arguments), stand_in.clock())
    if seconds is not None:
        raise _RateLimited(seconds)
    call = Call(stand_in, name, arguments)
    if found.scope is not None:
        call.need(found.scope)
    result = found.handler(call)
    answer = await result if inspect.isawaitable(result) else result
    return {"ok": True} | answer


def _rate_channel(stand_in: StandIn, arguments: Json) -> str:
    reference = str(arguments.get("channel", ""))
    found = stand_in.workspace.channel(reference)
    return found.id if found is not None else reference


def _check_token(stand_in: StandIn, token: str | None, *, app_level: bool) -> None:
    if not token:
        raise SlackError("not_authed")
    settings = stand_in.settings
    wanted, other = settings.bot_token, settings.app_token
    if app_level:
        wanted, other = other, wanted
    if token == other:
        raise SlackError("not_allowed_token_type")
    if token != wanted:
        raise SlackError("invalid_auth")


def _token(request: web.Request, arguments: Json) -> str | None:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and value:
        return value.strip()
    token = arguments.pop("token", None)
    return str(token) if token else None


async def _arguments(request: web.Request) -> Json:
    arguments: Json = dict(request.query)
    if request.method != "POST":
        return arguments
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return arguments | body
    form = await request.post()
    return arguments | {key: value for key, value in form.items() if isinstance(value, str)}
