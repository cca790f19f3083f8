"""The button of a card that has its question asked again: the answer changes the card, for everybody who reads it."""

from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, App

from bot.cards.cards import Cards
from bot.cards.place import ref_of
from bot.intake import Intake
from bot.listeners.place import of_action
from bot.listeners.pressed import is_pressed_once
from bot.render.card import CHECK
from bot.render.failure import card_gone, failure_message
from handlers.alerts.life import KeptCard, asked
from handlers.catalogue import CATALOGUE


def listen(app: App, intake: Intake, cards: Cards) -> None:
    """Register the listener."""

    def check(body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
        where = of_action(body)
        ref = ref_of(str(action.get("value") or ""))

        def work() -> None:
            entry = cards.find(ref) if ref.place.channel == where.channel else None
            if entry is None or not entry.card.questions:
                intake.publisher.whisper(where, failure_message(card_gone()))
                return
            command = CATALOGUE.understand(entry.card.questions[0]).command
            if objection := intake.guard.objection(where, command.role, command.name):
                intake.publisher.whisper(where, failure_message(objection))
            else:
                cards.change(ref, ask_again)

        if is_pressed_once(intake, where, body, action):
            intake.safely(where, work)

    def ask_again(card: KeptCard) -> KeptCard:
        return card if card.waits else asked(card, cards.now())

    def acknowledge(ack: Ack) -> None:
        ack()

    app.action(CHECK)(ack=acknowledge, lazy=[check])
