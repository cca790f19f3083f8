"""Askers of the same question share one run, nobody is forgotten, and nobody is answered by two."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from redis import Redis

from bot.ticket import Address, Ticket
from bot.waiters import Turn, Waiters
from tests.bot.samples import NOON


@pytest.fixture
def waiters(redis: Redis) -> Waiters:
    return Waiters(redis)


def ticket(name: str, text: str = "why a/b c/d", *, after: int = 0) -> Ticket:
    return Ticket(name, text, "why", False, Address("slack", {"channel": "C1"}), NOON + timedelta(seconds=after))


def lose_the_run(redis: Redis, lost: Ticket) -> None:
    """What the end of the lease does."""
    redis.delete(f"cilium-triage:lease:{lost.key}")


def answer_all(waiters: Waiters, asked: Ticket, run: str) -> list[str]:
    """What a run does at its end: answer whoever is handed out, and return their names."""
    handed = []
    for waiter in waiters.drain(asked, run):
        handed.append(waiter.id)
        waiters.answered(waiter)
    return handed


def test_only_the_first_asker_starts_a_run(waiters: Waiters) -> None:
    assert [waiters.join(ticket(name)) for name in ("first", "second", "third")] == [True, False, False]


def test_of_many_askers_at_the_same_moment_exactly_one_starts_a_run(waiters: Waiters) -> None:
    with ThreadPoolExecutor(20) as pool:
        started = list(pool.map(waiters.join, [ticket(f"t{number}") for number in range(50)]))
    assert sum(started) == 1
    assert len(waiters.waiting(ticket("t0"))) == 50


def test_other_questions_have_runs_of_their_own(waiters: Waiters) -> None:
    assert waiters.join(ticket("a", "why a/b c/d"))
    assert waiters.join(ticket("b", "why a/b c/e"))


def test_everybody_who_waits_is_handed_out_once_in_the_order_of_asking(waiters: Waiters) -> None:
    first, second = ticket("z"), ticket("a", after=1)
    for asked in (second, first):
        waiters.join(asked)
    handed = []
    for waiter in waiters.drain(first, "run"):
        handed.append(waiter.id)
        waiters.answered(waiter)
    assert handed == ["z", "a"]


def test_who_asks_while_answers_go_out_gets_one_too(waiters: Waiters) -> None:
    first, late = ticket("first"), ticket("late", after=5)
    waiters.join(first)
    handed = []
    for waiter in waiters.drain(first, "run"):
        if waiter.id == "first":
            assert not waiters.join(late)
        handed.append(waiter.id)
        waiters.answered(waiter)
    assert handed == ["first", "late"]


def test_after_the_run_the_next_asker_starts_another(waiters: Waiters) -> None:
    first = ticket("first")
    waiters.join(first)
    for waiter in waiters.drain(first, "run"):
        waiters.answered(waiter)
    assert waiters.join(ticket("next"))


def test_nobody_falls_between_runs_however_they_interleave(waiters: Waiters) -> None:
    """Many ask and many runs end at once: every ticket is either handed out or has started a run that hands it out."""
    answered: list[str] = []

    def ask(number: int) -> None:
        mine = ticket(f"t{number}", after=number)
        if waiters.join(mine):
            for waiter in waiters.drain(mine, "run"):
                answered.append(waiter.id)
                waiters.answered(waiter)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(200)))
    assert set(answered) == {f"t{number}" for number in range(200)}
    assert not waiters.overdue(is_queue_empty=True)


def test_a_worker_takes_the_lease_that_the_asker_got(waiters: Waiters) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    assert waiters.begin(mine, "m1") is Turn.RUN


@pytest.mark.parametrize("name", ["mine", "other"], ids=["the same ticket", "another ticket"])
def test_a_worker_leaves_a_question_that_another_run_has(waiters: Waiters, name: str) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    waiters.join(ticket("other"))
    assert waiters.begin(mine, "m1") is Turn.RUN
    assert waiters.begin(ticket(name), "m2") is Turn.TAKEN


def test_of_many_workers_with_the_same_question_exactly_one_runs(waiters: Waiters) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    with ThreadPoolExecutor(10) as pool:
        turns = list(pool.map(lambda number: waiters.begin(mine, f"m{number}"), range(20)))
    assert sorted(turns) == [Turn.RUN] + [Turn.TAKEN] * 19


def test_the_same_message_takes_over_from_a_process_that_was_lost(waiters: Waiters) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    assert [waiters.begin(mine, "m1") for _ in range(2)] == [Turn.RUN, Turn.RUN]


def test_a_message_that_comes_when_its_work_is_done_does_nothing(waiters: Waiters) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    waiters.begin(mine, "m1")
    assert answer_all(waiters, mine, "m1") == ["mine"]
    assert waiters.begin(mine, "m2") is Turn.DONE


def test_a_run_after_a_crash_answers_only_who_is_left(waiters: Waiters, redis: Redis) -> None:
    mine, other = ticket("mine"), ticket("other", after=1)
    for asked in (mine, other):
        waiters.join(asked)
    waiters.begin(mine, "m1")
    waiters.answered(mine)  # and here the worker was killed
    lose_the_run(redis, mine)
    assert waiters.begin(mine, "m2") is Turn.RUN
    assert answer_all(waiters, mine, "m2") == ["other"]


def test_a_run_goes_on_when_redis_has_lost_its_memory(waiters: Waiters, redis: Redis) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    redis.flushall()
    assert waiters.begin(mine, "m1") is Turn.RUN
    assert answer_all(waiters, mine, "m1") == ["mine"]


def test_a_lease_is_renewed_by_its_run_alone(waiters: Waiters, redis: Redis) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    waiters.begin(mine, "m1")
    assert [waiters.renew(mine, "m1"), waiters.renew(mine, "m2")] == [True, False]
    lose_the_run(redis, mine)
    assert not waiters.renew(mine, "m1")


def test_a_run_that_was_lost_leaves_its_question_to_one_caller(waiters: Waiters, redis: Redis) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    waiters.begin(mine, "m1")
    assert waiters.overdue(is_queue_empty=True) == ()
    lose_the_run(redis, mine)
    assert [lost.id for lost in waiters.overdue(is_queue_empty=True)] == ["mine"]
    assert waiters.overdue(is_queue_empty=True) == ()


@pytest.mark.parametrize(
    ("is_queue_empty", "lost"), [(False, False), (True, True)], ids=["while messages wait", "when none waits"]
)
def test_a_message_counts_as_lost_only_if_it_cannot_be_in_the_queue(
    redis: Redis, is_queue_empty: bool, lost: bool
) -> None:
    waiters = Waiters(redis, lease=timedelta(milliseconds=200))
    mine = ticket("mine")
    waiters.join(mine)

    def look() -> bool:
        return bool(waiters.overdue(is_queue_empty=is_queue_empty))

    deadline = time.monotonic() + 0.6
    found = False
    while not found and time.monotonic() < deadline:
        found = look()
    assert found is lost


def test_runs_that_were_lost_are_counted_until_the_question_is_given_up(waiters: Waiters, redis: Redis) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    turns = []
    for number in range(4):
        turns.append(waiters.begin(mine, f"m{number}"))
        lose_the_run(redis, mine)
    assert turns == [Turn.RUN] * 3 + [Turn.GIVE_UP]


@pytest.mark.parametrize("fate", [Turn.TIMED_OUT, Turn.GIVE_UP])
def test_a_run_that_is_not_worth_repeating_is_not_repeated_when_its_news_could_not_be_told(
    waiters: Waiters, redis: Redis, fate: Turn
) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    for number in range(1 if fate is Turn.TIMED_OUT else 3):
        waiters.begin(mine, f"m{number}")
        lose_the_run(redis, mine)
    if fate is Turn.TIMED_OUT:
        waiters.time_out(mine, "m0")
    for number in range(2):
        assert waiters.begin(mine, f"news{number}") is fate
        waiters.rest(mine, f"news{number}")
        lose_the_run(redis, mine)
    waiters.begin(mine, "told")
    assert answer_all(waiters, mine, "told") == ["mine"]
    waiters.join(ticket("next"))
    assert waiters.begin(ticket("next"), "m9") is Turn.RUN


def test_a_time_limit_is_no_news_for_whom_another_run_has_answered(waiters: Waiters) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    waiters.begin(mine, "m1")
    answer_all(waiters, mine, "m1")
    assert not waiters.time_out(mine, "m1")
    assert waiters.join(ticket("next"))
    assert waiters.begin(ticket("next"), "m2") is Turn.RUN


@pytest.mark.parametrize("ends", ["answered", "rests"])
def test_a_run_that_ends_with_a_word_was_not_lost(waiters: Waiters, redis: Redis, ends: str) -> None:
    mine = ticket("mine")
    turns = []
    for number in range(6):
        waiters.join(mine)
        turns.append(waiters.begin(mine, f"m{number}"))
        if ends == "answered":
            answer_all(waiters, mine, f"m{number}")
            redis.delete(f"cilium-triage:answered:{mine.id}")
        else:
            waiters.rest(mine, f"m{number}")
            lose_the_run(redis, mine)
    assert turns == [Turn.RUN] * 6


def test_a_waiter_who_could_not_be_told_rests_and_is_tried_again(waiters: Waiters, redis: Redis) -> None:
    mine, other = ticket("mine"), ticket("other", after=1)
    for asked in (mine, other):
        waiters.join(asked)
    waiters.begin(mine, "m1")
    for waiter in waiters.drain(mine, "m1"):
        if waiter.id == "mine":
            waiters.answered(waiter)
    waiters.rest(mine, "m1")
    assert waiters.begin(other, "m2") is Turn.TAKEN
    assert waiters.overdue(is_queue_empty=True) == ()
    lose_the_run(redis, mine)
    assert [again.id for again in waiters.overdue(is_queue_empty=True)] == ["other"]


def test_everybody_who_waits_is_listed_whatever_the_question(waiters: Waiters) -> None:
    asked = [ticket("a"), ticket("b"), ticket("c", "why a/b c/e")]
    for one in asked:
        waiters.join(one)
    waiters.answered(asked[0])
    assert {one.id for one in waiters.listed()} == {"b", "c"}


def test_what_another_release_wrote_keeps_no_question_open_and_stays(waiters: Waiters, redis: Redis) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    waiting = f"cilium-triage:waiting:{mine.key}"
    redis.hset(waiting, "alien", "{}")
    waiters.begin(mine, "m1")
    assert answer_all(waiters, mine, "m1") == ["mine"]
    assert redis.hgetall(waiting) == {"alien": "{}"}
    assert waiters.join(ticket("next"))


@pytest.mark.parametrize("decode", [True, False], ids=["text", "bytes"])
def test_it_does_not_matter_whether_the_client_decodes(
    redis_server: object, redis: Redis, decode: bool, connect: Callable[[bool], Redis]
) -> None:
    waiters = Waiters(connect(decode))
    mine = ticket("mine")
    assert waiters.join(mine)
    assert waiters.begin(mine, "m1") is Turn.RUN
    assert [waiter.id for waiter in waiters.drain(mine, "m1")] == ["mine"]
