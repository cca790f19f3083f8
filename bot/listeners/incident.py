"""Incident channels: alerts become cards, and a question that somebody writes is answered without a mention.

Of what people write only what is plainly a question counts: it ends in a question mark and names a workload with its
namespace, or starts with a subcommand. What is not understood is passed over in silence. A dump that somebody drops is
looked at, and further questions in its thread are about it.
"""

import re
from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, App

from bot.channels import Channels
from bot.dumps import OF_A_DUMP, dump_in
from bot.intake import Intake
from bot.listeners.attached import Attached, words_of
from bot.listeners.heard import Heard, heard
from bot.listeners.mention import without_mention
from bot.listeners.place import of_message
from bot.listeners.posted import AlertReader, posted
from bot.where import Via, Where
from handlers.catalogue import CATALOGUE

_NAMESPACED = re.compile(r"(?:^|\s)[a-z0-9-]+/[a-z0-9]")


def listen(
    app: App, intake: Intake, channels: Channels, bots: frozenset[str], attached: Attached, alerts: AlertReader
) -> None:
    """Register the listener; which channels are incident channels is looked up for each message."""

    def is_in_channel(event: Mapping[str, Any]) -> bool:
        return event.get("channel_type") != "im"

    def written(body: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        own_bot, own_user = (str(context.get(name) or "") for name in ("bot_id", "bot_user_id"))
        question, post = _question(body, bots, own_user), posted(body, own_bot, own_user)
        told = question.raw if question else _dropped(body, own_user)
        if told is not None:
            where = of_message(body, told, Via.INCIDENT)
            if channels.rules(where.channel).is_incident:
                intake.dumps.notice(where, told, is_asked=False)
                ask(question, where, own_user) if question else ask_of_dump(told, where)
        elif post is not None and channels.rules(post.place.channel).is_incident:
            alerts.read(post)

    def ask_of_dump(message: Mapping[str, Any], where: Where) -> None:
        for question in OF_A_DUMP:
            intake.ask(question, where, delivery=f"message:{where.channel}:{message.get('ts')}:{question}")

    def ask(message: Heard, where: Where, own_user: str) -> None:
        text = without_mention(words_of(message.text), own_user)
        came_with = attached.to(text, message.raw, where.channel)
        delivery = f"message:{where.channel}:{message.ts}"
        intake.ask(text, where, delivery=delivery, per_question=True, attached=came_with)

    def acknowledge(ack: Ack) -> None:
        ack()

    app.event("message", matchers=[is_in_channel])(ack=acknowledge, lazy=[written])


def _question(body: Mapping[str, Any], bots: frozenset[str], own_user: str) -> Heard | None:
    message = heard(body, bots)
    if message is None or not _is_question(message.text) or (own_user and f"<@{own_user}" in message.text):
        return None  # a mention comes as an event of its own
    return message


def _dropped(body: Mapping[str, Any], own_user: str) -> Mapping[str, Any] | None:
    """Return the message of a person that brings a dump and asks nothing, None where there is none."""
    event = body.get("event")
    if not isinstance(event, Mapping) or event.get("subtype") != "file_share" or event.get("bot_id"):
        return None
    is_for_others = own_user and (event.get("user") == own_user or f"<@{own_user}" in str(event.get("text") or ""))
    return event if not is_for_others and dump_in(event) is not None else None


def _is_question(text: str) -> bool:
    words = text.strip()
    asks = words.endswith("?") and _NAMESPACED.search(words)
    return bool(asks) or words.partition(" ")[0].casefold() in CATALOGUE.commands
