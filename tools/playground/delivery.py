"""Bringing payloads to the app: the deadline for the acknowledgement, and the retries when it does not come.

Source: Slack documents "Events API" (three retries: nearly at once, after 1 minute, after 5 minutes, with the attempt
and its reason) and "Slash commands" / "Handling user interaction" (acknowledge within 3 seconds, never retried).
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tools.playground.faults import Faults
from tools.playground.settings import PlaygroundSettings
from tools.playground.signed_http import SignedHttp
from tools.playground.socket_mode import SocketMode
from tools.playground.workspace import Json

MAX_LOG = 500


class Kind(Enum):
    """The kinds of delivery, named as Socket Mode envelopes name them."""

    EVENT = "events_api"
    COMMAND = "slash_commands"
    INTERACTION = "interactive"


class Failure(Enum):
    """Why a delivery counts as not acknowledged; the values are what Slack shows to the person."""

    NONE = ""
    NOBODY = "dispatch_failed"
    TIMEOUT = "operation_timeout"
    ERROR = "http_service_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The outcome of one attempt."""

    acknowledged: bool
    payload: Json | None = None
    failure: Failure = Failure.NONE
    reason: str = ""
    may_retry: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One line of the delivery log."""

    at: float
    kind: str
    what: str
    number: int
    acknowledged: bool
    milliseconds: float
    reason: str
    answered: bool

    def to_json(self) -> Json:
        """Return the line for the control API and the page."""
        return {
            "at": self.at,
            "kind": self.kind,
            "what": self.what,
            "attempt": self.number,
            "acknowledged": self.acknowledged,
            "milliseconds": self.milliseconds,
            "reason": self.reason,
            "response_payload": self.answered,
        }


class Delivery:
    """Delivers over Socket Mode, or to a request URL once one is set."""

    def __init__(
        self,
        settings: PlaygroundSettings,
        socket_mode: SocketMode,
        faults: Faults,
        clock: Callable[[], float],
        on_attempt: Callable[[Attempt], None],
    ) -> None:
        self._settings = settings
        self._socket_mode = socket_mode
        self._faults = faults
        self._clock = clock
        self._on_attempt = on_attempt
        self._http: SignedHttp | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.log: deque[Attempt] = deque(maxlen=MAX_LOG)
        self.under_way = 0
        """Attempts that the app has neither acknowledged nor failed yet."""

    @property
    def reachable(self) -> bool:
        """Whether the app can be delivered to."""
        return self._http is not None or self._socket_mode.connections > 0

    @property
    def request_url(self) -> str | None:
        """The request URL in use, or None in Socket Mode."""
        return self._http.url if self._http is not None else None

    async def use_request_url(self, url: str | None) -> bool:
        """Deliver to ``url`` from now on if it answers the challenge; None goes back to Socket Mode."""
        candidate = SignedHttp(url, self._settings.signing_secret) if url else None
        if candidate is not None:
            token, deadline = self._settings.verification_token, self._settings.ack_deadline
            if not await candidate.verify(verification_token=token, now=self._clock(), seconds=deadline):
                await candidate.close()
                return False
        if self._http is not None:
            await self._http.close()
        self._http = candidate
        return True

    def send_event(self, payload: Json) -> None:
        """Deliver an event in the background, with retries."""
        self.spawn(self._deliver_event(payload))

    async def send(self, kind: Kind, payload: Json) -> Receipt:
        """Deliver a command or an interaction: one attempt, whose outcome the person sees."""
        if self._faults.strike(self._faults.duplicates, kind.value):
            self.spawn(self._twin(kind, payload))
        return await self._attempt(kind, payload, 0, "")

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work in the background until the playground closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop all retries and release connections."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    async def _twin(self, kind: Kind, payload: Json) -> None:
        await self._attempt(kind, payload, 0, "")

    async def _deliver_event(self, payload: Json) -> None:
        doubled = self._faults.strike(self._faults.duplicates, Kind.EVENT.value)
        receipt = await self._attempt(Kind.EVENT, payload, 0, "")
        if doubled:
            await self._attempt(Kind.EVENT, payload, 1, "timeout")
        for number, delay in enumerate(self._settings.retry_delays, start=1):
            if receipt.acknowledged or not receipt.may_retry:
                return
            await asyncio.sleep(delay)
            receipt = await self._attempt(Kind.EVENT, payload, number, receipt.reason)

    async def _attempt(self, kind: Kind, payload: Json, number: int, previous: str) -> Receipt:
        started = time.perf_counter()
        self.under_way += 1
        try:
            if self._http is not None:
                receipt = await self._by_http(self._http, kind, payload, number, previous)
            else:
                receipt = await self._by_socket(kind, payload, number, previous)
        finally:
            self.under_way -= 1
        if receipt.acknowledged and self._faults.strike(self._faults.dropped_acks, kind.value):
            receipt = Receipt(acknowledged=False, failure=Failure.TIMEOUT, reason="timeout")
        attempt = Attempt(
            at=self._clock(),
            kind=kind.value,
            what=_summary(kind, payload),
            number=number,
            acknowledged=receipt.acknowledged,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            reason=receipt.reason,
            answered=receipt.payload is not None,
        )
        self.log.append(attempt)
        self._on_attempt(attempt)
        return receipt

    async def _by_socket(self, kind: Kind, payload: Json, number: int, previous: str) -> Receipt:
        # An event may arrive while the app reconnects: it waits. A person's click fails at once, as in Slack.
        patience = self._settings.ack_deadline if kind is Kind.EVENT else 0.0
        if not await self._socket_mode.wait_connected(patience):
            return Receipt(acknowledged=False, failure=Failure.NOBODY, reason="no_connection")
        envelope: Json = {
            "envelope_id": str(uuid.uuid4()),
            "type": kind.value,
            "payload": payload,
            "accepts_response_payload": kind is not Kind.EVENT,
        }
        if kind is Kind.EVENT:
            envelope |= {"retry_attempt": number, "retry_reason": previous}
        answer = await self._socket_mode.send(envelope, self._settings.ack_deadline)
        if answer is None:
            return Receipt(acknowledged=False, failure=Failure.TIMEOUT, reason="timeout")
        told = answer.get("payload")
        return Receipt(acknowledged=True, payload=told if isinstance(told, dict) else None)

    async def _by_http(self, http: SignedHttp, kind: Kind, payload: Json, number: int, previous: str) -> Receipt:
        retry = (number, previous) if number else None
        deadline = self._settings.ack_deadline
        answer = await http.post(kind.value, payload, now=self._clock(), seconds=deadline, retry=retry)
        if answer.acknowledged:
            return Receipt(acknowledged=True, payload=answer.payload() if kind is not Kind.EVENT else None)
        failures = {"http_timeout": Failure.TIMEOUT, "connection_failed": Failure.NOBODY}
        return Receipt(
            acknowledged=False,
            failure=failures.get(answer.failure, Failure.ERROR),
            reason=answer.failure,
            may_retry=not answer.no_retry,
        )


def _summary(kind: Kind, payload: Json) -> str:
    match kind:
        case Kind.EVENT:
            event = payload["event"]
            return f"{event['type']} {event.get('subtype', '')}".strip()
        case Kind.COMMAND:
            return f"{payload['command']} {payload['text']}"[:200].strip()
    actions = payload.get("actions") or [{}]
    return f"{payload['type']} {actions[0].get('action_id', '')}".strip()
