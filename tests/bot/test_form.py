"""The form of a question: opened, filled with names as somebody types, sent, and answered in its channel."""

from typing import Any

import pytest

from bot.dispatch import NAMES, queue_key
from bot.names import Names
from bot.render.question_form import COMMAND, FROM, PORT, TO, question_form, suggestions, words_of
from bot.surfaces.slack import where_of
from handlers.catalogue import CATALOGUE
from handlers.names.listed import ListedName, NameKind
from tests.bot.conftest import Bot
from tools.playground.limits import view_violations

HERE = "#incident-42"
Json = dict[str, Any]


@pytest.fixture
def typing(bot: Bot) -> Bot:
    """A bot that knows names already, so that it wishes for none."""
    names = Names(bot.queue.redis)
    names.keep([ListedName("shop/cart", NameKind.WORKLOAD), ListedName("shop/svc/cart", NameKind.SERVICE)])
    assert names.is_wished()
    return bot


def open_form(bot: Bot) -> Json:
    assert bot.slack.command("ada", HERE, "/cilium")["payload"] is None
    (view,) = bot.slack.wait_for(lambda: bot.slack.views("ada"))
    return view


def test_the_command_alone_opens_a_form_whose_question_is_asked_in_that_channel(typing: Bot) -> None:
    open_form(typing)
    offered = typing.slack.suggestions("ada", TO, "cart")
    assert [choice["value"] for choice in offered] == ["cart", "shop/cart", "shop/svc/cart"]
    assert typing.slack.suggestions("ada", FROM, "shop/frontend")[0]["value"] == "shop/frontend"
    filled = {COMMAND: "why", FROM: "shop/frontend", TO: "shop/cart", PORT: "8080"}
    assert typing.slack.submit("ada", filled) is None
    (ticket,) = typing.asked()
    assert ticket.text == "why shop/frontend shop/cart 8080"
    (placeholder,) = typing.slack.messages(HERE)
    assert placeholder["ts"] == where_of(ticket).placeholder_ts
    assert typing.user("ada") in placeholder["blocks"][0]["text"]["text"]
    assert typing.slack.views("ada") == []


def test_half_a_question_is_told_under_the_field_that_is_empty(typing: Bot) -> None:
    open_form(typing)
    typing.slack.suggestions("ada", FROM, "cart")
    errors = typing.slack.submit("ada", {COMMAND: "why", FROM: "shop/cart"})
    assert errors == {TO: "Name two ends: who connects, and to what."}
    assert typing.queue.tickets() == []


def test_the_shortcut_asks_in_the_direct_conversation(typing: Bot) -> None:
    typing.slack.shortcut("grace", "ask")
    typing.slack.wait_for(lambda: typing.slack.views("grace"))
    assert typing.slack.submit("grace", {COMMAND: "health"}) is None
    (ticket,) = typing.asked()
    assert where_of(ticket).channel == "D0GRACE001"


def test_who_opens_the_form_first_has_workers_read_the_names(bot: Bot) -> None:
    open_form(bot)
    bot.settle()
    (message,) = bot.queue.redis.lrange(queue_key("cilium-triage"), 0, -1)
    assert NAMES in message
    assert bot.slack.suggestions("ada", FROM, "cart") == [
        {"text": {"type": "plain_text", "text": "“cart” as typed", "emoji": True}, "value": "cart"}
    ]
    bot.queue.redis.delete(queue_key("cilium-triage"))


def test_slack_takes_the_form_and_every_choice_in_it() -> None:
    form = question_form(CATALOGUE.commands, metadata="{}")
    assert view_violations(form) == []
    (choices,) = [block["element"]["options"] for block in form["blocks"] if block["block_id"] == COMMAND]
    offered = {choice["value"] for choice in choices}
    assert {"why", "drops", "health"} <= offered
    assert "whatif" not in offered, "what comes as a file cannot be typed into a line"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("  ", [], id="nothing"),
        pytest.param("x" * 151, ["shop/cart"], id="more than a choice holds"),
        pytest.param("shop/cart", ["shop/cart"], id="a name as it stands, once"),
        pytest.param("<!here>", ["<!here>", "shop/cart"], id="hostile words, as words"),
    ],
)
def test_what_is_typed_can_always_be_taken_as_it_stands(typed: str, expected: list[str]) -> None:
    names = [ListedName("shop/cart", NameKind.WORKLOAD)] if typed.strip() else []
    assert [choice["value"] for choice in suggestions(typed, names)] == expected


def test_the_words_of_a_form_are_the_words_of_a_command() -> None:
    values: dict[str, dict[str, Any]] = {
        COMMAND: {COMMAND: {"type": "static_select", "selected_option": {"value": "why"}}},
        FROM: {FROM: {"type": "external_select", "selected_option": {"value": "shop/frontend"}}},
        TO: {TO: {"type": "external_select", "selected_option": None}},
        PORT: {PORT: {"type": "plain_text_input", "value": " 8080\n"}},
    }
    assert words_of(values) == "why shop/frontend 8080"
