"""What is written to Slack arrives, once, however Slack behaves."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.publish import NotInChannelError, Publisher, SlackUnavailableError, UndeliverableError
from bot.render.blocks import Message, bar_chart, section, table
from bot.slack_client import slack_client
from bot.where import Via, Where
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits
from tools.playground.server import Playground, running_playground

HERE = "C0INCIDENT"
ADA = "U0ADA00001"


@pytest.fixture(scope="module")
def workspace() -> Iterator[Playground]:
    with running_playground(installed(rates=RateLimits(enforced=False))) as running:
        yield running


@pytest.fixture
def slack(workspace: Playground) -> Playground:
    workspace.reset()
    return workspace


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def publisher(slack: Playground, clock: Clock) -> Publisher:
    token = slack.settings.bot_token
    return Publisher(
        slack_client(token, slack.api_url),
        slack_client(token, slack.api_url, patient=False),
        clock=clock,
        sleep=clock.sleep,
    )


def said(words: str) -> Message:
    return Message(words, (section(words),))


def asked(**others: Any) -> Where:
    return replace(Where("T1", HERE, ADA, Via.MENTION), **others)


def texts(slack: Playground, channel: str = HERE) -> list[str]:
    return [message["text"] for message in slack.messages(channel)]


def test_an_answer_takes_the_place_of_its_placeholder(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    assert publisher.answer(where, said("Open")) == where
    assert texts(slack) == ["Open"]


def test_publishing_the_same_answer_again_makes_no_second_message(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    for _ in range(3):
        publisher.answer(where, said("Open"))
    assert texts(slack) == ["Open"]


def test_a_deleted_placeholder_is_replaced_once_in_the_same_thread(publisher: Publisher, slack: Playground) -> None:
    root = slack.say("ada", HERE, "why?")
    where = publisher.placeholder(asked(thread_ts=root["ts"]), said("Looking"))
    slack_client(slack.settings.bot_token, slack.api_url).chat_delete(channel=HERE, ts=where.placeholder_ts)
    moved = publisher.answer(where, said("Open"))
    again = publisher.answer(where, said("Open"))
    assert moved == again
    assert [reply["text"] for reply in slack.replies(root)] == ["Open"]


def test_links_are_not_unfurled_and_nobody_is_called(publisher: Publisher, slack: Playground) -> None:
    publisher.placeholder(asked(), Message("see https://example.com @channel <!here>", (section("see &lt;!here&gt;"),)))
    (message,) = slack.messages(HERE)
    assert "attachments" not in message or not message["attachments"]
    assert message["blocks"][0]["text"]["verbatim"] is True


def test_a_429_is_waited_out(publisher: Publisher, slack: Playground) -> None:
    slack.cause(rate_limited={"chat.postMessage": 1, "chat.update": 1}, retry_after=0)
    where = publisher.placeholder(asked(), said("Looking"))
    publisher.answer(where, said("Open"))
    assert texts(slack) == ["Open"]


def test_a_server_error_on_an_edit_is_tried_again(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    slack.cause(api_errors={"chat.update": ["internal_error", "fatal_error"]})
    publisher.answer(where, said("Open"))
    assert texts(slack) == ["Open"]


def test_an_error_that_stays_is_told_as_passing(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    slack.cause(api_errors={"chat.update": ["internal_error"] * 10})
    with pytest.raises(SlackUnavailableError, match="internal_error"):
        publisher.answer(where, said("Open"))


def test_a_message_that_slack_finds_too_long_is_sent_shorter(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    long = Message("Open", tuple(section("x" * 2000) for _ in range(6)))
    slack.cause(api_errors={"chat.update": ["msg_blocks_too_long"]})
    publisher.answer(where, long)
    (message,) = slack.messages(HERE)
    assert 0 < len(message["blocks"]) < 6


def test_blocks_that_slack_does_not_take_at_all_leave_the_text(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    publisher.answer(where, Message("Open", ({"type": "nonsense"},)))
    (message,) = slack.messages(HERE)
    assert (message["text"], message.get("blocks", [])) == ("Open", [])


def test_a_channel_without_the_bot_is_said_to_be_one(publisher: Publisher) -> None:
    with pytest.raises(NotInChannelError):
        publisher.placeholder(asked(channel="C0RANDOM01"), said("Looking"))


def test_a_bot_that_was_put_out_answers_the_asker_privately(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(response_url=slack.response_url("ada", HERE)), said("Looking"))
    slack.cause(api_errors={"chat.update": ["channel_not_found"]})
    publisher.answer(where, said("Open"))
    (private,) = [message for message in slack.messages(HERE) if message["only_for"] == ADA]
    assert private["text"] == "Open"


def test_without_a_way_to_the_asker_the_caller_learns_it(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    slack.cause(api_errors={"chat.update": ["is_archived"]})
    with pytest.raises(UndeliverableError, match="is_archived"):
        publisher.answer(where, said("Open"))


# -- progress --------------------------------------------------------------------------------------------------------


def test_progress_is_shown_at_most_once_a_second(publisher: Publisher, slack: Playground, clock: Clock) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    shown = []
    for step in range(4):
        shown.append(publisher.progress(where, said(f"{step} of 4 nodes")))
        clock.now += 0.5
    assert shown == [True, False, True, False]
    assert texts(slack) == ["2 of 4 nodes"]


def test_progress_never_follows_the_answer(publisher: Publisher, slack: Playground, clock: Clock) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    publisher.answer(where, said("Open"))
    clock.now += 60
    assert not publisher.progress(where, said("3 of 4 nodes"))
    assert texts(slack) == ["Open"]


def test_the_answer_wins_over_progress_that_is_under_way(publisher: Publisher, slack: Playground, clock: Clock) -> None:
    where = publisher.placeholder(asked(), said("Looking"))

    def show(step: int) -> None:
        clock.now += 2
        publisher.progress(where, said(f"step {step}"))

    with ThreadPoolExecutor(8) as pool:
        steps = [pool.submit(show, number) for number in range(20)]
        pool.submit(publisher.answer, where, said("Open")).result()
        for step in steps:
            step.result()
    assert texts(slack) == ["Open"]


def test_progress_that_slack_refuses_waits_as_long_as_slack_says(
    publisher: Publisher, slack: Playground, clock: Clock
) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    slack.cause(rate_limited={"chat.update": 1}, retry_after=7)
    assert not publisher.progress(where, said("1 of 4 nodes"))
    clock.now += 6
    assert not publisher.progress(where, said("2 of 4 nodes"))
    clock.now += 2
    assert publisher.progress(where, said("3 of 4 nodes"))


# -- blocks that a workspace may not take -----------------------------------------------------------------------------

PICTURE = bar_chart("Talkers", {"flows": [("a", 1.0)]})
ROWS = table([["a"], ["b"]])
PLAIN = section("a, b")
RICH = Message("rows", (ROWS, PICTURE), ((ROWS,), (PLAIN,)))


def kinds_of(slack: Playground) -> list[list[str]]:
    return [[block["type"] for block in message["blocks"]] for message in slack.messages(HERE)]


def test_what_a_workspace_takes_is_shown_as_it_is(publisher: Publisher, slack: Playground) -> None:
    publisher.answer(publisher.placeholder(asked(), said("Looking")), RICH)
    assert kinds_of(slack) == [["table", "data_visualization"]]


def test_what_it_refuses_is_left_out_for_a_day(publisher: Publisher, slack: Playground, clock: Clock) -> None:
    for _ in range(2):
        slack.cause(api_errors={"chat.update": ["invalid_blocks"]})
        publisher.answer(publisher.placeholder(asked(), said("Looking")), RICH)
    publisher.answer(publisher.placeholder(asked(), said("Looking")), RICH)
    clock.sleep(timedelta(days=1).total_seconds())
    publisher.answer(publisher.placeholder(asked(), said("Looking")), RICH)
    assert kinds_of(slack) == [["table"], ["section"], ["section"], ["table", "data_visualization"]]


def test_who_is_answered_alone_gets_what_every_workspace_takes(publisher: Publisher, slack: Playground) -> None:
    publisher.whisper(asked(), RICH)
    assert kinds_of(slack) == [["section"]]


# -- files, replies, whispers ----------------------------------------------------------------------------------------


def test_a_file_goes_to_the_thread_of_the_answer(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(), said("Open"))
    publisher.attach(where, name="evidence.txt", content="all of it", title="Evidence")
    assert slack.files() == [("evidence.txt", b"all of it")]
    (root, reply) = slack.messages(HERE)
    assert reply["thread_ts"] == root["ts"]


def test_a_file_that_stands_there_is_not_sent_again(publisher: Publisher, slack: Playground) -> None:
    where = publisher.placeholder(asked(), said("Looking"))
    for name in ("flows-1.csv", "flows-1.csv", "flows-2.csv"):
        publisher.attach_once(where, name=name, content="a,b", title="Flows")
    assert [name for name, _ in slack.files()] == ["flows-1.csv", "flows-2.csv"]


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_a_file_that_slack_does_not_take_becomes_a_reply(publisher: Publisher, slack: Playground, step: str) -> None:
    where = publisher.placeholder(asked(), said("Open"))
    slack.cause(api_errors={step: ["missing_scope"]})
    publisher.attach(where, name="evidence.txt", content="line\n" * 5000, title="Evidence")
    (_, reply) = slack.messages(HERE)
    assert "could not be uploaded (missing_scope); this is its beginning" in reply["text"]
    assert "```\nline\nline" in reply["blocks"][1]["text"]["text"]


def test_a_whisper_is_for_one_person(publisher: Publisher, slack: Playground) -> None:
    publisher.whisper(asked(), said("for you"))
    (message,) = slack.messages(HERE)
    assert (message["text"], message["only_for"]) == ("for you", ADA)


# -- pace ------------------------------------------------------------------------------------------------------------


def test_many_posts_to_one_channel_all_arrive_in_spite_of_the_pace() -> None:
    """Slack takes a few at once and then one a second; each post that has to wait is told so once, and waits alone."""
    with running_playground(installed()) as slack:
        publisher = Publisher(slack_client(slack.settings.bot_token, slack.api_url))
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda number: publisher.placeholder(asked(), said(f"Looking {number}")), range(6)))
        assert len(slack.messages(HERE)) == 6
        assert sum(call["error"] is not None for call in slack.calls("chat.postMessage")) <= 2


@pytest.mark.parametrize("place", ["channel", "thread"])
@pytest.mark.parametrize("lost", [1, 2])
def test_a_message_whose_acknowledgement_was_lost_is_found_again(
    publisher: Publisher, slack: Playground, place: str, lost: int
) -> None:
    root = slack.say("ada", HERE, "hello")
    before = len(texts(slack))
    slack.cause(lost_replies={"chat.postMessage": lost})
    where = publisher.placeholder(asked(thread_ts=root["ts"] if place == "thread" else None), said("Looking"))
    publisher.answer(where, said("It is open."))
    assert texts(slack)[before:] == ["It is open."]


def test_a_lost_acknowledgement_where_nobody_may_look_costs_a_second_message(
    publisher: Publisher, slack: Playground
) -> None:
    slack.cause(lost_replies={"chat.postMessage": 1}, api_errors={"conversations.history": ["missing_scope"]})
    where = publisher.placeholder(asked(), said("Looking"))
    assert where.placeholder_ts == slack.messages(HERE)[-1]["ts"]


def test_an_answer_without_a_placeholder_is_posted_once_however_often_it_is_published(
    publisher: Publisher, slack: Playground
) -> None:
    slack.cause(server_errors={"chat.postMessage": 3})
    where = asked(ticket="t1")
    with pytest.raises(SlackUnavailableError):
        publisher.placeholder(where, said("Looking"))
    publisher.progress(where, said("flows: 3 of 5 nodes"))
    another = Publisher(slack_client(slack.settings.bot_token, slack.api_url))
    for who in (publisher, another, publisher):
        who.answer(where, said("It is open."))
    assert texts(slack) == ["It is open."]


def test_a_status_stands_in_the_thread_of_a_direct_conversation_until_the_answer(
    publisher: Publisher, slack: Playground
) -> None:
    question = slack.say("ada", "@cilium", "why a b 80")
    where = asked(channel=question["channel"], thread_ts=question["ts"], via=Via.DIRECT, ticket="T-1")
    assert publisher.status(where, "is looking into it …")
    (standing,) = slack.statuses()
    assert (standing["thread_ts"], standing["status"]) == (question["ts"], "is looking into it …")
    answered = publisher.answer(where, said("Blocked at ingress"))
    (answer,) = slack.replies(question)
    assert (answer["ts"], answer["text"]) == (answered.placeholder_ts, "Blocked at ingress")
    assert publisher.answer(where, said("Blocked at ingress")).placeholder_ts == answer["ts"], "told twice, posted once"
    assert slack.statuses() == []


NO_STATUS = {
    "a channel": {"channel": HERE, "thread_ts": "1.1"},
    "a direct conversation without a thread": {"channel": "D0ADA00001"},
}


@pytest.mark.parametrize("place", NO_STATUS.values(), ids=NO_STATUS.keys())
def test_elsewhere_there_is_no_status(publisher: Publisher, slack: Playground, place: dict[str, str]) -> None:
    assert not publisher.status(asked(**place), "is looking into it …")
    assert slack.calls("assistant.threads.setStatus") == []


def test_a_workspace_that_refuses_statuses_is_asked_again_after_a_day(
    publisher: Publisher, slack: Playground, clock: Clock
) -> None:
    where = asked(channel="D0ADA00001", thread_ts="1.1", via=Via.DIRECT)
    slack.cause(api_errors={"assistant.threads.setStatus": ["missing_scope"]})
    assert [publisher.status(where, "is looking …"), publisher.status(where, "is looking …")] == [False, False]
    assert len(slack.calls("assistant.threads.setStatus")) == 1
    clock.now += 86_401
    assert publisher.status(where, "is looking …")
