"""``/cilium watch``: asked again and again, across restarts, until the fix worked, somebody stops it, or time is up."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from bot.fixes.fix_watch import EVERY, GRACE, CardPlace, FixWatch
from bot.fixes.kept import FixWatches, TooManyWatchesError
from bot.fixes.rounds import FixRounds
from bot.fixes.telling import Telling
from bot.orders.watch import Do, parse
from bot.render.failure import timeout
from bot.surface import Answer
from bot.surfaces.fix import FixSurface
from bot.ticket import Ticket
from bot.waiters import Waiters
from handlers.commands.command import NotUnderstoodError
from handlers.model.report import Report
from tests.bot.conftest import Bot
from tests.fixes.moments import ASKED, A, B, before, denied, opened

HERE = "#incident-42"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class Watching:
    """A watch as a person began it, its clock, and the worker's side of it."""

    bot: Bot
    at: timedelta = timedelta(0)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def begin(self, words: str = f"watch {ASKED} 10m") -> None:
        self.bot.slack.command("ada", HERE, "/cilium", words)
        self.bot.slack.wait_for(lambda: self.bot.web.fix_rounds.watches.listed())
        self.bot.settle()
        self.at += timedelta(seconds=5)

    def now(self) -> datetime:
        return self.began + self.at

    def looked(self) -> list[Ticket]:
        """Let a process that has just started ask what is due, and return what the workers find."""
        rounds = self.bot.web.fix_rounds
        asked = len(self.bot.queue.tickets())
        FixRounds(rounds.watches, self.telling(), rounds.watch, self.now).look()
        return self.bot.queue.tickets()[asked:]

    def answered(self, report: Report) -> None:
        """Let time pass until it is due, and a worker answer."""
        (ticket,) = self.looked()
        answer = Answer(report, self.telling().reports.save(report))
        self._told(ticket, lambda surface, waiter: surface.answer(waiter, answer))

    def failed(self) -> None:
        """Let a worker give up."""
        (ticket,) = self.looked()
        self._told(ticket, lambda surface, waiter: surface.fail(waiter, timeout(timedelta(seconds=40))))

    def _told(self, ticket: Ticket, tell: Callable[[FixSurface, Ticket], None]) -> None:
        waiters = Waiters(self.bot.queue.redis)
        waiters.begin(ticket, "run")
        for waiter in waiters.drain(ticket, "run"):
            tell(FixSurface(self.telling()), waiter)
            waiters.answered(waiter)
        self.at += EVERY + timedelta(seconds=2)

    def ordered(self, words: str) -> str:
        """Give an order, and return what is said of it."""
        self.bot.slack.command("ada", HERE, "/cilium", words)
        return self.bot.said_to("ada", HERE)

    def telling(self) -> Telling:
        known = self.bot.web.fix_rounds.telling
        return Telling(known.watches, known.reports, known.publisher, known.cards, self.now)

    def shown(self) -> dict[str, Any]:
        return next(one for one in self.bot.slack.messages(HERE) if not one["only_for"])


@pytest.fixture
def watching(bot: Bot) -> Watching:
    return Watching(bot)


def test_it_says_by_itself_that_the_fix_worked_with_who_and_when(watching: Watching) -> None:
    watching.begin()
    assert "Watching shop/frontend → shop/cart 8080 until" in watching.shown()["text"]
    watching.answered(before())
    assert "shop/frontend → shop/cart 8080: blocked; the last drop is of" in watching.shown()["text"]
    watching.answered(opened().dropped(A, B, 8080, at=200).ask(ASKED))
    assert "opened by kubectl-edit of shop/allow at 11:57:00 UTC, no packet seen" in watching.shown()["text"]
    watching.answered(opened().worked(A, B, 8080, at=60).ask(ASKED))
    fixed = "fixed by kubectl-edit of shop/allow at 11:57:00 UTC, packets pass since, last at 11:59:00 UTC"
    assert fixed in watching.shown()["text"]
    assert [fixed in reply["text"] for reply in watching.bot.slack.replies(watching.shown())] == [True]
    assert watching.looked() == []


def test_what_is_not_mended_in_time_is_said_to_be_so(watching: Watching) -> None:
    watching.begin(f"watch {ASKED} 5m")
    watching.answered(before())
    watching.at = timedelta(minutes=5, seconds=10)
    watching.answered(denied().dropped(A, B, 8080, at=20).ask(ASKED))
    said = "watched for 5 minutes: still blocked, nothing changed; the last drop is of 11:59:40 UTC"
    assert said in watching.shown()["text"]
    assert watching.bot.web.fix_rounds.watches.listed() == ()


def test_a_look_that_failed_is_no_fix_and_the_next_one_may_succeed(watching: Watching) -> None:
    watching.begin()
    watching.answered(before())
    watching.failed()
    assert "cannot tell, because " in watching.shown()["text"]
    watching.answered(opened().worked(A, B, 8080, at=60).ask(ASKED))
    assert "fixed by kubectl-edit" in watching.shown()["text"]


