"""What comes with a question in Slack: pasted, dropped beside it, or earlier in its thread."""

from dataclasses import replace

import pytest

from bot.publish import Publisher
from bot.render.report import report_message
from bot.surfaces.slack import where_of
from handlers.catalogue import understand
from tests.bot.conftest import Bot
from tests.bot.samples import open_and_seen

HERE = "#incident-42"
POLICY = (
    "kind: CiliumNetworkPolicy\nmetadata: {name: cart, namespace: shop}\n"
    "spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {a: b}}]}]}\n"
)
CONTRACT = "deny: [world -> shop/cart 8080/TCP]\n"


@pytest.mark.parametrize("question", ["lint shop", "reach shop/cart", "matrix shop"])
def test_a_question_about_the_whole_cluster_is_taken(bot: Bot, question: str) -> None:
    bot.slack.command("ada", HERE, "/cilium", question)
    (ticket,) = bot.asked()
    assert (ticket.text, ticket.attachments) == (question, ())


@pytest.mark.parametrize(("command", "content"), [("whatif", POLICY), ("check", CONTRACT)])
def test_what_is_pasted_in_a_code_block_comes_with_the_question(bot: Bot, command: str, content: str) -> None:
    bot.slack.say("ada", HERE, f"@cilium {command}\n```\n{content}```")
    (ticket,) = bot.asked()
    assert ticket.text == command
    assert [item.content for item in ticket.attachments] == [content]
    assert understand(ticket.text, ticket.attachments).command.name == command


@pytest.mark.parametrize(("command", "content"), [("whatif", POLICY), ("check", CONTRACT)])
def test_what_is_dropped_as_a_file_comes_with_the_question(bot: Bot, command: str, content: str) -> None:
    bot.slack.say("ada", HERE, f"@cilium {command}", files={"a.yaml": content.encode()})
    (ticket,) = bot.asked()
    assert [(item.name, item.content) for item in ticket.attachments] == [("a.yaml", content)]


def test_a_file_earlier_in_the_thread_is_meant(bot: Bot) -> None:
    root = bot.slack.say("grace", HERE, "here it is", files={"a.yaml": POLICY.encode()})
    bot.slack.say("ada", HERE, "@cilium whatif", thread_ts=root["ts"])
    (ticket,) = bot.asked()
    assert [item.name for item in ticket.attachments] == ["a.yaml"]


def test_a_command_takes_a_code_block(bot: Bot) -> None:
    bot.slack.command("ada", HERE, "/cilium", f"whatif ```{POLICY}```")
    (ticket,) = bot.asked()
    assert "fromEndpoints" in ticket.attachments[0].content


def test_without_policies_the_asker_learns_how_to_give_them(bot: Bot) -> None:
    bot.slack.command("ada", HERE, "/cilium", "whatif")
    assert "code block" in bot.said_to("ada", HERE)
    assert bot.queue.tickets() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "is no text"),
        (b"a: &a [x]\nb: [*a]\n", "aliases"),
        (b"kind: ConfigMap\n", "no policy"),
        (b"x" * (257 * 1024), "larger than 256 KiB"),
    ],
    ids=["bytes", "aliases", "no policy", "too large"],
)
def test_a_file_that_cannot_be_used_is_named(bot: Bot, content: bytes, words: str) -> None:
    asked = bot.slack.say("ada", HERE, "@cilium whatif", files={"odd.yaml": content})
    (reply,) = bot.slack.wait_for(lambda: bot.slack.replies(asked))
    assert words in reply["text"]
    assert bot.queue.tickets() == []


def test_a_file_beside_another_question_is_not_read(bot: Bot) -> None:
    bot.slack.say("ada", HERE, "@cilium lint shop", files={"odd.yaml": b"\xff"})
    (ticket,) = bot.asked()
    assert ticket.attachments == ()


def test_an_edit_that_changes_only_the_policies_asks_again(bot: Bot) -> None:
    asked = bot.slack.say("ada", "@cilium", f"whatif\n```\n{POLICY}```")
    bot.asked(1)
    bot.slack.edit(asked, f"whatif\n```\n{POLICY.replace('cart', 'web')}```")
    assert len({ticket.key for ticket in bot.asked(2)}) == 2


@pytest.mark.parametrize("asked", ["whatif", "check"])
def test_asking_again_brings_what_came_with_the_question(bot: Bot, asked: str) -> None:
    content = POLICY if asked == "whatif" else CONTRACT
    bot.slack.say("ada", HERE, f"@cilium {asked}\n```\n{content}```")
    (first,) = bot.asked()
    where = where_of(first)
    Publisher(bot.web.app.client).answer(where, report_message(replace(open_and_seen(), question=first.text)))
    (answer,) = [item for item in bot.slack.messages(HERE) if item["ts"] == where.placeholder_ts]
    bot.slack.click(answer, "ask_again", "grace")
    again = bot.asked(2)[-1]
    assert (again.fresh, again.attachments) == (True, first.attachments)
