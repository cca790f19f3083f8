"""A mention in a channel, and any message in a direct conversation.

The answer goes to the thread of the message. An edit asks again only if it changes the question, and Slack delivers a
mention in a direct conversation twice, as ``app_mention`` and as ``message``: the message counts, not the delivery.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App

from bot.dumps import OF_A_DUMP, archive_in
from bot.intake import Intake
from bot.listeners.attached import Attached, words_of
from bot.listeners.heard import Heard, heard
from bot.listeners.place import of_message
from bot.orders import ORDERS
from bot.orders.taken import Orders
from bot.render.help import help_message, is_help
from bot.where import Via
from handlers.catalogue import CATALOGUE


def listen(app: App, intake: Intake, orders: Orders, bots: frozenset[str], attached: Attached) -> None:
    """Register the listeners. ``bots`` are those that are listened to as people are."""

    def is_direct(event: Mapping[str, Any]) -> bool:
        return event.get("channel_type") == "im"

    def mentioned(body: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        message = heard(body, bots)
        via = Via.DIRECT if _is_direct_channel(body) else Via.MENTION
        if message:
            _ask(intake, orders, attached, body, message, via, str(context.get("bot_user_id") or ""))

    def written(body: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        message = heard(body, bots)
        if message:
            _ask(intake, orders, attached, body, message, Via.DIRECT, str(context.get("bot_user_id") or ""))

    app.event("app_mention")(ack=_acknowledge, lazy=[mentioned])
    app.event("message", matchers=[is_direct])(ack=_acknowledge, lazy=[written])


def without_mention(text: str, bot_user: str) -> str:
    """Return the words without the mention of the bot that leads them or ends them."""
    mention = rf"<@{re.escape(bot_user)}(?:\|[^>]*)?>"
    return re.sub(rf"^\s*{mention}[\s,:]*|\s*{mention}\s*$", "", text) if bot_user else text


def _ask(
    intake: Intake,
    orders: Orders,
    attached: Attached,
    body: Mapping[str, Any],
    message: Heard,
    via: Via,
    bot_user: str,
) -> None:
    text = without_mention(words_of(message.text), bot_user)
    where = of_message(body, message.raw, via)
    delivery = f"message:{where.channel}:{message.ts}"
    if archive_in(message.raw) is not None:
        where = replace(where, thread_ts=where.thread_ts or message.ts)
    dump = intake.dumps.notice(where, message.raw, is_asked=True)
    if dump is not None and is_help(text):
        for question in OF_A_DUMP:
            intake.ask(question, where, delivery=f"{delivery}:{question}")
    elif is_help(text):
        if intake.is_first(where, f"{delivery}:help"):
            intake.tell(where, help_message(CATALOGUE.commands, ORDERS))
    elif not orders.take(text, where, delivery=delivery, attached=lambda: attached.beside(message.raw)):
        came_with = attached.to(text, message.raw, where.channel)
        intake.ask(text, where, delivery=delivery, per_question=True, attached=came_with)


def _is_direct_channel(body: Mapping[str, Any]) -> bool:
    return str(body.get("event", {}).get("channel", "")).startswith("D")


def _acknowledge(ack: Ack) -> None:
    ack()
