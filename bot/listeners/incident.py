"""Incident channels: a question that somebody writes there is answered without a mention.

Only what is plainly a question counts: it ends in a question mark and names a workload with its namespace, or starts
with a subcommand. What is not understood is passed over in silence.
"""

import re
from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, App

from bot.channels import Channels
from bot.intake import Intake
from bot.listeners.attached import Attached, words_of
from bot.listeners.heard import heard
from bot.listeners.mention import without_mention
from bot.listeners.place import of_message
from bot.where import Via
from handlers.catalogue import CATALOGUE

_NAMESPACED = re.compile(r"(?:^|\s)[a-z0-9-]+/[a-z0-9]")


def listen(app: App, intake: Intake, channels: Channels, bots: frozenset[str], attached: Attached) -> None:
    """Register the listener; which channels are incident channels is looked up for each message."""

    def is_in_channel(event: Mapping[str, Any]) -> bool:
        return event.get("channel_type") != "im"

    def written(body: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        message = heard(body, bots)
        bot_user = str(context.get("bot_user_id") or "")
        if message is None or not _is_question(message.text) or (bot_user and f"<@{bot_user}" in message.text):
            return  # a mention comes as an event of its own
        where = of_message(body, message.raw, Via.INCIDENT)
        if not channels.rules(where.channel).is_incident:
            return
        text = without_mention(words_of(message.text), bot_user)
        came_with = attached.to(text, message.raw, where.channel)
        delivery = f"message:{where.channel}:{message.ts}"
        intake.ask(text, where, delivery=delivery, per_question=True, attached=came_with)

    def acknowledge(ack: Ack) -> None:
        ack()

    app.event("message", matchers=[is_in_channel])(ack=acknowledge, lazy=[written])


def _is_question(text: str) -> bool:
    words = text.strip()
    asks = words.endswith("?") and _NAMESPACED.search(words)
    return bool(asks) or words.partition(" ")[0].casefold() in CATALOGUE.commands
