"""When Redis, the queue, a worker or our own code fails: one answer in words, nothing twice, nothing lost."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from bot.conversations import Conversations
from bot.deliveries import Deliveries
from bot.dispatch import Dispatcher, QueueDownError
from bot.dumps import Dumps
from bot.guard import Guard, Rules
from bot.intake import Intake
from bot.publish import Publisher
from bot.render.failure import lost
from bot.slack_client import slack_client
from bot.surfaces.slack import SlackSurface, address_of
from bot.ticket import Ticket
from bot.waiters import Waiters
from bot.watch import Watch
from bot.where import Via, Where
from handlers.catalogue import understand
from tests.bot.conftest import Queue
from tools.embedded import EmbeddedRedis
from tools.playground.server import Playground

QUESTION = "why shop/frontend shop/cart 8080"
WHERE = Where("T1", "C0INCIDENT", "U0ADA00001", Via.MENTION)


@pytest.fixture(scope="module")
def nowhere() -> Iterator[str]:
    """The address of a Redis that is not there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"redis://127.0.0.1:{taken.getsockname()[1]}/0"


@pytest.fixture
def publisher(slack: Playground) -> Publisher:
    slack.reset()
    return Publisher(slack_client(slack.settings.bot_token, slack.api_url))


@pytest.fixture
def dispatcher(redis_server: EmbeddedRedis) -> Iterator[Dispatcher]:
    made = Dispatcher(redis_server.url)
    yield made
    made.close()


@pytest.fixture
def watch(redis: Redis, dispatcher: Dispatcher, publisher: Publisher) -> Watch:
    return Watch(Waiters(redis), dispatcher)


@pytest.fixture
def intake(redis: Redis, dispatcher: Dispatcher, publisher: Publisher, watch: Watch, slack: Playground) -> Intake:
    client = slack_client(slack.settings.bot_token, slack.api_url)
    return Intake(
        understand=understand,
        deliveries=Deliveries(redis),
        conversations=Conversations(redis),
        guard=Guard(Rules(frozenset()), redis, lambda _group: frozenset()),
        publisher=publisher,
        surface=SlackSurface(publisher),
        watch=watch,
        dumps=Dumps(client, redis),
    )


def texts(slack: Playground) -> list[str]:
    return [message["text"] for message in slack.messages(WHERE.channel)]


def test_without_redis_the_asker_is_told_once(intake: Intake, slack: Playground, nowhere: str) -> None:
    gone = replace(intake, deliveries=Deliveries(Redis.from_url(nowhere)))
    gone.ask(QUESTION, WHERE, delivery="d1")
    (told,) = texts(slack)
    assert "the queue (Redis) does not answer" in told


def test_redis_that_goes_after_the_placeholder_turns_the_placeholder_into_the_news(
    intake: Intake, dispatcher: Dispatcher, slack: Playground, nowhere: str
) -> None:
    gone = replace(intake, watch=Watch(Waiters(Redis.from_url(nowhere)), dispatcher))
    gone.ask(QUESTION, WHERE, delivery="d1")
    (told,) = texts(slack)
    assert "the queue (Redis) does not answer" in told


def test_a_queue_that_takes_nothing_is_told_and_the_question_stays_on_the_list(
    intake: Intake, slack: Playground, redis: Redis, nowhere: str
) -> None:
    dead = Dispatcher(nowhere)
    replace(intake, watch=Watch(Waiters(redis), dead)).ask(QUESTION, WHERE, delivery="d1")
    dead.close()
    (told,) = texts(slack)
    assert "the queue (Redis) does not answer" in told
    redis.delete(*redis.keys("cilium-triage:lease:*"))
    (left,) = Waiters(redis).overdue(is_queue_empty=True)
    assert left.text == QUESTION


def test_a_queue_that_is_down_is_noticed_soon(nowhere: str) -> None:
    dead = Dispatcher(nowhere)
    ticket = Ticket("t1", QUESTION, "why", False, address_of(WHERE), datetime.now(UTC))
    with pytest.raises(QueueDownError):
        dead.send(ticket)
    dead.close()


def test_a_defect_of_ours_is_told_by_its_number_and_logged_without_values(
    intake: Intake, slack: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_text: str, _attached: object, _earlier: str) -> Any:
        raise ZeroDivisionError("xoxb-secret")

    replace(intake, understand=broken).ask(QUESTION, WHERE, delivery="d1")
    (told,) = texts(slack)
    logged = capsys.readouterr().out
    assert "Something of mine broke (error " in told
    assert told.partition("(error ")[2][:8] in logged
    assert "ZeroDivisionError" in logged
    assert "xoxb-secret" not in told + logged
    assert "Traceback" not in told + logged


def test_slack_that_takes_no_placeholder_leaves_nothing_behind(intake: Intake, slack: Playground, queue: Queue) -> None:
    slack.cause(api_errors={"chat.postMessage": ["restricted_action"]})
    intake.ask(QUESTION, WHERE, delivery="d1")
    assert queue.tickets() == []


