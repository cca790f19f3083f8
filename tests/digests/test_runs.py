"""Digests are told once: whatever is delivered twice, dies around the minute, or comes back too late."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from celery import Celery
from celery.app import app_or_default
from redbeat import RedBeatScheduler
from redbeat.schedulers import acquire_distributed_beat_lock
from redis import Redis

from bot.digests.kept import RUNS, Subscriptions, TooManySubscriptionsError
from bot.digests.subscription import Subscription
from bot.publish import Publisher
from bot.slack_client import slack_client
from handlers.digests.moment import Moment
from handlers.digests.timetable import Timetable, timetable_of
from tests.digests.build import dropped, drops, moment, problem, report
from tools.embedded import EmbeddedRedis
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits
from tools.playground.server import Playground, running_playground
from workers.digest_reports import NothingAnsweredError
from workers.digests import DigestRuns, settings_of
from workers.schedule import beat_schedule
from workers.settings import Digest

CHANNEL = "#platform"
FULL = problem("MAP_NEARLY_FULL", "map {map} on {node} is full", map="ct4", node="worker-1")
FRIDAY = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
"""Eight in Berlin."""
MONDAY = FRIDAY + timedelta(days=3)
WEEKDAYS = timetable_of("every weekday 08:00 Europe/Berlin health")


@pytest.fixture(scope="module")
def playground() -> Iterator[Playground]:
    with running_playground(installed(rates=RateLimits(enforced=False))) as running:
        yield running


@dataclass
class Office:
    """A channel with subscriptions, a clock, and a cluster that is as the story says."""

    playground: Playground
    subscriptions: Subscriptions
    publisher: Publisher
    channel: str
    now: datetime = FRIDAY - timedelta(hours=1)
    stands: Moment = field(default_factory=lambda: moment(report("health")))
    looks: int = 0
    queued: list[tuple[str, str]] = field(default_factory=list)
    is_away: bool = False

    @property
    def runs(self) -> DigestRuns:
        """What one worker has."""
        return DigestRuns(
            self.subscriptions,
            self.publisher,
            self._look,
            lambda name, due, _cluster: self.queued.append((name, due)),
            lambda: self.now,
        )

    def _look(self, _subscription: Subscription) -> Moment:
        self.looks += 1
        if self.is_away:
            raise NothingAnsweredError("the API server does not answer")
        return self.stands

    def subscribe(self, timetable: Timetable = WEEKDAYS, name: str = "d1") -> None:
        self.subscriptions.add(Subscription(name, "T1", self.channel, timetable, "U1", self.now, self.now))

    def at(self, now: datetime, stands: Moment | None = None) -> list[str]:
        """Let the scheduler look at a time, let a worker do what it queued, and return what stands in the channel."""
        self.now, self.stands = now, stands or self.stands
        self.runs.look_for_due()
        self.work()
        return self.posted()

    def work(self) -> None:
        for name, due in self.queued:
            self.runs.run(name, due)
        self.queued.clear()

    def posted(self) -> list[str]:
        found = (item for item in self.playground.messages(CHANNEL) if item["user"].startswith("U0CILIUM"))
        return [str(item["text"]) for item in found]


@pytest.fixture
def office(playground: Playground, redis_client: Redis) -> Office:
    playground.reset()
    channel = playground.say("ada", CHANNEL, "good morning")["channel"]
    publisher = Publisher(slack_client(playground.settings.bot_token, playground.api_url))
    return Office(playground, Subscriptions(redis_client, prefix="test"), publisher, channel)


def test_monday_is_compared_with_friday(office: Office) -> None:
    office.subscribe()
    assert office.at(FRIDAY) == ["First digest: no problem stands"]
    assert len(office.at(FRIDAY + timedelta(days=1))) == 1
    (_, monday) = office.at(MONDAY, moment(report("health", FULL)))
    assert monday.startswith("1 new since Fri 2026-11-20 08:00 UTC; 1 problem stands")
    assert "map ct4 on worker-1 is full" in monday


def test_a_digest_is_told_once_by_however_many_schedulers_and_workers(office: Office) -> None:
    office.subscribe()
    office.now = FRIDAY
    for _ in range(3):
        office.runs.look_for_due()
    assert len(office.queued) == 3
    office.work()
    office.runs.run("d1", FRIDAY.isoformat())
    assert len(office.posted()) == 1
    assert office.looks == 1


def test_a_worker_that_died_behind_its_post_is_followed_by_one_that_edits_it(
    office: Office, redis_client: Redis
) -> None:
    office.subscribe()
    kept = redis_client.hget("test:digests", "d1")
    office.at(FRIDAY)
    # What the second worker finds, had the first died before it wrote anything.
    redis_client.flushall()
    redis_client.hset("test:digests", "d1", str(kept, "utf-8") if isinstance(kept, bytes) else str(kept))
    assert len(office.at(FRIDAY + timedelta(minutes=7), moment(report("health", FULL)))) == 1
    assert office.posted()[0].startswith("First digest: 1 problem stands")


def test_what_was_missed_within_the_hour_is_told_late(office: Office) -> None:
    office.subscribe()
    posted = office.at(FRIDAY + timedelta(minutes=50))
    assert posted == ["First digest: no problem stands"]
    blocks = str(office.playground.messages(CHANNEL)[-1]["blocks"])
    assert "of Fri 08:00 CET, told late" in blocks


def test_what_was_missed_for_longer_is_said_once(office: Office) -> None:
    office.subscribe()
    words = "The digests of Fri 08:00 CET, Mon 08:00 CET were missed: the scheduler was down."
    assert office.at(MONDAY + timedelta(hours=3)) == [words]
    assert office.at(MONDAY + timedelta(hours=4)) == [words]
    assert len(office.at(MONDAY + timedelta(days=1))) == 2


def test_what_nobody_could_make_within_the_hour_is_no_fault_of_the_scheduler(office: Office) -> None:
    office.subscribe()
    office.playground.cause(server_errors={"chat.postMessage": 1_000})
    assert office.at(FRIDAY) == []
    office.playground.cause(server_errors={"chat.postMessage": -1_000})
    words = "The digest of Fri 08:00 CET was missed: none could be made within the hour."
    assert office.at(FRIDAY + timedelta(hours=2)) == [words]


def test_a_quiet_one_says_nothing_while_nothing_differs_but_once_a_week(office: Office) -> None:
    office.subscribe(timetable_of("every day 08:00 Europe/Berlin health, quiet when unchanged"))
    posts = [len(office.at(FRIDAY + timedelta(days=day))) for day in range(9)]
    assert posts == [1, 1, 1, 1, 1, 1, 1, 2, 2]
    assert office.posted()[-1].startswith("Nothing changed since")


def test_a_paused_one_is_not_told_and_goes_on_from_where_it_is_resumed(office: Office) -> None:
    office.subscribe()
    office.subscriptions.change("d1", lambda one: replace(one, is_paused=True))
    assert office.at(FRIDAY) == []
    office.subscriptions.change("d1", lambda one: replace(one, is_paused=False, told=FRIDAY + timedelta(hours=5)))
    assert office.at(FRIDAY + timedelta(hours=6)) == []
    assert len(office.at(MONDAY)) == 1


def test_a_cluster_that_does_not_answer_is_tried_again_and_then_said(office: Office) -> None:
    office.subscribe()
    office.is_away = True
    assert office.at(FRIDAY) == []
    assert office.at(FRIDAY + timedelta(minutes=1)) == []
    words = "The digest could not be made: the API server does not answer"
    assert office.at(FRIDAY + timedelta(minutes=2)) == [words]
    assert office.at(FRIDAY + timedelta(minutes=3)) == [words]


def test_a_wish_for_one_now_is_delivered_twice_and_told_once(office: Office) -> None:
    office.subscribe()
    for _ in range(2):
        office.runs.run_now("d1", "wish-1")
    assert len(office.posted()) == 1


def test_drops_of_the_last_runs_are_a_chart(office: Office) -> None:
    office.subscribe()
    cause = "ingress of shop/cart denied by CiliumNetworkPolicy shop/cart-lock"
    office.at(FRIDAY, moment(drops(*dropped(cause, 10))))
    office.at(MONDAY, moment(drops(*dropped(cause, 90))))
    blocks = {block["type"]: block for block in office.playground.messages(CHANNEL)[-1]["blocks"]}
    (series,) = blocks["data_visualization"]["chart"]["series"]
    assert [point["value"] for point in series["data"]] == [10.0, 90.0]
    assert blocks["table"]["rows"][1][0]["text"] == "90"


def test_what_is_kept_is_bounded(redis_client: Redis) -> None:
    store = Subscriptions(redis_client, prefix="test", most=2)
    for name in ("d1", "d2"):
        store.add(Subscription(name, "T1", "C1", WEEKDAYS, "U1", FRIDAY, FRIDAY))
    with pytest.raises(TooManySubscriptionsError):
        store.add(Subscription("d3", "T1", "C1", WEEKDAYS, "U1", FRIDAY, FRIDAY))
    for _ in range(RUNS + 3):
        store.tell("d1", moment(drops(*dropped("x", 3))), lambda one: one)
    assert len(store.runs("d1")) == RUNS
    assert all(redis_client.ttl(key) > 0 for key in redis_client.keys("test:digests:*"))
    assert store.remove("d1")
    assert store.last("d1") is None
    assert not redis_client.keys("test:digests:*")


# -- with the scheduler ---------------------------------------------------------------------------------------------


@pytest.fixture
def beat(redis_server: EmbeddedRedis, office: Office) -> Iterator[Callable[[], RedBeatScheduler]]:
    """Starts schedulers, each as a process of its own would; whoever has the lock works."""
    before = app_or_default()
    app = Celery("beat", broker=redis_server.url)
    digest = Digest(channel=office.channel, cron="0 8 * * mon-fri", zone="Europe/Berlin")
    app.conf.update(
        beat_schedule=beat_schedule([digest]),
        redbeat_redis_url=redis_server.url,
        redbeat_lock_timeout=120,
        beat_max_loop_interval=1,
        timezone="UTC",
    )
    app.now = lambda: office.now  # type: ignore[method-assign]

    def started() -> RedBeatScheduler:
        scheduler = RedBeatScheduler(app, lazy=True)
        scheduler.setup_schedule()
        acquire_distributed_beat_lock(SimpleNamespace(scheduler=scheduler))

        def apply_async(entry: object, **_options: object) -> None:
            scheduler.reserve(entry)
            office.runs.look_for_due(settings_of(entry.args[0]))  # type: ignore[attr-defined]

        scheduler.apply_async = apply_async
        return scheduler

    yield started
    app.close()
    before.set_current()


def test_a_scheduler_that_is_killed_around_the_minute_loses_and_doubles_nothing(
    office: Office, beat: Callable[[], RedBeatScheduler], redis_client: Redis
) -> None:
    first = beat()
    office.now = FRIDAY - timedelta(minutes=2)
    first.tick()
    office.now = FRIDAY - timedelta(seconds=1)
    first.tick()
    assert office.queued == []
    # Killed: its lock lapses, and the minute passes without anybody.
    redis_client.delete("redbeat::lock")
    office.now = FRIDAY + timedelta(seconds=80)
    second = beat()
    second.tick()
    office.work()
    assert len(office.posted()) == 1
    office.now = FRIDAY + timedelta(seconds=150)
    second.tick()
    office.work()
    assert len(office.posted()) == 1
    office.now = MONDAY
    second.tick()
    office.work()
    assert len(office.posted()) == 2
