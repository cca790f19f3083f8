"""The playground's parts put together, and what more than one of them does to the workspace."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from tools.playground import limits, payloads
from tools.playground.alerts import Fired
from tools.playground.clock import MovableClock
from tools.playground.delivery import Attempt, Delivery
from tools.playground.faults import Faults
from tools.playground.rate import RateBook
from tools.playground.response_targets import ResponseTarget, ResponseUrls
from tools.playground.scopes import may_hear
from tools.playground.settings import PlaygroundSettings
from tools.playground.socket_mode import SocketMode
from tools.playground.workspace import (
    BOT_USER_ID,
    Change,
    ChangeKind,
    Json,
    Message,
    Workspace,
)

MAX_TRIGGERS = 500
MAX_CALLS = 1000


class StandIn:
    """One workspace with one app, its Web API, its deliveries and its faults."""

    def __init__(self, settings: PlaygroundSettings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.clock = MovableClock(settings.clock_file, now=clock)
        self.base_url = ""
        self.workspace = Workspace(self.clock)
        self.rates = RateBook(settings.rates)
        self.faults = Faults()
        self.response_urls = ResponseUrls()
        self.socket_mode = SocketMode(self._connection_changed)
        self.delivery = Delivery(settings, self.socket_mode, self.faults, self.clock, self._attempted)
        self._triggers: dict[str, tuple[str, float]] = {}
        self.calls: list[Json] = []
        self.fired: dict[tuple[str, str, str, int], Fired] = {}
        """What the panel fired and did not resolve: sender, both ends, port."""
        self.alert_messages: dict[tuple[str, str, str, str, int], str] = {}
        """The messages of alerts that fire, by channel and what was fired."""

    # -- bookkeeping --------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget messages, files, views, rates, faults and logs; connections stay."""
        self.faults.clear()
        self.rates = RateBook(self.settings.rates)
        self.response_urls.clear()
        self._triggers.clear()
        self.calls.clear()
        self.fired.clear()
        self.alert_messages.clear()
        self.delivery.log.clear()
        self.workspace.reset()

    def record_call(self, method: str, arguments: Json, answer: Json) -> None:
        """Keep a line about a Web API call, for tests and for the page."""
        self.calls.append(
            {
                "method": method,
                "at": self.clock(),
                "ok": answer.get("ok", False),
                "error": answer.get("error"),
                "channel": arguments.get("channel") or arguments.get("channel_id"),
            }
        )
        del self.calls[:-MAX_CALLS]
        self.workspace.announce(Change(kind=ChangeKind.CALL))

    def _connection_changed(self) -> None:
        self.workspace.announce(Change(kind=ChangeKind.CONNECTION, detail=self.connection()))

    def _attempted(self, attempt: Attempt) -> None:
        self.workspace.announce(Change(kind=ChangeKind.DELIVERY, detail=attempt.to_json()))

    def connection(self) -> Json:
        """Say how the app is connected."""
        return {
            "connected": self.delivery.reachable,
            "sockets": self.socket_mode.connections,
            "request_url": self.delivery.request_url,
        }

    # -- triggers and response addresses --------------------------------------------------------------------------

    def new_trigger(self, user: str) -> str:
        """Return a trigger id for something that ``user`` just did."""
        trigger = f"{int(self.clock() * 1000)}.{self.workspace.next_id('')}.{uuid.uuid4().hex}"
        self._triggers[trigger] = (user, self.clock() + self.settings.trigger_lifetime)
        while len(self._triggers) > MAX_TRIGGERS:
            del self._triggers[next(iter(self._triggers))]
        return trigger

    def take_trigger(self, trigger: str) -> tuple[str | None, str]:
        """Return the user of a trigger id and use it up, or None and the error code."""
        found = self._triggers.get(trigger)
        if found is None:
            return None, "invalid_trigger_id"
        user, expires = found
        if self.clock() > expires:
            return None, "expired_trigger_id"
        if not user:
            return None, "exchanged_trigger_id"
        self._triggers[trigger] = ("", expires)
        return user, ""

    def response_target(self, channel: str, user: str, original: Message | None = None) -> ResponseTarget:
        """Return a target that may be answered as often and as long as the settings say."""
        return ResponseTarget(
            channel=channel,
            user=user,
            expires=self.clock() + self.settings.response_url_lifetime,
            uses_left=self.settings.response_url_uses,
            original=original.ts if original else None,
            thread_ts=original.thread_ts if original and original.is_reply else None,
        )

    def response_url(self, target: ResponseTarget) -> str:
        """Return an absolute ``response_url``."""
        return self.base_url + self.response_urls.issue(target)

    # -- events ---------------------------------------------------------------------------------------------------

    def emit(self, event: Json) -> None:
        """Deliver an event if the app subscribes to it."""
        name = payloads.subscription(event)
        if name not in self.settings.subscriptions or not may_hear(name, self.settings.scopes):
            return
        self.delivery.send_event(
            payloads.event_callback(
                event,
                event_id=f"Ev{uuid.uuid4().hex[:10].upper()}",
                now=self.clock(),
                verification_token=self.settings.verification_token,
            )
        )

    def publish(self, message: Message) -> Message:
        """Post a message and tell the app about it, unless it is ephemeral or the app is not in the channel."""
        self.workspace.post(message)
        channel = self.workspace.channels[message.channel]
        if message.only_for is None and self.app_sees(message.channel):
            self.emit(payloads.message_event(message, channel))
        return message

    def edit(
        self,
        message: Message,
        *,
        text: str,
        blocks: list[Json],
        attachments: list[Json],
        by: str,
        mark: bool = True,
    ) -> None:
        """Change a message in place."""
        previous = message.to_slack()
        message.text, message.blocks, message.attachments = text, blocks, attachments
        if mark:
            message.edited_by, message.edited_ts = by, self.workspace.next_ts()
        self.workspace.changed(message)
        if message.only_for is None and self.app_sees(message.channel):
            channel = self.workspace.channels[message.channel]
            self.emit(payloads.changed_event(message, previous, channel, event_ts=self.workspace.next_ts()))

    def retract(self, message: Message) -> None:
        """Delete a message."""
        previous = message.to_slack()
        self.workspace.remove(message)
        if message.only_for is None and self.app_sees(message.channel):
            channel = self.workspace.channels[message.channel]
            self.emit(payloads.deleted_event(previous, channel, event_ts=self.workspace.next_ts()))

    def app_sees(self, channel: str) -> bool:
        """Whether the app is a member of the channel."""
        return BOT_USER_ID in self.workspace.channels[channel].members

    # -- blocks ---------------------------------------------------------------------------------------------------

    def block_error(self, blocks: Any, *, pointer: str = "/blocks", error: str = "invalid_blocks") -> Json | None:
        """Return the answer with which Slack refuses these blocks, or None when they are fine."""
        violations = limits.block_violations(blocks, pointer=pointer)
        if violations:
            return refusal(error, violations)
        if limits.total_text(blocks) > limits.MAX_BLOCKS_TEXT:
            return {"ok": False, "error": "msg_blocks_too_long"}
        return None

    def with_identifiers(self, blocks: list[Json]) -> list[Json]:
        """Return the blocks as Slack stores them: with block and action ids, and text defaults written out."""
        return [self._with_identifiers(block) for block in blocks]

    def _with_identifiers(self, block: Json) -> Json:
        stored = {key: _stored(value, self._new_short_id) for key, value in block.items()}
        if not stored.get("block_id"):
            stored["block_id"] = self._new_short_id()
        return stored

    def _new_short_id(self) -> str:
        return uuid.uuid4().hex[:5]


def refusal(error: str, violations: list[limits.Violation]) -> Json:
    """Return an error answer with the server's complaints (``response_metadata.messages``)."""
    complaints = [str(violation) for violation in violations]
    return {
        "ok": False,
        "error": error,
        "errors": complaints,
        "response_metadata": {"messages": [f"[ERROR] {complaint}" for complaint in complaints]},
    }


INTERACTIVE = limits.ACTION_ELEMENTS | limits.INPUT_ELEMENTS


def _stored(value: Any, new_id: Callable[[], str]) -> Any:
    if isinstance(value, list):
        return [_stored(item, new_id) for item in value]
    if not isinstance(value, dict):
        return value
    stored = {key: _stored(item, new_id) for key, item in value.items()}
    kind = stored.get("type")
    if kind == "plain_text":
        stored.setdefault("emoji", True)
    elif kind == "mrkdwn":
        stored.setdefault("verbatim", False)
    elif kind in INTERACTIVE and not stored.get("action_id"):
        stored["action_id"] = new_id()
    return stored
