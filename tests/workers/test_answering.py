"""One ticket, from the queue to the answer in Slack: with a real Redis and a playground for Slack."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from celery.exceptions import SoftTimeLimitExceeded

from bot.publish import Publisher, SlackUnavailableError
from bot.render.progress import looking
from bot.reports import Reports
from bot.slack_client import slack_client
from bot.surface import Answer
from bot.surfaces import surfaces
from bot.surfaces.kept import ADDRESS, KeptSurface
from bot.surfaces.slack import SlackSurface, address_of, where_of
from bot.ticket import Address, Ticket
from bot.waiters import Turn, Waiters
from bot.where import Via, Where
from handlers.commands.command import Asked
from handlers.model.report import Expected, FirstAnswer
from tests.bot.samples import blocked_on_both_sides
from tests.workers.canary import CANARY, Script
from tools.embedded import EmbeddedRedis
from tools.playground.manifest import installed
from tools.playground.server import Playground, running_playground
from workers.answering import Answering
from workers.deps import connect
from workers.progress import Narrator
from workers.runner import Progress, Ran, run

CHANNEL = "#incident-42"


@pytest.fixture(scope="module")
def playground() -> Iterator[Playground]:
    with running_playground(installed()) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(playground: Playground, redis_client: redis.Redis) -> None:
    playground.reset()


@dataclass
class Bench:
    """A worker's parts, with the look at the cluster left to the test."""

    playground: Playground
    client: redis.Redis
    waiters: Waiters
    publisher: Publisher
    looks: int = 0

    def answering(self, look: Callable[[Asked, Progress], Ran] | None = None) -> Answering:
        def counted(asked: Asked, progress: Progress) -> Ran:
            self.looks += 1
            return look(asked, progress) if look else run(asked, Script(), catalogue=CANARY)

        return Answering(
            {"": counted},
            self.waiters,
            SlackSurface(self.publisher),
            Reports(self.client),
            soft_limit=40,
            catalogue=CANARY,
        )

    def ask(self, text: str = "canary sings", user: str = "U1") -> Ticket:
        """Do what the web process does."""
        channel = self.playground.say("ada", CHANNEL, "hello")["channel"]
        where = self.publisher.placeholder(Where("T", channel, user, Via.COMMAND), looking(text))
        ticket = Ticket(uuid.uuid4().hex, text, "canary", False, address_of(where), datetime.now(UTC))
        self.waiters.join(ticket)
        return ticket

    def lose_the_run(self, ticket: Ticket) -> None:
        """What the end of the lease does."""
        self.client.delete(f"test:lease:{ticket.key}")

    def shown(self, ticket: Ticket) -> str:
        (message,) = [item for item in self.bot_messages() if item["ts"] == where_of(ticket).placeholder_ts]
        return str(message["text"])

    def bot_messages(self) -> list[dict[str, Any]]:
        return [item for item in self.playground.messages(CHANNEL) if item["user"].startswith("U0CILIUM")]


@pytest.fixture
def bench(playground: Playground, redis_server: EmbeddedRedis) -> Iterator[Bench]:
    client = connect(redis_server.url, decode_responses=True)
    slack = slack_client(playground.settings.bot_token, playground.api_url)
    yield Bench(playground, client, Waiters(client, prefix="test"), Publisher(slack))
    client.close()


def test_everybody_who_waits_gets_the_answer_of_one_run(bench: Bench) -> None:
    tickets = [bench.ask(user=user) for user in ("U1", "U2", "U3")]
    for ticket in tickets:
        bench.answering().answer(ticket, "run")
    assert bench.looks == 1
    assert [bench.shown(ticket).startswith("OPEN — it is open") for ticket in tickets] == [True] * 3
    assert len(bench.bot_messages()) == 3


def test_who_comes_late_is_answered_as_well(bench: Bench) -> None:
    late: list[Ticket] = []

    def look(asked: Asked, progress: Progress) -> Ran:
        late.append(bench.ask(user="U9"))
        return run(asked, Script(), catalogue=CANARY)

    bench.answering(look).answer(bench.ask(), "run")
    assert bench.shown(late[0]).startswith("OPEN")


