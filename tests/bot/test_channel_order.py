"""``/cilium channel``: what is set of channels in Slack, shown, taken away and handed on."""

import json
from datetime import UTC, datetime

import pytest

from bot.channel_rules import Said
from bot.orders.channel import ORDER, Do, Wanted, attach, parse
from bot.render.channel import channel_message, everything_message, exported_message
from handlers.commands.command import NotUnderstoodError, Role
from handlers.model.attachment import Attachment
from tests.bot.conftest import Bot

HERE = "#incident-42"
ROOM = "C0INCIDENT"


def _set(setting: str, words: str, target: str = "") -> Wanted:
    return Wanted(Do.SET, target, (("", setting, words),))


READ: dict[str, Wanted] = {
    "": Wanted(Do.SHOW),
    "show": Wanted(Do.SHOW),
    "inc-*": Wanted(Do.SHOW, "inc-*"),
    "<#C0INCIDENT|incident-42> show": Wanted(Do.SHOW, ROOM),
    "<#C0INCIDENT> incident on": _set("incident", "on", ROOM),
    "incident off": _set("incident", "off"),
    "verbose": _set("verbosity", "verbose"),
    "quiet": _set("verbosity", "quiet"),
    "verbosity quiet": _set("verbosity", "quiet"),
    "#quiet quiet": _set("verbosity", "quiet", "quiet"),
    "inc-* Quiet hours 22:00-07:00 Europe/Berlin": _set("quiet hours", "22:00-07:00 Europe/Berlin", "inc-*"),
    "quiet 22:00-07:00": _set("quiet hours", "22:00-07:00 UTC"),
    "quiet hours 22-7 Berlin": _set("quiet hours", "22:00-07:00 Europe/Berlin"),
    "quiet hours from 10pm to 6:30am in New York": _set("quiet hours", "22:00-06:30 America/New_York"),
    "quiet hours off": _set("quiet hours", "none"),
    "quiet hours none": _set("quiet hours", "none"),
    "cluster prod": _set("cluster", "prod"),
    "audience user=oncall group=sre": _set("audience", "user=oncall group=sre"),
    "alerts severity=critical  namespace=shop": _set("alerts", "severity=critical namespace=shop"),
    "reset": Wanted(Do.RESET),
    "inc-* reset": Wanted(Do.RESET, "inc-*"),
    "export": Wanted(Do.EXPORT),
}


@pytest.mark.parametrize(("words", "wanted"), READ.items(), ids=[words or "nothing" for words in READ])
def test_words_say_what_is_to_be_done(words: str, wanted: Wanted) -> None:
    assert parse(words) == wanted


@pytest.mark.parametrize(
    "words",
    ["loud", "inc-* loud", "incident", "incident maybe", "quiet hours 25:00-26:00", "reset all", "cluster", "<#C0>>"],
)
def test_what_cannot_be_done_is_asked_back(words: str) -> None:
    with pytest.raises(NotUnderstoodError):
        parse(words)


def test_what_is_imported_is_what_came_with_the_words() -> None:
    brought = Attachment("a", json.dumps({"inc-*": {"incident": "on", "cluster": "prod"}}))
    wanted = attach(parse("import"), [brought])
    assert wanted.settings == (("inc-*", "incident", "on"), ("inc-*", "cluster", "prod"))


@pytest.mark.parametrize("brought", ["", "[" * 100_000, "[]", '{"inc-*": "on"}', '{"inc-*": {"incident": "maybe"}}'])
def test_what_cannot_be_imported_is_refused(brought: str) -> None:
    with pytest.raises(NotUnderstoodError):
        attach(parse("import"), [Attachment("a", brought)])


def test_it_is_for_operators() -> None:
    assert ORDER.role is Role.OPERATOR


AT = datetime(2026, 11, 21, 14, 0, tzinfo=UTC).isoformat()


def test_each_setting_says_where_it_comes_from() -> None:
    said = [Said("inc-*", "incident", "on"), Said(ROOM, "cluster", "prod", "UADA", AT), Said(ROOM, "audience", "")]
    shown = channel_message(ROOM, said, unread="the <!here> name")
    assert shown.blocks[0]["text"]["text"].splitlines() == [
        "*<#C0INCIDENT>*",
        "• incident channel: `on` _of `inc-*`, from the environment_",
        "• verbosity: normal _by default_",
        "• quiet hours: none _by default_",
        "• cluster: `prod` _by `UADA` 2026-11-21 14:00 UTC_",
        "• audience: cannot be read; `reset` it _here_",
        "• alerts: none _by default_",
    ]
    assert "&lt;!here&gt;" in shown.blocks[1]["elements"][0]["text"]
    buttons = [one["value"] for one in shown.blocks[2]["elements"]]
    assert buttons == [f"channel {ROOM} {order}" for order in ("incident off", "verbose", "quiet")]


def test_all_channels_are_shown_by_what_is_set_of_them() -> None:
    said = [Said("inc-*", "incident", "on"), Said("inc-*", "verbosity", "quiet"), Said(ROOM, "cluster", "prod")]
    assert everything_message(said).text == "inc-*: incident on, verbosity quiet; C0INCIDENT: cluster prod"
    assert "Nothing is set" in everything_message([]).text


def test_what_does_not_fit_into_a_message_is_known() -> None:
    assert exported_message("{}", count=0).is_whole
    assert not exported_message("x\n" * 20_000, count=9).is_whole


def test_a_channel_becomes_an_incident_channel_and_hands_its_settings_on(bot: Bot) -> None:
    bot.slack.command("ada", HERE, "/cilium", "channel incident on")
    assert "for operators" in bot.said_to("ada", HERE)
    bot.slack.reset()
    bot.slack.command("grace", HERE, "/cilium", "channel incident on")
    assert "incident on" in bot.said_to("grace", HERE)
    greeted = bot.slack.wait_for(lambda: [m for m in bot.slack.messages(HERE) if "incident channel" in m["text"]])
    assert len(greeted) == 1
    bot.slack.say("ada", HERE, "why shop/frontend shop/cart 8080")
    assert bot.asked()[0].text == "why shop/frontend shop/cart 8080"
    bot.slack.say("grace", HERE, '@cilium channel import ```{"inc-*": {"cluster": "prod"}}```')
    replies = bot.slack.wait_for(lambda: [m for m in bot.slack.messages(HERE) if "settings of channels" in m["text"]])
    exported = json.loads(replies[-1]["blocks"][1]["text"]["text"].strip("`"))
    assert exported == {"C0PLATFORM": {"incident": "on"}, ROOM: {"incident": "on"}, "inc-*": {"cluster": "prod"}}
    for target in ("inc-*", "#incident-42"):
        bot.slack.say("grace", HERE, f"@cilium channel {target} reset")
    bot.settle()
    assert [one.target for one in bot.web.channels.everything()] == ["C0PLATFORM"]
