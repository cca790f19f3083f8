"""Channels that the bot comes into, shortcuts on messages, and the files that make alerts exact."""

from collections.abc import Iterator

import pytest
import yaml

from bot.channel_rules import ChannelRules, QuietHours, Verbosity
from bot.orders.alerts import parse
from bot.render.greeting import greeting
from handlers.commands.command import NotUnderstoodError
from tests.bot.conftest import Bot

HERE = "#incident-42"
GREETING = "incident channel; I triage"


def test_an_incident_channel_is_greeted_with_what_holds_there() -> None:
    hours = QuietHours.parse("22:00-07:00 Europe/Berlin")
    rules = ChannelRules(is_incident=True, verbosity=Verbosity.QUIET, quiet_hours=hours, cluster="<!here>")
    shown = str(greeting(rules).blocks)
    assert "was found to be wrong" in shown
    assert "quiet hours 22:00-07:00 Europe/Berlin, cluster &lt;!here&gt;" in shown


def test_another_channel_is_told_how_to_ask() -> None:
    assert "only when I am asked" in greeting(ChannelRules()).text


def _greetings(bot: Bot, channel: str) -> list[str]:
    return [message["text"] for message in bot.slack.messages(channel) if "change nothing" in message["text"]]


@pytest.fixture
def by_pattern(bot: Bot) -> Iterator[Bot]:
    """A bot for which channels named inc-* are incident channels."""
    bot.web.channels.set([("inc-*", "incident", "on")], by="U")
    yield bot
    bot.web.channels.reset("inc-*")


def test_a_channel_of_an_incident_is_joined_and_greeted_once(by_pattern: Bot) -> None:
    bot = by_pattern
    channel = bot.slack.create_channel("inc-2041")
    bot.slack.wait_for(lambda: _greetings(bot, channel) or None)
    bot.slack.remove(channel)
    bot.slack.invite(channel)
    bot.slack.wait_for(lambda: len(bot.slack.deliveries()) >= 3 or None)
    bot.settle()
    assert [GREETING in text for text in _greetings(bot, channel)] == [True]


def test_a_channel_that_becomes_one_of_an_incident_is_greeted_anew(by_pattern: Bot) -> None:
    bot = by_pattern
    channel = bot.slack.create_channel("payments-slow")
    bot.slack.invite(channel)
    bot.slack.wait_for(lambda: _greetings(bot, channel) or None)
    bot.slack.rename_channel(channel, "inc-2042")
    told = bot.slack.wait_for(lambda: found if len(found := _greetings(bot, channel)) == 2 else None)
    assert [GREETING in text for text in told] == [False, True]


def test_other_people_who_come_are_not_greeted(bot: Bot) -> None:
    bot.slack.remove(HERE, "ada")
    bot.slack.invite(HERE, "ada")
    bot.slack.wait_for(lambda: bot.slack.deliveries() or None)
    bot.settle()
    assert _greetings(bot, HERE) == []


TRIAGED = {
    "an alert": ("[FIRING:1] KubePodNotReady (shop redis-0 warning)", "why host shop/redis-0"),
    "a question": ("shop/frontend cannot reach shop/cart on 8080", "why shop/frontend shop/cart 8080"),
}


@pytest.mark.parametrize(("text", "question"), TRIAGED.values(), ids=TRIAGED)
def test_a_message_is_triaged_in_its_thread(bot: Bot, text: str, question: str) -> None:
    message = bot.slack.say("grace", HERE, text)
    bot.slack.shortcut("ada", "triage", message)
    assert [ticket.text for ticket in bot.asked()] == [question]
    assert [reply["text"] for reply in bot.slack.replies(message)] == [f"Looking into {question} …"]


def test_a_message_in_which_nothing_is_stays_as_it_is(bot: Bot) -> None:
    message = bot.slack.say("grace", HERE, "lunch?")
    bot.slack.shortcut("ada", "triage", message)
    assert "nothing in this message" in bot.said_to("ada", HERE)
    assert bot.slack.replies(message) == []


def test_rules_and_a_receiver_come_as_files(bot: Bot) -> None:
    bot.slack.say("grace", HERE, "@cilium alerts setup")
    bot.slack.wait_for(lambda: [m for m in bot.slack.messages(HERE) if "alerts are posted to" in m["text"]] or None)
    rules, receiver = (yaml.safe_load(content) for _, content in bot.slack.files())
    assert rules["kind"] == "PrometheusRule"
    (hook,) = receiver["receivers"][0]["webhook_configs"]
    assert hook["url"] == "http://cilium-triage-web.cilium-triage.svc:3000/alerts?channel=C0INCIDENT"


def test_alerts_knows_setup_alone() -> None:
    with pytest.raises(NotUnderstoodError):
        parse("teardown")
