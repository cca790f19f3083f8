"""Whatever breaks in mid-run: one answer in the thread, nothing twice, nothing lost."""

import os
import shutil
import signal
from collections.abc import Iterator
from functools import partial

import pytest

from bot.dispatch import Dispatcher, queue_key
from bot.waiters import Waiters
from tests.cluster.fake_api import Fault
from tests.e2e.broken import POLICIES, QUESTION, Broken, broken, children_of
from tests.e2e.system import TIMEOUT
from tools.demo.stack import Child

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    with broken(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(autouse=True)
def _healed(running: Broken) -> Iterator[None]:
    yield
    running.heal()
    running.lab.hubble.trouble.hangs = False


def test_a_healthy_cluster_is_judged(running: Broken) -> None:
    assert "shop/loadgen" in running.one_answer(running.system.mention(f"{QUESTION} fresh"))


def test_a_worker_process_that_is_killed_in_mid_run(running: Broken) -> None:
    asked = running.ask_and_hang()
    running.heal()
    running.kill_processes()
    assert "shop/loadgen" in running.one_answer(asked)


@pytest.mark.chaos
def test_a_question_that_kills_its_process_every_time(running: Broken) -> None:
    asked = running.ask_and_hang()
    for _ in range(2):
        seen = running.runs()
        running.kill_processes()
        running.system.poll(partial(running.has_begun_more_than, seen))
    running.kill_processes()
    assert "went away, and so did its replacement" in running.one_answer(asked)


@pytest.mark.chaos
def test_a_worker_that_dies_for_good_in_mid_run(running: Broken) -> None:
    asked = running.ask_and_hang()
    running.worker.kill()
    running.heal()
    running.worker = running.system.start_worker()
    assert "shop/loadgen" in running.one_answer(asked)


@pytest.mark.chaos
def test_a_worker_that_is_told_to_stop_in_mid_run(running: Broken) -> None:
    asked = running.ask_and_hang()
    stopped = running.worker
    stopped.terminate()
    running.worker = running.system.start_worker()
    assert "policies (timeout" in running.one_answer(asked)
    assert stopped.process.wait(TIMEOUT) == 0


@pytest.fixture
def twin(running: Broken) -> Iterator[Child]:
    """A second worker, for one story."""
    started = running.system.start_worker()
    running.system.poll(lambda: "ready." in started.words())
    yield started
    started.kill()


@pytest.mark.usefixtures("twin")
def test_a_question_that_is_delivered_again_and_again_to_two_workers(running: Broken) -> None:
    before = running.runs()
    asked = running.ask_and_hang()
    with running.system.client() as client:
        (ticket,) = Waiters(client).listed()
        dispatcher = Dispatcher(running.system.redis.url)
        for _ in range(6):
            dispatcher.send(ticket)
        running.system.poll(dispatcher.is_queue_empty)
        dispatcher.close()
    assert "policies (timeout" in running.one_answer(asked)
    assert running.runs() == before + 1


@pytest.mark.chaos
def test_a_slack_that_is_away_longer_than_a_run_may_last(running: Broken) -> None:
    slack = running.system.playground
    asked = running.ask_and_hang()
    slack.cause(server_errors={"chat.update": 1_000})
    running.heal()
    with running.system.client() as client:
        running.system.poll(lambda: "paused" in client.mget([*client.keys("cilium-triage:lease:*"), "none"]))
    slack.cause(server_errors={"chat.update": -1_000})
    assert "shop/loadgen" in running.one_answer(asked)


def test_a_redis_that_restarts_in_mid_run(running: Broken) -> None:
    asked = running.ask_and_hang()
    running.system.redis.kill()
    running.heal()
    running.system.redis.start()
    assert "shop/loadgen" in running.one_answer(asked)
    assert "shop/loadgen" in running.one_answer(running.system.mention(f"{QUESTION} fresh"))


def test_a_redis_that_restarts_again_and_again_under_a_busy_worker(running: Broken) -> None:
    asked = [running.ask_and_hang(f"why shop/frontend shop/cart {8090 + number}") for number in range(2)]
    asked += [running.system.mention(f"why shop/frontend shop/cart {8095 + number} fresh") for number in range(3)]
    for _ in range(3):
        running.system.redis.kill()
        running.system.redis.start()
        running.system.poll(lambda: running.system.client().ping())
    running.heal()
    for one in asked:
        assert running.one_answer(one)
    running.worker.check()


def test_a_time_limit_that_strikes_in_mid_run(running: Broken) -> None:
    asked = running.ask_and_hang()
    for child in children_of(running.worker.pid):
        # What the worker itself sends when the soft limit is over.
        os.kill(child, signal.SIGUSR1)
    assert "I gave up after" in running.one_answer(asked)


@pytest.mark.chaos
def test_a_process_that_hangs_beyond_the_hard_limit(running: Broken) -> None:
    asked = running.ask_and_hang()
    for child in children_of(running.worker.pid):
        # Deaf to the soft limit, as it would be inside a library that never returns.
        os.kill(child, signal.SIGSTOP)
    assert "I gave up after" in running.one_answer(asked)


def test_a_redis_that_comes_back_without_its_memory(running: Broken) -> None:
    busy = [running.ask_and_hang(QUESTION), running.ask_and_hang("why shop/frontend shop/cart 8080")]
    queued = running.system.mention("why shop/frontend shop/cart 8081 fresh")
    with running.system.client() as client:
        # On a slow machine a busy process may end at its limit and take the third question before it is seen waiting.
        running.system.poll(lambda: client.llen(queue_key("cilium-triage")) or running.system.answers(queued))
    running.system.redis.kill()
    shutil.rmtree(running.system.redis.directory / "appendonlydir")
    running.heal()
    running.system.redis.start()
    for asked in (*busy, queued):
        assert running.one_answer(asked)


@pytest.mark.parametrize(("status", "words"), [(500, "500"), (403, "forbidden")])
def test_an_api_server_that_refuses(running: Broken, status: int, words: str) -> None:
    running.lab.api.faults[POLICIES] = Fault(status=status)
    answer = running.one_answer(running.system.mention(f"{QUESTION} fresh"))
    assert words in answer
    assert "policies" in answer


def test_a_read_that_hangs_is_named(running: Broken) -> None:
    answer = running.one_answer(running.ask_and_hang())
    assert "policies (timeout" in answer


def test_a_relay_that_does_not_answer(running: Broken) -> None:
    running.lab.hubble.trouble.hangs = True
    answer = running.one_answer(running.system.mention(f"{QUESTION} fresh"))
    assert "flows could not be read" in answer


def test_a_relay_that_is_gone(running: Broken) -> None:
    running.lab.hubble.close()
    answer = running.one_answer(running.system.mention(f"{QUESTION} fresh"))
    assert "flows could not be read" in answer
