"""The shortcut "Triage this" of a message: the alert or the question in it is answered in its thread.

https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload (message_action).
"""

from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, App

from bot.intake import Intake
from bot.listeners.place import of_message_shortcut
from bot.render.candidates import not_understood
from bot.render.failure import failure_message
from bot.where import Where
from handlers.alerts.cards import Card, cards_of, most_urgent
from handlers.alerts.received import of_message
from handlers.alerts.signal import Decision
from handlers.commands.command import Role

SHORTCUT = "triage"
"""Callback id in the manifest."""
_MOST_CAUSES = 3
"""Causes of one message that are looked into at once."""


def listen(app: App, intake: Intake) -> None:
    """Register the listener."""

    def used(body: Mapping[str, Any]) -> None:
        where, message = of_message_shortcut(body), body.get("message")
        delivery = f"shortcut:{body.get('trigger_id')}"
        if isinstance(message, Mapping) and intake.is_first(where, delivery):
            intake.safely(where, lambda: _triage(intake, where, message, delivery))

    app.shortcut({"type": "message_action", "callback_id": SHORTCUT})(ack=_acknowledge, lazy=[used])


def _triage(intake: Intake, where: Where, message: Mapping[str, Any], delivery: str) -> None:
    if objection := intake.guard.bars(where, Role.VIEWER, "the alerts in messages"):
        intake.tell(where, failure_message(objection))
        return
    cards = most_urgent(cards_of(of_message(message)))
    asked = [card for card in cards if card.decision is not Decision.IGNORE and card.questions]
    if not asked:
        reason = cards[0].reason if cards else "it says nothing"
        problem = f"There is nothing in this message that I could look into: {reason}."
        intake.tell(where, not_understood(problem, "why shop/frontend shop/cart 8080", ()))
    for card in asked[:_MOST_CAUSES]:
        _ask(intake, where, card, delivery)
    if left := asked[_MOST_CAUSES:]:
        questions = [card.questions[0] for card in left]
        intake.tell(where, not_understood(f"The message tells of {len(left)} more.", "", questions))


def _ask(intake: Intake, where: Where, card: Card, delivery: str) -> None:
    if card.decision is Decision.TRIAGE or len(card.questions) == 1:
        intake.ask(card.questions[0], where, delivery=f"{delivery}:{card.fingerprint}")
    else:
        intake.publisher.placeholder(where, not_understood(f"{card.title}: {card.reason}.", "", card.questions))


def _acknowledge(ack: Ack) -> None:
    ack()
