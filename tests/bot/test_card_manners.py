"""What people do with a card in Slack: snooze it, react to it, say that it was not it; and mute what is around it."""

from typing import Any

import pytest

from bot.cards.place import CardRef, Place
from bot.feedback import Feedback
from bot.orders.feedback import parse as read_feedback
from bot.orders.mute import Wanted
from bot.orders.mute import parse as read_mute
from bot.orders.unmute import parse as read_unmute
from handlers.alerts.life import Diagnosis
from handlers.alerts.manners import Scope, Target
from handlers.alerts.received import of_document
from handlers.commands.command import NotUnderstoodError
from handlers.model.finding import prose
from handlers.model.report import Expected
from tests.alerts.payloads import alert, webhook
from tests.bot.conftest import Bot
from tools.playground.workspace import TEAM_ID

HERE = "#incident-42"
ROOM = Place(TEAM_ID, "C0INCIDENT")
TITLE = "shop/loadgen → shop/cart: packets are denied by policy"


@pytest.fixture
def fired(bot: Bot) -> Bot:
    """A channel in which one diagnosed card stands."""
    labels = {"source": "shop/loadgen", "destination": "shop/cart", "reason": "POLICY_DENIED"}
    bot.web.cards.take(of_document(webhook(alert("HubblePolicyDenied", "firing", **labels))), ROOM)
    (entry,) = bot.web.cards.of(ROOM)
    found = Diagnosis("why a b", "Blocked", "bad", prose("x"), (), entry.card.first_at, Expected.BLOCKED)
    bot.web.cards.diagnosed(CardRef(ROOM, entry.card.fingerprint), found)
    shown(bot)
    return bot


def shown(bot: Bot) -> dict[str, Any]:
    """Let the web process show what there is to be shown, and return the card."""
    bot.settle()
    bot.web.cards.kept.outbox.give_turn(ROOM)
    bot.web.rounds.go()
    return next(one for one in bot.slack.messages(HERE) if not one["only_for"] and not one["is_reply"])


def press(bot: Bot, message: dict[str, Any], label: str) -> None:
    elements = [element for block in message["blocks"] for element in _elements(block)]
    (found,) = [element for element in elements if element["type"] == "button" and element["text"]["text"] == label]
    bot.slack.click(message, found["action_id"])


def _elements(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else ())]


def test_a_card_is_snoozed_listed_and_shown_again_by_buttons(fired: Bot) -> None:
    press(fired, shown(fired), "Snooze 1 h")
    assert fired.said_to("ada", HERE) == f"Muted for 1 h: {TITLE}"
    muted = shown(fired)
    assert muted["text"] == f"Muted: {TITLE}"
    fired.slack.command("ada", HERE, "/cilium", "mute list")
    listed = fired.slack.wait_for(lambda: [one for one in fired.slack.messages(HERE) if one["text"] == "1 muted here"])
    row = listed[0]["blocks"][0]["text"]["text"]
    assert row.startswith(f"• {TITLE} until ")
    assert row.endswith(f"by <@{fired.user('ada')}>: 1 cause, 1 alert")
    press(fired, muted, "Unmute")
    fired.slack.wait_for(lambda: [one for one in fired.slack.messages(HERE) if "Shown again" in one["text"]])
    assert shown(fired)["text"] == f"Firing: {TITLE} – Blocked"


def test_a_reaction_says_who_looks_after_it_and_is_taken_back(fired: Bot) -> None:
    card = shown(fired)
    fired.slack.react(card, "eyes")
    fired.slack.wait_for(lambda: seen_by(fired) == (fired.user("ada"),))
    assert f"👀 <@{fired.user('ada')}>" in str(shown(fired)["blocks"])
    fired.slack.react(card, "eyes")
    fired.slack.wait_for(lambda: seen_by(fired) == ())
    assert "👀" not in str(shown(fired)["blocks"])


def seen_by(bot: Bot) -> tuple[str, ...]:
    (entry,) = bot.web.cards.of(ROOM)
    return entry.card.acknowledged_by


def test_this_was_not_it_is_kept_once_for_a_person_counted_and_shown(fired: Bot) -> None:
    press(fired, shown(fired), "This was not it")
    assert "Thank you" in fired.said_to("ada", HERE)
    assert "1 says that this was not it" in str(shown(fired)["blocks"])
    (word,) = Feedback(fired.queue.redis).all()
    assert (word.title, word.status, word.by) == (TITLE, "Blocked", fired.user("ada"))


def test_who_is_no_operator_mutes_no_namespace(fired: Bot) -> None:
    fired.slack.command("ada", HERE, "/cilium", "mute namespace shop 2h")
    assert "operator" in fired.said_to("ada", HERE)
    assert shown(fired)["text"].startswith("Firing")


MUTES = {
    "": Wanted(),
    "list": Wanted(),
    "here": Wanted(Target(Scope.CHANNEL)),
    "here 30m": ("channel", 30),
    "namespace shop for 2h": ("namespace shop", 120),
    "shop 1d": ("namespace shop", 1440),
    "payments for a day": ("namespace payments", 1440),
    "this channel for 2 hours": ("channel", 120),
    "for 30m": ("channel", 30),
    "cause 0a1b 1h": ("cause 0a1b", 60),
}


@pytest.mark.parametrize(("words", "wanted"), MUTES.items(), ids=lambda one: str(one)[:30] or "nothing")
def test_what_is_muted_for_how_long(words: str, wanted: Any) -> None:
    found = read_mute(words)
    told = (str(found.target), found.span.total_seconds() / 60) if isinstance(wanted, tuple) else found
    assert told == wanted


@pytest.mark.parametrize("words", ["shop cart", "cause", "here 0m", "<!channel>"])
def test_what_cannot_be_muted_is_refused(words: str) -> None:
    with pytest.raises(NotUnderstoodError):
        read_mute(words)


def test_what_is_shown_again_and_what_is_said_back() -> None:
    assert [str(read_unmute(words)) for words in ("", "here", "shop")] == ["channel", "channel", "namespace shop"]
    assert [str(read_feedback(words).do) for words in ("", "export", "wrong 0a1b")] == ["list", "export", "wrong"]
    for words in ("wrong", "shop", "export all"):
        with pytest.raises(NotUnderstoodError):
            read_feedback(words)
