"""``/cilium``: alone it opens the form, with ``help`` it helps at once, everything else is a question.

Slack wants the acknowledgement within three seconds, and shows what comes with it to the asker alone
(https://docs.slack.dev/interactivity/implementing-slash-commands#responding_response_url). So help travels with the
acknowledgement, and a question is acknowledged with nothing before anybody looks at it.
"""

import re
from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, App

from bot.intake import Intake
from bot.listeners.attached import blocks_of, words_of
from bot.listeners.form import Form
from bot.listeners.place import of_command
from bot.orders import ORDERS
from bot.orders.taken import Orders
from bot.render.help import help_message, is_help
from handlers.catalogue import CATALOGUE
from handlers.model.attachment import Attachment

NAME = re.compile(r"^/cilium[a-z0-9_-]*$")
"""``/cilium``, or ``/cilium-staging`` where one workspace has a bot for each cluster."""


def listen(app: App, intake: Intake, orders: Orders, form: Form) -> None:
    """Register the listener."""

    def acknowledge(ack: Ack, body: Mapping[str, Any]) -> None:
        text = str(body.get("text") or "").strip()
        if text and is_help(text):
            shown = help_message(CATALOGUE.commands, ORDERS)
            ack(text=shown.text, blocks=list(shown.blocks), response_type="ephemeral")
        else:
            ack()

    def ask(body: Mapping[str, Any]) -> None:
        text = str(body.get("text") or "")
        words, where, delivery = words_of(text), of_command(body), f"command:{body.get('trigger_id')}"

        def blocks() -> tuple[Attachment, ...]:
            return blocks_of(text)

        if not text.strip():
            form.open(where, str(body.get("trigger_id") or ""))
        elif not is_help(text) and not orders.take(words, where, delivery=delivery, attached=blocks):
            intake.ask(words, where, delivery=delivery, attached=blocks)

    app.command(NAME)(ack=acknowledge, lazy=[ask])
