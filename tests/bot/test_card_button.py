"""The button of a card asks its question again for everybody, if who pressed it may ask."""

import json

from bot.cards.place import CardRef, Place
from handlers.alerts.life import not_diagnosed
from tests.alerts.payloads import alert, webhook
from tests.bot.conftest import Bot

CHANNEL = "C0PLATFORM"
DROPS = {"reason": "POLICY_DENIED", "source": "shop/loadgen", "destination": "shop/cart"}


def test_check_again_asks_once_more(bot: Bot) -> None:
    cards, place = bot.web.cards, Place(bot.web.webhook.team, CHANNEL)
    bot.web.webhook.take(json.dumps(webhook(alert("HubblePolicyDenied", **DROPS))).encode(), [CHANNEL])
    (entry,) = cards.of(place)
    cards.change(CardRef(place, entry.card.fingerprint), lambda card: not_diagnosed(card, "The worker went away."))
    bot.web.rounds.go()
    (shown,) = bot.slack.messages(CHANNEL)
    bot.slack.click(shown, "card_check")
    bot.settle()
    (again,) = cards.of(place)
    assert (again.card.waits, again.card.asks, again.card.failure) == (True, 2, "")
