"""Questions and answers through the whole system, about the sample sysdump."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.system import CHANNEL, System, is_answer, system
from tools.demo import QUESTION, SAMPLE
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits

pytestmark = pytest.mark.timeout(90)

PEOPLE = 10
QUESTIONS = 5


@pytest.fixture(scope="module")
def running() -> Iterator[System]:
    settings = installed(rates=RateLimits(enforced=False))
    with system(settings=settings, CILIUM_TRIAGE_SOURCE=f"sysdump:{SAMPLE}") as made:
        made.start_worker()
        made.start_bot()
        yield made


@pytest.fixture(autouse=True)
def _clean(running: System) -> None:
    running.playground.reset()


def test_a_mention_is_answered_once_in_its_thread(running: System) -> None:
    asked = running.mention(QUESTION)
    assert "shop/loadgen" in running.answer(asked)
    assert len(running.playground.replies(asked)) == 1


def test_a_dump_is_not_followed_and_its_flows_are_a_table(running: System) -> None:
    assert "Flows are followed on a live cluster" in running.answer(running.mention("flows shop follow 10s"))
    asked = running.mention("flows shop")
    running.answer(asked)
    (reply,) = running.playground.replies(asked)
    assert "table" in [block["type"] for block in reply["blocks"]]


def test_a_command_is_answered_in_place_of_the_placeholder(running: System) -> None:
    receipt = running.playground.command("ada", CHANNEL, "/cilium", QUESTION)
    assert receipt["acknowledged"]
    (message,) = running.wait_for(lambda: [item for item in running.playground.messages(CHANNEL) if is_answer(item)])
    assert message["edited"]


def test_the_second_answer_comes_from_the_cache_with_its_age_and_fresh_skips_it(running: System) -> None:
    question = "why shop/frontend shop/cart 8080"
    running.answer(running.mention(question))
    # Whoever asks before the run has ended is answered by it, and nothing is cached about that.
    running.poll(running.is_idle)
    assert "cached" in running.answer(running.mention(question))
    running.poll(running.is_idle)
    assert "cached" not in running.answer(running.mention(f"{question} fresh"))


def test_a_delivery_that_comes_twice_is_one_question(running: System) -> None:
    running.playground.cause(duplicates={"*": 4})
    asked = running.mention("health")
    running.answer(asked)
    running.poll(running.is_idle)
    assert len(running.playground.replies(asked)) == 1


def test_fifty_questions_at_once_by_ten_people(running: System) -> None:
    questions = [f"why shop/frontend shop/cart {port}" for port in range(8081, 8081 + QUESTIONS)]
    people = ["ada", "grace", "marco"] * PEOPLE
    start = threading.Barrier(PEOPLE * QUESTIONS)

    def ask(person: int, question: str) -> float:
        start.wait()
        began = time.monotonic()
        receipt = running.playground.command(people[person], CHANNEL, "/cilium", question)
        assert receipt["acknowledged"], receipt
        return time.monotonic() - began

    with ThreadPoolExecutor(PEOPLE * QUESTIONS) as crowd:
        acks = list(crowd.map(lambda pair: ask(*pair), [(p, q) for p in range(PEOPLE) for q in questions]))

    def answers() -> list[dict[str, Any]]:
        return [item for item in running.playground.messages(CHANNEL) if is_answer(item)]

    running.wait_for(lambda: len(answers()) == PEOPLE * QUESTIONS)
    running.poll(running.is_idle)
    assert max(acks) < 1
    assert len(answers()) == PEOPLE * QUESTIONS
    assert runs(running, questions) == dict.fromkeys(questions, 1)


def runs(running: System, questions: list[str]) -> dict[str, int]:
    """Count how often the cluster was looked at for each question."""
    lines = [json.loads(line) for line in running.children[0].last_words(10_000).splitlines() if line.startswith("{")]
    looked = Counter(line["question"] for line in lines if line["event"] == "looked" and not line["cached"])
    return {question: looked[question] for question in questions}


CLOSED = (
    "```kind: CiliumNetworkPolicy\nmetadata: {name: closed, namespace: shop}\n"
    "spec: {endpointSelector: {}, ingress: [{}]}```"
)
WHOLE_CLUSTER = {
    "lint": "polic",
    "reach shop/cart from": "can reach",
    "matrix shop": "pairs of ends",
    f"whatif {CLOSED}": "would be cut",
    "check allow shop/nobody to shop/cart 8080": "nothing in the cluster is called",
}


@pytest.mark.parametrize("question", WHOLE_CLUSTER, ids=lambda question: question.split()[0])
def test_a_question_about_the_whole_cluster_is_answered(running: System, question: str) -> None:
    assert WHOLE_CLUSTER[question] in running.answer(running.mention(question))
