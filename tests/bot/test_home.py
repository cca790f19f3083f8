"""App Home: what was answered, what is set, what can be asked; what could not be read is said."""

from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisGoneError

from bot.guard import Guard, Rules
from bot.home import Homes, Section
from bot.listeners.form import SHORTCUT
from bot.orders import ORDERS
from bot.publish import Publisher
from bot.render.home import Home, Part, Recent, home_view
from bot.reports import Reports
from bot.slack_client import slack_client
from bot.surface import Answer
from bot.surfaces import surfaces
from bot.surfaces.slack import address_of, where_of
from bot.where import Where
from handlers.catalogue import CATALOGUE
from tests.bot import samples
from tests.bot.conftest import Bot
from tools.playground.limits import view_violations

HERE = "#incident-42"
LONG = "why " + "x" * 400


def drawn(home: Home) -> dict[str, Any]:
    return home_view(home, CATALOGUE.commands, ORDERS, SHORTCUT)


def recent(**changes: Any) -> Recent:
    report = replace(samples.blocked_on_both_sides(), **changes)
    return Recent(report, "0123", "C0INCIDENT", samples.NOON, "https://slack.example/archives/C0/p1")


def words_of(view: dict[str, Any]) -> str:
    return "\n".join(str(block.get("text", block.get("elements", ""))) for block in view["blocks"])


def test_an_answer_stands_in_the_home_of_who_asked_and_nobody_elses(bot: Bot) -> None:
    bot.slack.say("ada", HERE, "@cilium why shop/loadgen payments/checkout-api 443")
    (ticket,) = bot.asked()
    reports = Reports(bot.queue.redis)
    where = where_of(ticket)
    reports.answered(where, reports.save(samples.blocked_on_both_sides()))
    reports.answered_health(where, reports.save(replace(samples.drops(), question="health")))
    bot.slack.open_home("ada")
    mine = words_of(bot.slack.wait_for(lambda: bot.slack.home("ada")))
    assert "why shop/loadgen payments/checkout-api 443" in mine
    assert f"/archives/C0INCIDENT/p{where.placeholder_ts.replace('.', '')}" not in mine, "the playground has no https"
    assert "<#C0INCIDENT>" in mine
    bot.slack.open_home("marco")
    others = words_of(bot.slack.wait_for(lambda: bot.slack.home("marco")))
    assert "None within the day." in others
    assert "Health at a glance" in others
    assert "Nothing to show" not in others
    assert "Channels" not in others, "operators see what is set"


def test_a_button_in_home_asks_in_the_direct_conversation(bot: Bot) -> None:
    bot.slack.open_home("ada")
    home = bot.slack.wait_for(lambda: bot.slack.home("ada"))
    (row,) = [block for block in home["blocks"] if block["type"] == "actions"]
    health = next(button for button in row["elements"] if button["value"] == "health")
    bot.slack.click_in_home("ada", health["action_id"])
    (ticket,) = bot.asked()
    assert where_of(ticket).channel == "D0ADA00001"
    assert where_of(ticket).placeholder_ts in [one["ts"] for one in bot.slack.messages("D0ADA00001")]
    assert address_of(where_of(ticket)) == ticket.address


def test_who_may_not_ask_sees_why_and_nothing_else() -> None:
    said = words_of(drawn(Home((), objection="I may not answer you here.")))
    assert "I may not answer you here." in said
    assert ["Your answers" in said, "Health at a glance" in said, "Ask …" in said] == [False, False, False]


PARTS = {
    "nothing known": (Home(()), ["None within the day.", "Nothing to show of the last day"]),
    "Redis is gone": (
        Home(None, None),
        ["answers*\\n❓ It could not be", "glance*\\n❓ It could not be"],
    ),
    "a part that is unread": (
        Home((), parts=[Part("Digests", (), "none", is_unread=True)]),
        ["*Digests*\\n❓ It"],
    ),
    "a part that is empty": (Home((), parts=[Part("Digests", (), "No digest.")]), ["*Digests*\\nNo digest."]),
    "hostile titles": (Home((), parts=[Part("<!here>", ("a",), "")]), ["*&lt;!here&gt;*"]),
    "a link of Slack's": (Home((recent(),)), ["^https://slack.example/archives/C0/p1|2026-11-20 12:26 UTC>"]),
}


@pytest.mark.parametrize(("home", "expected"), PARTS.values(), ids=PARTS.keys())
def test_each_part_says_what_it_has_and_what_could_not_be_read(home: Home, expected: list[str]) -> None:
    said = words_of(drawn(home))
    assert [words for words in expected if words not in said] == []


def test_a_full_page_is_within_slacks_limits_and_leaves_nothing_out_in_silence() -> None:
    parts = [Part(f"Part {index}", [f"{line} " + "y" * 500 for line in range(100)], "none") for index in range(4)]
    view = drawn(Home([recent(question=LONG)] * 30, [recent()], parts, drawn_at=samples.NOON))
    assert view_violations(view) == []
    said = words_of(view)
    assert said.count(LONG[:100]) == 5
    assert said.count("more, the command lists them all") == 4
    assert "drawn again when it is opened" in said


def test_a_part_whose_store_is_away_is_said_to_be_unread_and_the_others_stand(bot: Bot) -> None:
    def gone(_where: Where) -> list[str]:
        raise RedisGoneError

    sections = [Section("Digests", "none", gone), Section("Mutes", "none", lambda where: [where.user])]
    guard = Guard(Rules(frozenset({"T1"})), bot.queue.redis, lambda _group: frozenset())
    publisher = Publisher(slack_client(bot.slack.settings.bot_token, bot.slack.api_url))
    homes = Homes(guard, Reports(bot.queue.redis), publisher, sections)
    parts = [(part.title, part.is_unread, list(part.lines)) for part in homes.of("T1", "U1").parts]
    assert parts == [("Digests", True, []), ("Mutes", False, ["U1"])]
    assert homes.of("T2", "U1").objection.startswith("I may not answer people of other workspaces")


@pytest.mark.parametrize("are_rights_on", [False, True], ids=["nobody decides", "rights decide"])
def test_an_answer_about_health_is_shown_to_others_only_where_no_rights_decide(bot: Bot, are_rights_on: bool) -> None:
    bot.slack.say("ada", "@cilium", "health")
    (ticket,) = bot.asked()
    publisher = Publisher(slack_client(bot.slack.settings.bot_token, bot.slack.api_url))
    reports = Reports(bot.queue.redis)
    report = replace(samples.drops(), question="health")
    told = surfaces(publisher, bot.queue.redis, prefix="cilium-triage", are_rights_on=are_rights_on)
    told.answer(ticket, Answer(report, reports.save(report)))
    assert len(reports.latest_health(where_of(ticket).home)) == (0 if are_rights_on else 1)
    assert [given.report.question for given in reports.latest_of(where_of(ticket).home, bot.user("ada"))] == ["health"]
