"""From Slack to the queue: commands, mentions, direct messages, buttons, incidents, as people make them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from bot.publish import Publisher
from bot.render.report import report_message
from bot.reports import Reports
from bot.surfaces.slack import where_of
from bot.where import Via
from tests.bot import samples
from tests.bot.conftest import Bot

QUESTION = "why shop/frontend shop/cart 8080"
HERE = "#incident-42"
INCIDENTS = "#platform"
ELSEWHERE = "#random"
"""The bot is no member there."""


def test_a_command_is_acknowledged_with_nothing_and_gets_a_placeholder_for_all_to_see(bot: Bot) -> None:
    receipt = bot.slack.command("ada", HERE, "/cilium", QUESTION)
    assert receipt["acknowledged"]
    assert receipt["payload"] is None
    (ticket,) = bot.asked()
    (placeholder,) = [m for m in bot.slack.messages(HERE) if m["ts"] == where_of(ticket).placeholder_ts]
    assert placeholder["text"] == f"Looking into {ticket.text} …"
    assert placeholder["only_for"] is None
    assert f"<@{bot.user('ada')}> asked." in placeholder["blocks"][0]["text"]["text"]
    assert where_of(ticket).via is Via.COMMAND
    assert (ticket.command, ticket.fresh) == ("why", False)


def test_a_mention_is_answered_in_a_thread_of_its_own(bot: Bot) -> None:
    asked = bot.slack.say("ada", HERE, f"@cilium {QUESTION}")
    (ticket,) = bot.asked()
    assert where_of(ticket).thread_ts == asked["ts"]
    assert [reply["text"] for reply in bot.slack.replies(asked)] == [f"Looking into {ticket.text} …"]


def test_a_mention_in_a_thread_is_answered_in_that_thread(bot: Bot) -> None:
    root = bot.slack.say("grace", HERE, "the shop is down")
    bot.slack.say("ada", HERE, f"@cilium {QUESTION}", thread_ts=root["ts"])
    (ticket,) = bot.asked()
    assert where_of(ticket).thread_ts == root["ts"]


def test_a_fragment_in_a_thread_is_read_from_the_question_above_it(bot: Bot) -> None:
    root = bot.slack.say("ada", HERE, f"@cilium {QUESTION}")
    bot.asked()
    bot.settle()
    bot.slack.say("grace", HERE, "@cilium and on 9090?", thread_ts=root["ts"])
    assert bot.asked(2)[-1].text == "why shop/frontend shop/cart 9090"


def test_a_fragment_elsewhere_is_read_from_nothing(bot: Bot) -> None:
    bot.slack.say("ada", HERE, f"@cilium {QUESTION}")
    bot.asked()
    bot.settle()
    asked = bot.slack.say("grace", HERE, "@cilium and on 9090?")
    assert bot.slack.wait_for(lambda: bot.slack.replies(asked))
    assert len(bot.queue.tickets()) == 1


WORDINGS = {
    "a sentence": "@cilium why can't shop/frontend reach shop/cart on 8080?",
    "the mention at the end": f"{QUESTION} @cilium",
    "a colon after the mention": f"@cilium: {QUESTION}",
    "back-ticks": f"@cilium `{QUESTION}`",
}


@pytest.mark.parametrize("story", WORDINGS)
def test_a_mention_may_be_worded_as_people_do(bot: Bot, story: str) -> None:
    bot.slack.say("ada", HERE, WORDINGS[story])
    (ticket,) = bot.asked()
    assert ticket.text.startswith("why shop/frontend shop/cart 8080")


def test_a_direct_message_needs_no_mention_and_no_thread(bot: Bot) -> None:
    bot.slack.say("ada", "@cilium", QUESTION)
    (ticket,) = bot.asked()
    assert where_of(ticket).via is Via.DIRECT
    assert where_of(ticket).thread_ts is None


def test_in_a_thread_of_a_direct_conversation_a_status_stands_for_the_placeholder(bot: Bot) -> None:
    first = bot.slack.say("ada", "@cilium", "what is this?")
    bot.slack.wait_for(lambda: len(bot.slack.messages("U0ADA00001")) > 1)
    asked = bot.slack.say("ada", "@cilium", QUESTION, thread_ts=first["ts"])
    (ticket,) = bot.asked()
    assert (where_of(ticket).placeholder_ts, where_of(ticket).thread_ts) == ("", first["ts"])
    assert [status["status"] for status in bot.slack.statuses()] == ["is looking into it …"]
    assert [one["ts"] for one in bot.slack.replies(first)] == [asked["ts"]]


def test_fresh_is_asked_for_in_the_question(bot: Bot) -> None:
    bot.slack.command("ada", HERE, "/cilium", f"{QUESTION} fresh")
    (ticket,) = bot.asked()
    assert ticket.fresh


@pytest.mark.parametrize("words", ["help", " HELP ", "?"], ids=["help", "loud help", "a question mark"])
def test_help_comes_with_the_acknowledgement_for_the_asker_alone(bot: Bot, words: str) -> None:
    receipt = bot.slack.command("ada", HERE, "/cilium", words)
    assert receipt["payload"]["response_type"] == "ephemeral"
    assert "/cilium why A B" in receipt["payload"]["text"]


def test_half_a_question_gets_the_usage_for_the_asker_alone(bot: Bot) -> None:
    bot.slack.command("ada", HERE, "/cilium", "why shop/frontend")
    assert "Name two ends" in bot.said_to("ada", HERE)
    assert bot.queue.tickets() == []


NONSENSE = {
    "words": "make me a sandwich",
    "an endless line": "x " * 3000,
    "symbols": "((( `<@!>` &amp; ]]]",
    "another alphabet": "почему магазин не работает",
}


@pytest.mark.parametrize("story", NONSENSE)
def test_nonsense_gets_a_reply_for_the_asker_alone_and_no_run(bot: Bot, story: str) -> None:
    assert bot.slack.command("ada", HERE, "/cilium", NONSENSE[story])["acknowledged"]
    assert bot.said_to("ada", HERE)
    assert bot.queue.tickets() == []


def test_a_mention_that_asks_nothing_gets_the_usage_in_its_thread(bot: Bot) -> None:
    asked = bot.slack.say("ada", HERE, "@cilium why shop/frontend")
    (reply,) = bot.slack.wait_for(lambda: bot.slack.replies(asked))
    assert "Name two ends" in reply["text"]


def test_a_mention_alone_gets_help(bot: Bot) -> None:
    asked = bot.slack.say("ada", HERE, "@cilium")
    (reply,) = bot.slack.wait_for(lambda: bot.slack.replies(asked))
    assert "/cilium why A B" in reply["text"]


def test_a_suggestion_is_a_button_that_asks(bot: Bot) -> None:
    asked = bot.slack.say("ada", HERE, "@cilium no connection between shop/frontend and shop/cart")
    (reply,) = bot.slack.wait_for(lambda: bot.slack.replies(asked))
    suggestion = next(block for block in reply["blocks"] if block["type"] == "actions")["elements"][0]
    bot.slack.click(reply, suggestion["action_id"], "grace")
    (ticket,) = bot.asked()
    assert where_of(ticket).user == bot.user("grace")
    assert where_of(ticket).thread_ts == asked["ts"]


@pytest.mark.parametrize("kind", ["slash_commands", "events_api"])
def test_what_is_delivered_twice_counts_once(bot: Bot, kind: str) -> None:
    bot.slack.cause(duplicates={kind: 2})  # a mention is delivered as a message as well
    if kind == "slash_commands":
        bot.slack.command("ada", HERE, "/cilium", QUESTION)
    else:
        bot.slack.say("ada", HERE, f"@cilium {QUESTION}")
    bot.queue.wait()
    what = {"slash_commands": "/cilium", "events_api": "app_mention"}[kind]
    bot.slack.wait_for(lambda: len([d for d in bot.slack.deliveries() if what in d["what"]]) >= 2)
    bot.settle()
    assert len(bot.queue.tickets()) == 1
    assert len(bot.slack.calls("chat.postMessage")) == 1


def test_people_who_ask_the_same_share_one_run_and_each_has_a_placeholder(bot: Bot) -> None:
    for name in ("ada", "grace"):
        bot.slack.command(name, HERE, "/cilium", QUESTION)
    bot.settle()
    assert len(bot.slack.calls("chat.postMessage")) == 2
    assert len(bot.queue.tickets()) == 1


def test_fifty_questions_at_once_are_all_acknowledged_within_a_second_and_queued(bot: Bot) -> None:
    people = ("ada", "grace", "marco")

    def ask(number: int) -> bool:
        receipt = bot.slack.command(people[number % 3], HERE, "/cilium", f"why shop/frontend shop/cart {8000 + number}")
        return bool(receipt["acknowledged"])

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(ask, range(50)))
    took = [delivery["milliseconds"] for delivery in bot.slack.deliveries() if delivery["kind"] == "slash_commands"]
    assert len(took) == 50
    assert max(took) < 1000
    assert len(bot.asked(50)) == 50


def test_in_a_channel_without_the_bot_the_asker_is_told_what_to_do(bot: Bot) -> None:
    bot.slack.command("ada", ELSEWHERE, "/cilium", QUESTION)
    assert "/invite @" in bot.said_to("ada", ELSEWHERE)
    assert bot.queue.tickets() == []


# -- edits, other bots, incidents ----------------------------------------------------------------------------------


def test_an_edit_that_changes_the_question_asks_the_new_one(bot: Bot) -> None:
    asked = bot.slack.say("ada", "@cilium", QUESTION)
    bot.asked()
    bot.slack.edit(asked, "why shop/frontend shop/cart 9090")
    first, second = bot.asked(2)
    assert first.text != second.text


def test_an_edit_that_changes_nothing_that_is_asked_asks_nothing(bot: Bot) -> None:
    asked = bot.slack.say("ada", "@cilium", QUESTION)
    bot.asked()
    bot.slack.edit(asked, f"please: {QUESTION}")
    bot.slack.wait_for(lambda: any("message_changed" in d["what"] for d in bot.slack.deliveries()))
    bot.settle()
    assert len(bot.queue.tickets()) == 1


def test_the_bots_own_edits_ask_nothing(bot: Bot) -> None:
    bot.slack.say("ada", "@cilium", QUESTION)
    (ticket,) = bot.asked()
    Publisher(bot.web.app.client).answer(where_of(ticket), report_message(samples.open_and_seen()))
    bot.slack.wait_for(lambda: any("message_changed" in d["what"] for d in bot.slack.deliveries()))
    bot.settle()
    assert len(bot.queue.tickets()) == 1


def test_in_an_incident_channel_a_question_needs_no_mention(bot: Bot) -> None:
    asked = bot.slack.say("marco", INCIDENTS, "why can't shop/frontend reach shop/cart on 8080?")
    (ticket,) = bot.asked()
    assert where_of(ticket).via is Via.INCIDENT
    assert where_of(ticket).thread_ts == asked["ts"]


def test_a_mention_in_an_incident_channel_counts_once(bot: Bot) -> None:
    bot.slack.say("marco", INCIDENTS, f"@cilium {QUESTION}")
    bot.settle()
    bot.asked()
    bot.settle()
    assert len(bot.queue.tickets()) == 1


CHATTER = {
    "talk": "is anybody looking at this?",
    "a statement with two names": "moved shop/frontend to payments/checkout",
    "half a question": "why shop/frontend",
}


@pytest.mark.parametrize("story", CHATTER)
def test_in_an_incident_channel_talk_is_passed_over_in_silence(bot: Bot, story: str) -> None:
    bot.slack.say("marco", INCIDENTS, CHATTER[story])
    bot.slack.wait_for(bot.slack.deliveries)
    bot.settle()
    assert bot.queue.tickets() == []
    assert bot.slack.calls("chat.postMessage") == []


def test_outside_of_incident_channels_a_question_without_a_mention_is_not_for_the_bot(bot: Bot) -> None:
    bot.slack.say("marco", HERE, "why can't shop/frontend reach shop/cart on 8080?")
    bot.slack.wait_for(bot.slack.deliveries)
    bot.settle()
    assert bot.queue.tickets() == []


def test_the_bot_does_not_listen_to_itself(bot: Bot) -> None:
    bot.web.app.client.chat_postMessage(channel="C0PLATFORM", text=f"{QUESTION}?")
    bot.slack.wait_for(bot.slack.deliveries)
    bot.settle()
    assert bot.queue.tickets() == []


# -- buttons ---------------------------------------------------------------------------------------------------------


def answered(bot: Bot, report_id: str) -> dict[str, Any]:
    """A placeholder that has its answer."""
    bot.slack.command("ada", HERE, "/cilium", QUESTION)
    (ticket,) = bot.asked()
    shown = report_message(samples.blocked_on_both_sides(), report_id=report_id)
    Publisher(bot.web.app.client).answer(where_of(ticket), shown)
    return next(m for m in bot.slack.messages(HERE) if m["ts"] == where_of(ticket).placeholder_ts)


def test_buttons_show_the_evidence_as_a_file_and_the_patch_to_read_and_to_apply(bot: Bot) -> None:
    answer = answered(bot, Reports(bot.queue.redis).save(samples.blocked_on_both_sides()))
    for action_id in ("evidence", "patch"):
        assert bot.slack.click(answer, action_id)["acknowledged"]
    replies = bot.slack.wait_for(lambda: found if len(found := bot.slack.replies(answer)) == 3 else [])
    files = dict(bot.slack.files())
    assert b"CiliumNetworkPolicy/shop/loadgen-dns-only /spec/egress" in files["evidence.txt"]
    assert b"kind: CiliumNetworkPolicy" in files["patch.yaml"]
    assert b"695: shop/loadgen-7d654f56fb-ddrcg [k8s:app=loadgen]" in files["evidence.txt"]
    assert any("Let shop/loadgen reach payments/checkout-api" in reply["text"] for reply in replies)
    assert all(reply["text"] for reply in replies)


def test_asking_again_skips_the_cache_and_answers_in_the_thread(bot: Bot) -> None:
    answer = answered(bot, "gone")
    bot.slack.click(answer, "ask_again", "grace")
    _, again = bot.asked(2)
    assert again.fresh
    assert where_of(again).thread_ts == answer["ts"]
    assert where_of(again).via is Via.BUTTON


def test_a_button_under_an_old_answer_says_what_to_do(bot: Bot) -> None:
    bot.slack.click(answered(bot, "gone"), "evidence")
    assert "I no longer have the facts" in bot.said_to("ada", HERE)


def test_a_button_pressed_twice_in_a_hurry_counts_once(bot: Bot) -> None:
    answer = answered(bot, Reports(bot.queue.redis).save(samples.blocked_on_both_sides()))
    for _ in range(2):
        bot.slack.click(answer, "patch")
    bot.slack.wait_for(lambda: bot.slack.files())
    bot.settle()
    assert len(bot.slack.files()) == 1


def test_who_may_not_ask_may_not_see_the_evidence_either(bot: Bot) -> None:
    operators_only = replace(samples.blocked_on_both_sides(), command="retired")
    answer = answered(bot, Reports(bot.queue.redis).save(operators_only))
    bot.slack.click(answer, "evidence")
    assert "it is for operators" in bot.said_to("ada", HERE)
    assert bot.slack.files() == []
