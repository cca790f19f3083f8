"""Askers of the same question share one run, nobody is forgotten, and nobody is answered by two."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from bot.ticket import Surface, Ticket, Where
from bot.waiters import Turn, Waiters
from tests.bot.samples import NOON


@pytest.fixture
def waiters(redis: Redis) -> Waiters:
    return Waiters(redis)


def ticket(name: str, text: str = "why a/b c/d", *, after: int = 0) -> Ticket:
    where = Where("T1", "C1", "U1", Surface.MENTION, "1.0", f"{name}.0")
    return Ticket(name, text, "why", False, where, NOON + timedelta(seconds=after))


def lose_the_run(redis: Redis, lost: Ticket) -> None:
    """What the end of the lease does."""
    redis.delete(f"cilium-triage:run:{lost.key}")


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
    for waiter in waiters.drain(first):
        handed.append(waiter.id)
        waiters.answered(waiter)
    assert handed == ["z", "a"]


def test_who_asks_while_answers_go_out_gets_one_too(waiters: Waiters) -> None:
    first, late = ticket("first"), ticket("late", after=5)
    waiters.join(first)
    handed = []
    for waiter in waiters.drain(first):
        if waiter.id == "first":
            assert not waiters.join(late)
        handed.append(waiter.id)
        waiters.answered(waiter)
    assert handed == ["first", "late"]


def test_after_the_run_the_next_asker_starts_another(waiters: Waiters) -> None:
    first = ticket("first")
    waiters.join(first)
    for waiter in waiters.drain(first):
        waiters.answered(waiter)
    assert waiters.join(ticket("next"))


def test_nobody_falls_between_runs_however_they_interleave(waiters: Waiters) -> None:
    """Many ask and many runs end at once: every ticket is either handed out or has started a run that hands it out."""
    answered: list[str] = []

    def ask(number: int) -> None:
        mine = ticket(f"t{number}", after=number)
        if waiters.join(mine):
            for waiter in waiters.drain(mine):
                answered.append(waiter.id)
                waiters.answered(waiter)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(200)))
    assert set(answered) == {f"t{number}" for number in range(200)}
    assert not waiters.overdue()


def test_a_worker_takes_the_lease_that_the_asker_got(waiters: Waiters) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    assert waiters.begin(mine) is Turn.RUN


def test_a_worker_leaves_a_question_that_another_run_has(waiters: Waiters) -> None:
    mine, other = ticket("mine"), ticket("other")
    waiters.join(other)
    waiters.join(mine)
    assert waiters.begin(mine) is Turn.TAKEN


def test_a_task_delivered_again_after_its_work_was_done_does_nothing(waiters: Waiters) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    for waiter in waiters.drain(mine):
        waiters.answered(waiter)
    assert waiters.begin(mine) is Turn.DONE


def test_a_task_delivered_again_after_a_crash_answers_only_who_is_left(waiters: Waiters) -> None:
    mine, other = ticket("mine"), ticket("other", after=1)
    for asked in (mine, other):
        waiters.join(asked)
    waiters.answered(mine)  # and here the worker was killed
    assert waiters.begin(mine) is Turn.RUN
    assert [waiter.id for waiter in waiters.drain(mine)] == ["other"]


def test_a_run_goes_on_when_redis_has_lost_its_memory(waiters: Waiters, redis: Redis) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    redis.flushall()
    assert not waiters.is_known(mine)
    assert waiters.begin(mine) is Turn.RUN
    assert [waiter.id for waiter in waiters.drain(mine)] == ["mine"]


@pytest.mark.parametrize(
    ("holder", "kept"), [("mine", True), ("nobody", True), ("other", False)], ids=lambda value: str(value)
)
def test_a_lease_is_renewed_unless_another_run_has_it(waiters: Waiters, redis: Redis, holder: str, kept: bool) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    if holder != "mine":
        lose_the_run(redis, mine)
    if holder == "other":
        waiters.join(ticket("other"))
    assert waiters.renew(mine) is kept


def test_a_question_whose_run_vanished_is_overdue_for_one_caller_only(waiters: Waiters, redis: Redis) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    assert waiters.overdue() == ()
    lose_the_run(redis, mine)
    assert [(overdue.ticket.id, overdue.runs_lost) for overdue in waiters.overdue()] == [("mine", 1)]
    assert waiters.overdue() == ()


def test_lost_runs_are_counted_until_the_question_is_answered(waiters: Waiters, redis: Redis) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    counts = []
    for _ in range(3):
        lose_the_run(redis, mine)
        counts += [overdue.runs_lost for overdue in waiters.overdue()]
    for waiter in waiters.drain(mine):
        waiters.answered(waiter)
    again = replace(mine, id="again")
    waiters.join(again)
    lose_the_run(redis, again)
    counts += [overdue.runs_lost for overdue in waiters.overdue()]
    assert counts == [1, 2, 3, 1]


def test_what_nobody_can_read_keeps_no_question_open(waiters: Waiters, redis: Redis) -> None:
    mine = ticket("mine")
    waiters.join(mine)
    redis.hset(f"cilium-triage:waiting:{mine.key}", "alien", "{}")
    assert [waiter.id for waiter in waiters.waiting(mine)] == ["mine"]


def test_a_waiter_whose_answer_failed_stays_for_another_run(waiters: Waiters) -> None:
    mine, other = ticket("mine"), ticket("other", after=1)
    for asked in (mine, other):
        waiters.join(asked)
    for waiter in waiters.drain(mine):
        if waiter.id == "mine":
            waiters.answered(waiter)
    assert [overdue.ticket.id for overdue in waiters.overdue()] == ["other"]


@pytest.mark.parametrize("decode", [True, False], ids=["text", "bytes"])
def test_it_does_not_matter_whether_the_client_decodes(
    redis_server: object, redis: Redis, decode: bool, connect: Callable[[bool], Redis]
) -> None:
    waiters = Waiters(connect(decode))
    mine = ticket("mine")
    assert waiters.join(mine)
    assert waiters.begin(mine) is Turn.RUN
    assert [waiter.id for waiter in waiters.drain(mine)] == ["mine"]