def test_askers_on_two_surfaces_share_one_run(bench: Bench) -> None:
    """Somebody in Slack, and a caller who fetches the answer."""
    in_slack = bench.ask()
    caller = replace(in_slack, id="caller", address=ADDRESS)
    bench.waiters.join(caller)
    answering = replace(bench.answering(), surface=surfaces(bench.publisher, bench.client, prefix="test"))
    answering.answer(in_slack, "run")
    kept = KeptSurface(bench.client, prefix="test").fetch("caller")
    assert bench.looks == 1
    assert isinstance(kept, Answer)
    assert kept.report.expected is Expected.OPEN
    assert bench.shown(in_slack).startswith("OPEN")


def test_who_can_never_be_told_does_not_come_back_for_ever(bench: Bench) -> None:
    lost = replace(bench.ask(), address=Address("of-another-release", {}))
    replace(bench.answering(), surface=surfaces(bench.publisher, bench.client, prefix="test")).answer(lost, "run")
    assert bench.waiters.is_answered(lost)


def test_a_ticket_delivered_again_changes_nothing(bench: Bench) -> None:
    ticket = bench.ask()
    bench.answering().answer(ticket, "run")
    before = bench.bot_messages()
    bench.answering().answer(ticket, "run")
    assert bench.looks == 1
    assert bench.bot_messages() == before


def test_a_run_that_died_is_taken_up_again(bench: Bench) -> None:
    ticket = bench.ask()
    assert bench.waiters.begin(ticket, "lost") is Turn.RUN
    bench.answering().answer(ticket, "next")
    assert "Looking into" in bench.shown(ticket)
    bench.lose_the_run(ticket)
    bench.answering().answer(ticket, "next")
    assert bench.shown(ticket).startswith("OPEN")


def test_a_question_that_kills_every_worker_is_given_up_in_words(bench: Bench) -> None:
    ticket = bench.ask()
    for message in ("first", "second", "third"):
        bench.waiters.begin(ticket, message)
        bench.lose_the_run(ticket)
    bench.answering().answer(ticket, "fourth")
    assert bench.looks == 0
    assert "went away" in bench.shown(ticket)


def test_progress_that_fell_on_the_answer_of_another_run_is_answered_again(
    bench: Bench, playground: Playground
) -> None:
    ticket = bench.ask()

    def look(asked: Asked, progress: Progress) -> Ran:
        progress("flows: 3 of 5 nodes")
        playground.wait_for(lambda: "3 of 5" in bench.shown(ticket))
        bench.waiters.answered(ticket)  # by a run that had fallen silent, a moment before the progress came
        return run(asked, Script(), catalogue=CANARY)

    bench.answering(look).answer(ticket, "run")
    assert bench.shown(ticket).startswith("OPEN")
    assert len(bench.bot_messages()) == 1


def test_the_time_limit_is_told_with_what_was_awaited(bench: Bench) -> None:
    def look(asked: Asked, progress: Progress) -> Ran:
        progress("flows: 3 of 5 nodes")
        raise SoftTimeLimitExceeded

    ticket = bench.ask()
    bench.answering(look).answer(ticket, "run")
    assert "I gave up after 40 s" in bench.shown(ticket)
    assert "flows: 3 of 5 nodes" in bench.shown(ticket)


FIRST = FirstAnswer(blocked_on_both_sides(), ("agent status",))


def test_what_is_certain_is_shown_as_an_answer_and_then_the_whole_takes_its_place(
    bench: Bench, playground: Playground
) -> None:
    ticket = bench.ask()
    seen: list[str] = []

    def look(asked: Asked, progress: Progress) -> Ran:
        progress(FIRST)
        progress("agent status: 1 of 2 nodes")
        playground.wait_for(lambda: "still reading agent status" in bench.shown(ticket))
        seen.append(bench.shown(ticket))
        return Ran(FIRST.report)

    bench.answering(look).answer(ticket, "run")
    assert seen[0].startswith("BLOCKED at egress")
    assert "1 of 2 nodes" not in seen[0]
    assert bench.shown(ticket).startswith("BLOCKED at egress")
    assert "still reading" not in bench.shown(ticket)
    assert len(bench.bot_messages()) == 1