@pytest.mark.parametrize(
    ("trouble", "told", "queued"),
    [
        pytest.param(
            {"server_errors": {"chat.postMessage": 3}}, "the answer comes as soon as it does", 1, id="out of order"
        ),
        pytest.param(
            {"api_errors": {"chat.postMessage": ["restricted_action"]}}, "(restricted_action)", 0, id="refused"
        ),
    ],
)
def test_the_asker_of_a_command_hears_that_there_is_no_placeholder(
    intake: Intake, slack: Playground, queue: Queue, trouble: dict[str, Any], told: str, queued: int
) -> None:
    slack.cause(**trouble)
    where = replace(WHERE, via=Via.COMMAND, response_url=slack.response_url("ada", WHERE.channel))
    intake.ask(QUESTION, where, delivery="d1")
    (whispered,) = texts(slack)
    assert told in whispered
    assert len(queue.tickets()) == queued


def test_without_a_placeholder_the_answer_is_posted_when_slack_is_back(
    intake: Intake, slack: Playground, queue: Queue
) -> None:
    slack.cause(server_errors={"chat.postMessage": 3})
    intake.ask(QUESTION, WHERE, delivery="d1")
    (ticket,) = queue.wait()
    for _ in range(2):
        intake.surface.fail(ticket, lost())
    assert len([text for text in texts(slack) if "went away" in text]) == 1


@pytest.mark.parametrize(
    ("waiting", "words"), [(0, "…"), (1, "… 1 question before yours"), (8, "… 8 questions before yours")]
)
def test_the_placeholder_says_how_many_questions_come_first(
    intake: Intake, slack: Playground, dispatcher: Dispatcher, waiting: int, words: str
) -> None:
    for number in range(waiting):
        dispatcher.send(Ticket(f"t{number}", "health", "health", False, address_of(WHERE), datetime.now(UTC)))
    intake.ask(QUESTION, WHERE, delivery="d1")
    (placeholder,) = texts(slack)
    assert placeholder == f"Looking into {QUESTION} {words}"


# -- the watch -------------------------------------------------------------------------------------------------------


def test_an_answered_question_is_watched_no_longer(intake: Intake, watch: Watch, queue: Queue, redis: Redis) -> None:
    intake.ask(QUESTION, WHERE, delivery="d1")
    (ticket,) = queue.tickets()
    for waiter in Waiters(redis).drain(ticket, "run"):
        Waiters(redis).answered(waiter)
    watch.look()
    assert len(queue.tickets()) == 1
    redis.flushall()
    watch.look()
    assert queue.tickets() == []


def test_a_question_that_redis_forgot_is_asked_again(intake: Intake, watch: Watch, queue: Queue, redis: Redis) -> None:
    intake.ask(QUESTION, WHERE, delivery="d1")
    (asked,) = queue.tickets()
    redis.flushall()
    watch.look()
    watch.look()
    assert queue.tickets() == [asked]


def test_a_question_that_waits_in_the_queue_is_left_alone(intake: Intake, watch: Watch, queue: Queue) -> None:
    intake.ask(QUESTION, WHERE, delivery="d1")
    watch.look()
    assert len(queue.tickets()) == 1


def test_a_question_whose_run_was_lost_is_sent_again(intake: Intake, watch: Watch, queue: Queue, redis: Redis) -> None:
    intake.ask(QUESTION, WHERE, delivery="d1")
    redis.delete(*redis.keys("cilium-triage:lease:*"))
    watch.look()
    watch.look()
    assert [ticket.text for ticket in queue.tickets()] == [queue.tickets()[0].text] * 2


def test_a_question_that_redis_forgot_is_known_to_whoever_watched(
    intake: Intake, watch: Watch, queue: Queue, redis: Redis
) -> None:
    waiters = Waiters(redis)
    ticket = Ticket("asked elsewhere", QUESTION, "why", False, address_of(WHERE), datetime.now(UTC))
    waiters.join(ticket)
    watch.look()
    redis.flushall()
    watch.look()
    assert queue.tickets() == [ticket]


def test_the_watch_goes_on_when_redis_does_not_answer(
    dispatcher: Dispatcher, publisher: Publisher, nowhere: str
) -> None:
    watch = Watch(Waiters(Redis.from_url(nowhere)), dispatcher)
    with pytest.raises(RedisError):
        watch.enter(Ticket("t1", QUESTION, "why", False, address_of(WHERE), datetime.now(UTC)))
    watch.look()


def test_the_watch_stops_when_told(watch: Watch) -> None:
    before = threading.enumerate()
    watch.start()
    (started,) = [one for one in threading.enumerate() if one.name == "watch" and one not in before]
    watch.stop()
    assert not started.is_alive()