def test_a_watch_that_nobody_answers_ends_all_the_same(watching: Watching) -> None:
    watching.begin()
    watching.at = timedelta(minutes=10) + GRACE * 2
    assert watching.looked() == []
    assert "watched for 10 minutes: cannot tell, because no answer came in time" in watching.shown()["text"]
    assert watching.bot.web.fix_rounds.watches.listed() == ()


def test_a_place_watches_a_question_once_lists_it_and_stops_it(watching: Watching) -> None:
    watching.begin()
    assert "is watched here already" in watching.ordered(f"watch {ASKED}")
    watching.bot.slack.command("ada", HERE, "/cilium", "watch list")
    watching.bot.slack.command("ada", HERE, "/cilium", f"watch stop {ASKED}")

    def alone() -> list[str]:
        return [one["text"] for one in watching.bot.slack.messages(HERE) if one["only_for"]]

    told = watching.bot.slack.wait_for(lambda: alone() if len(alone()) == 3 else [])
    assert {text.partition(" until ")[0] for text in told[1:]} == {
        "shop/frontend → shop/cart 8080",
        "Watched no more: shop/frontend → shop/cart 8080.",
    }
    assert watching.looked() == []


ORDERS: dict[str, tuple[str, Do, str, float]] = {
    "a question": ("why shop/frontend shop/cart 8080", Do.BEGIN, "why shop/frontend shop/cart 8080", 10),
    "a question and a span": ("why shop/frontend shop/cart 8080 30m", Do.BEGIN, "why shop/frontend shop/cart 8080", 30),
    "for a span": ("why shop/frontend shop/cart for 1h", Do.BEGIN, "why shop/frontend shop/cart", 60),
    "how far back flows are looked at is no span": (
        "why shop/frontend shop/cart since 5m",
        Do.BEGIN,
        "why shop/frontend shop/cart since 5m",
        10,
    ),
    "a sentence": ("can shop/frontend reach shop/cart on 8080? 20m", Do.BEGIN, "why shop/frontend shop/cart 8080", 20),
    "a cluster": ("why shop/a shop/b 80 cluster prod", Do.BEGIN, "why shop/a shop/b 80", 10),
    "a cluster before the span": ("why shop/a shop/b 80 cluster prod 20m", Do.BEGIN, "why shop/a shop/b 80", 20),
    "a cluster behind the span": ("why shop/a shop/b 80 20m cluster prod", Do.BEGIN, "why shop/a shop/b 80", 20),
    "nothing": ("", Do.LIST, "", 10),
    "all of them": ("stop", Do.STOP, "", 10),
    "one of them": ("stop why shop/frontend shop/cart 8080", Do.STOP, "why shop/frontend shop/cart 8080", 10),
}


@pytest.mark.parametrize(("words", "do", "question", "minutes"), ORDERS.values(), ids=ORDERS)
def test_what_an_order_means(words: str, do: Do, question: str, minutes: float) -> None:
    wanted = parse(words)
    typed = wanted.typed
    told = (str(typed.asked), typed.span, typed.cluster) if typed else ("", timedelta(minutes=minutes), "")
    cluster = "prod" if "cluster prod" in words else ""
    assert (wanted.do, *told) == (do, question, timedelta(minutes=minutes), cluster)


@pytest.mark.parametrize("words", ["drops shop", "why shop/frontend shop/cart 2h", "why shop/frontend shop/cart 0m"])
def test_what_cannot_be_watched_is_refused(words: str) -> None:
    with pytest.raises(NotUnderstoodError):
        parse(words)


def a_watch(name: str) -> FixWatch:
    card = CardPlace("T1", "C1", "f1")
    return FixWatch(name, ASKED, "why", "title", card, "U1", NOON, NOON + timedelta(minutes=10))


def test_what_is_due_is_asked_by_one_process_alone_and_again_later(redis: Redis) -> None:
    watches = FixWatches(redis)
    assert watches.begin(a_watch("w1"), due=NOON)
    assert not watches.begin(a_watch("w1"), due=NOON)
    assert [one.id for one in watches.take(NOON)] == ["w1"]
    assert FixWatches(redis).take(NOON) == ()
    assert [one.id for one in FixWatches(redis).take(NOON + EVERY * 2)] == ["w1"]


def test_no_more_is_watched_than_may_be(redis: Redis) -> None:
    watches = FixWatches(redis, most=1)
    watches.begin(a_watch("w1"), due=NOON)
    with pytest.raises(TooManyWatchesError):
        watches.begin(a_watch("w2"), due=NOON)
    assert watches.end("w1")
    assert not watches.end("w1")
    assert watches.begin(a_watch("w2"), due=NOON)


def test_what_lasts_long_is_asked_ever_more_seldom(redis: Redis) -> None:
    watches = FixWatches(redis)
    watches.begin(replace(a_watch("w1"), until=NOON + timedelta(hours=1)), due=NOON)
    moment, asked = NOON, []
    while moment < NOON + timedelta(hours=1):
        asked += [moment for _ in watches.take(moment)]
        moment += timedelta(seconds=11)
    within = [sum(span <= moment - NOON < span + timedelta(minutes=10) for moment in asked) for span in TENS]
    assert within == sorted(within, reverse=True)
    assert 25 <= within[0] <= 30
    assert within[-1] <= 6


TENS = [timedelta(minutes=10 * number) for number in range(6)]
