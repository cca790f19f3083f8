"""What other apps post in incident channels: which of it is heard, and what becomes of it."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.cards.place import Place
from bot.listeners.posted import posted
from handlers.alerts.alert import State
from handlers.alerts.life import KeptCard, Stage
from handlers.alerts.received import as_resolved, is_an_end, of_message
from tests.bot.conftest import Bot
from tools.playground.workspace import TEAM_ID

INCIDENTS = "#platform"
PLACE = Place(TEAM_ID, "C0PLATFORM")
POD = "cart-5d94896484-hfqfl"

Json = dict[str, Any]


def event(**message: Any) -> Json:
    sent = {"type": "message", "channel": "C1", "ts": "1.2", "text": "x", **message}
    return {"type": "event_callback", "team_id": "T1", "event": sent}


def edited(**message: Any) -> Json:
    before = {"ts": "1.2", "bot_id": "B2", "text": "[FIRING:1] x"}
    changed = {"subtype": "message_changed", "message": {**before, **message}, "previous_message": before}
    return event(**changed)


HEARD: dict[str, tuple[Json, bool]] = {
    "an app's message": (event(bot_id="B2"), True),
    "an incoming webhook's": (event(bot_id="B2", subtype="bot_message"), True),
    "one without a bot's id": (event(subtype="bot_message"), True),
    "an app with a user of its own": (event(bot_id="B2", user="U2"), True),
    "a reply": (event(bot_id="B2", thread_ts="1.1"), True),
    "an edit": (edited(text="[RESOLVED] x"), True),
    "a person's": (event(user="U2"), False),
    "our own": (event(bot_id="BOWN"), False),
    "our own, by its user": (event(bot_id="B2", user="UOWN"), False),
    "our own, edited": (edited(bot_id="BOWN"), False),
    "one that is deleted": (event(bot_id="B2", subtype="message_deleted"), False),
    "an app that comes into the channel": (event(bot_id="B2", subtype="bot_add"), False),
    "nonsense": ({"event": {"subtype": "message_changed", "message": "x"}}, False),
    "no event": ({"event": []}, False),
}


@pytest.mark.parametrize(("body", "is_heard"), HEARD.values(), ids=HEARD)
def test_apps_are_heard_and_this_one_is_not(body: Json, is_heard: bool) -> None:
    assert (posted(body, "BOWN", "UOWN") is not None) == is_heard


def test_an_alert_is_known_by_the_message_that_began_it() -> None:
    found = posted(event(bot_id="B2", thread_ts="1.1"), "BOWN", "UOWN")
    assert found is not None
    assert (found.delivery, found.place) == ("1.1", Place("T1", "C1"))


ENDS: dict[str, tuple[str, bool]] = {
    "resolved by somebody": ("Resolved by Ada", True),
    "an incident has been resolved": ("Incident #4711 has been resolved", True),
    "with names of its own": (f"[RESOLVED] KubePodNotReady (shop {POD})", False),
    "acknowledged": ("Acknowledged by Ada", False),
}


@pytest.mark.parametrize(("text", "is_end"), ENDS.values(), ids=ENDS)
def test_what_says_no_more_than_that_it_is_over(text: str, is_end: bool) -> None:
    assert is_an_end({"bot_id": "B2", "text": text}) == is_end


def test_what_is_over_is_resolved() -> None:
    begun = of_message({"bot_id": "B2", "text": f"[FIRING:1] KubePodNotReady (shop {POD})"})
    assert [(one.name, one.state) for one in as_resolved(begun).alerts] == [("KubePodNotReady", State.RESOLVED)]


FIRING = {"color": "danger", "title": f"[FIRING:1] KubePodNotReady (shop {POD} warning)"}
RESOLVED = {"color": "good", "title": f"[RESOLVED] KubePodNotReady (shop {POD} warning)"}


def test_an_alert_becomes_a_card_that_its_edit_resolves(bot: Bot) -> None:
    message = bot.slack.post_as_app(INCIDENTS, "Alertmanager", "", attachments=[FIRING])
    (card,) = _cards(bot, lambda card: card.stage is Stage.FIRING)
    assert (card.title, card.questions[0]) == ("shop/cart is not ready", f"why host shop/{POD}")
    bot.slack.edit_as_app(message, attachments=[RESOLVED])
    (card,) = _cards(bot, lambda card: card.stage is Stage.RESOLVED)
    assert (card.count, card.firing) == (1, ())


def test_a_reply_in_the_thread_of_an_alert_resolves_it(bot: Bot) -> None:
    message = bot.slack.post_as_app(INCIDENTS, "PagerDuty", "", attachments=[FIRING])
    _cards(bot, lambda card: card.stage is Stage.FIRING)
    bot.slack.post_as_app(INCIDENTS, "PagerDuty", "Resolved by Ada", thread_ts=message["ts"])
    (card,) = _cards(bot, lambda card: card.stage is Stage.RESOLVED)
    assert card.count == 1


def test_delivered_twice_it_counts_once(bot: Bot) -> None:
    bot.slack.cause(duplicates={"events_api": 1})
    bot.slack.post_as_app(INCIDENTS, "Alertmanager", "", attachments=[FIRING])
    bot.slack.wait_for(lambda: len(bot.slack.deliveries()) >= 2 or None)
    bot.settle()
    assert [card.count for card in _cards(bot, lambda _card: True)] == [1]


def test_elsewhere_alerts_are_not_heard_and_other_posts_never(bot: Bot) -> None:
    bot.slack.post_as_app("#incident-42", "Alertmanager", "", attachments=[FIRING])
    bot.slack.post_as_app(INCIDENTS, "CI", "Build 4711 of shop passed")
    bot.slack.wait_for(lambda: len(bot.slack.deliveries()) >= 2 or None)
    bot.settle()
    assert [bot.web.cards.of(place) for place in (PLACE, Place(TEAM_ID, "C0INCIDENT"))] == [(), ()]


def _cards(bot: Bot, are: Callable[[KeptCard], bool]) -> list[KeptCard]:
    def found() -> list[KeptCard] | None:
        cards = [entry.card for entry in bot.web.cards.of(PLACE)]
        return cards if cards and all(map(are, cards)) else None

    return bot.slack.wait_for(found)
