"""Alerts that other apps post in incident channels: Alertmanager, Grafana, PagerDuty, Opsgenie, Datadog.

Their words are in attachments, fields and blocks (https://docs.slack.dev/reference/events/message). An edit comes as
``message_changed``, and what is over is told by an edit, by a reply in the thread, or by a message of its own. Whoever
posts it needs no leave: what it says decides whether it is an alert.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_when_event_set,
    wait_fixed,
)

from bot.cards.cards import Cards, NotKeptError
from bot.cards.place import Place
from bot.listeners.place import installation_of
from handlers.alerts.received import as_resolved, is_an_end, of_message

Payload = Mapping[str, Any]

_PATIENCE, _PAUSE = 120.0, 2.0
"""Seconds for which Redis is waited for: Slack does not send again what was acknowledged."""
_POSTED = {"", "bot_message", "thread_broadcast", "file_share"}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """A message of another app: as it is now, and the one that it was before it was edited, if it was."""

    message: Payload
    before: Payload | None
    place: Place

    @property
    def delivery(self) -> str:
        """What the alert is known by: the message that told of it first, in a thread the one that began it."""
        return str(self.message.get("thread_ts") or self.message.get("ts") or "")


def posted(body: Payload, own_bot: str, own_user: str) -> Posted | None:
    """Return the message of another app that an event is about; None for people, and for this bot's own."""
    event = body.get("event")
    if not isinstance(event, Mapping):
        return None
    message, before = event, None
    if event.get("subtype") == "message_changed":
        message, before = event.get("message") or {}, event.get("previous_message")
    if not isinstance(message, Mapping) or str(message.get("subtype") or "") not in _POSTED:
        return None
    is_own = message.get("bot_id") == own_bot or (own_user and message.get("user") == own_user)
    if is_own or not (message.get("bot_id") or message.get("subtype") == "bot_message"):
        return None
    place = Place(installation_of(body), str(event.get("channel") or ""))
    return Posted(message, before if isinstance(before, Mapping) else None, place)


@dataclass(frozen=True, slots=True)
class AlertReader:
    """Hands what other apps post to the cards; ``stopping`` ends all waiting."""

    client: WebClient
    cards: Cards
    stopping: Event

    def read(self, found: Posted) -> None:
        """Take the alerts of a message; raises nothing. What is delivered twice changes nothing."""
        received = of_message(found.message)
        if is_an_end(found.message) and (begun := found.before or self._begun_by(found)):
            received = as_resolved(of_message(begun))
        again = Retrying(
            retry=retry_if_exception_type(NotKeptError),
            stop=stop_after_delay(_PATIENCE) | stop_when_event_set(self.stopping),
            wait=wait_fixed(_PAUSE),
            sleep=sleep_using_event(self.stopping),
        )
        try:
            again(self.cards.take, received, found.place, delivery=found.delivery)
        except RetryError:
            log.error("alerts lost, redis does not answer", channel=found.place.channel, alerts=len(received.alerts))

    def _begun_by(self, found: Posted) -> Payload | None:
        """Return the message of an app that began the thread, None outside of a thread."""
        thread = found.message.get("thread_ts")
        if not thread or thread == found.message.get("ts"):
            return None
        try:
            replies = self.client.conversations_replies(channel=found.place.channel, ts=str(thread), limit=1)
        except (SlackClientError, OSError) as error:
            log.warning("beginning of a thread not read", channel=found.place.channel, error=type(error).__name__)
            return None
        first: object = next(iter(replies.get("messages") or ()), None)
        return first if isinstance(first, Mapping) and first.get("bot_id") else None