def test_what_is_certain_stands_where_the_time_is_over(bench: Bench) -> None:
    def look(asked: Asked, progress: Progress) -> Ran:
        progress(FIRST)
        raise SoftTimeLimitExceeded

    ticket = bench.ask()
    bench.answering(look).answer(ticket, "run")
    assert bench.shown(ticket).startswith("BLOCKED at egress")
    assert "still reading" not in bench.shown(ticket)


def test_a_killed_process_is_told_as_a_timeout(bench: Bench) -> None:
    ticket = bench.ask()
    bench.waiters.begin(ticket, "killed")
    assert bench.waiters.time_out(ticket, "killed")
    bench.lose_the_run(ticket)
    bench.answering().answer(ticket, "another message")
    assert "I gave up after 40 s" in bench.shown(ticket)
    assert bench.looks == 0


def test_a_defect_is_told_without_its_secrets(bench: Bench) -> None:
    def look(asked: Asked, progress: Progress) -> Ran:
        raise RuntimeError("token=hunter2")

    ticket = bench.ask()
    bench.answering(look).answer(ticket, "run")
    assert "Something of mine broke" in bench.shown(ticket)
    assert "hunter2" not in bench.shown(ticket)


def test_a_ticket_of_another_release_is_told_how_to_ask(bench: Bench) -> None:
    ticket = bench.ask("frobnicate everything")
    bench.answering().answer(ticket, "run")
    assert "I can read no question in the words" in bench.shown(ticket)


def test_slack_out_of_order_means_later_and_nobody_is_told_twice(bench: Bench, playground: Playground) -> None:
    ticket, other = bench.ask(), bench.ask(user="U2")
    impatient = slack_client(playground.settings.bot_token, playground.api_url, patient=False)
    answering = replace(bench.answering(), surface=SlackSurface(Publisher(impatient, sleep=lambda _: None)))
    playground.cause(server_errors={"chat.update": 4})
    with pytest.raises(SlackUnavailableError):
        answering.answer(ticket, "run")
    assert not bench.waiters.is_answered(ticket)
    bench.lose_the_run(ticket)  # the pause is over
    answering.answer(ticket, "run")
    assert bench.shown(ticket).startswith("OPEN")
    assert bench.shown(other).startswith("OPEN")
    assert len(bench.bot_messages()) == 2


def test_a_placeholder_that_cannot_be_edited_does_not_come_back_for_ever(bench: Bench, playground: Playground) -> None:
    ticket = bench.ask()
    playground.cause(api_errors={"chat.update": ["channel_not_found"]})
    bench.answering().answer(ticket, "run")
    assert bench.waiters.is_answered(ticket)


def test_a_redis_that_restarts_in_mid_run_costs_nothing(bench: Bench, redis_server: EmbeddedRedis) -> None:
    ticket = bench.ask()
    done = threading.Event()

    def look(asked: Asked, progress: Progress) -> Ran:
        redis_server.kill()
        done.set()
        return run(asked, Script(), catalogue=CANARY)

    with ThreadPoolExecutor(1) as worker:
        answered = worker.submit(bench.answering(look).answer, ticket, "run")
        assert done.wait(5)
        redis_server.start()
        answered.result(10)
    assert bench.shown(ticket).startswith("OPEN")
    assert bench.waiters.is_answered(ticket)


def test_a_redis_that_stays_away_does_not_keep_the_answer_from_the_asker(
    bench: Bench, redis_server: EmbeddedRedis
) -> None:
    ticket = bench.ask()

    def look(asked: Asked, progress: Progress) -> Ran:
        redis_server.kill()
        return run(asked, Script(), catalogue=CANARY)

    try:
        with pytest.raises(redis.ConnectionError):
            replace(bench.answering(look), patience=0.1).answer(ticket, "run")
        assert bench.shown(ticket).startswith("OPEN")
    finally:
        redis_server.start()


def test_a_slow_run_says_how_far_it_is(bench: Bench, playground: Playground) -> None:
    ticket = bench.ask()
    bench.waiters.begin(ticket, "run")
    with Narrator(ticket, "run", bench.waiters, SlackSurface(bench.publisher), first=0.01, pace=0.01) as narrator:
        narrator.say("flows: 3 of 5 nodes")
        playground.wait_for(lambda: "flows: 3 of 5 nodes" in bench.shown(ticket))
    bench.answering().answer(ticket, "run")
    assert bench.shown(ticket).startswith("OPEN")
