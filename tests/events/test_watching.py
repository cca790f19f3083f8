"""Warnings of a cluster become alerts: once, whichever worker watches, and from where the one before was."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from handlers.alerts.alert import Received
from tests.alerts.payloads import kubernetes_event
from tests.cluster.fake_api import FakeApi
from tools.embedded import EmbeddedRedis
from workers.events.watching import EventWatch, NotHandedOnError
from workers.sources.kube_events import GoneError, KubeEvents, Listed
from workers.sources.kube_transport import ApiError, ClusterAccess, KubeTransport
from workers.sources.unread import UnreadError

NOW = datetime(2026, 11, 21, 14, 40, tzinfo=UTC)
TIMED_OUT = "Readiness probe failed: dial tcp 10.0.0.9:6379: i/o timeout"


def unhealthy(name: str = "redis-0", *, age: float = 0.0) -> dict[str, Any]:
    at = (NOW - timedelta(minutes=age)).isoformat().replace("+00:00", "Z")
    return {**kubernetes_event("Unhealthy", TIMED_OUT, namespace="shop", name=name), "lastTimestamp": at}


@dataclass
class Cluster:
    """What the API server tells: lists, and for each version what came after it."""

    after: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    held: tuple[dict[str, Any], ...] = ()
    asked: list[str] = field(default_factory=list)

    def listed(self, seconds: float) -> Listed:
        self.asked.append("list")
        return Listed("100", self.held, is_whole=True)

    def since(self, version: str, seconds: int) -> Iterator[tuple[str, Any]]:
        self.asked.append(version)
        if version not in self.after:
            raise GoneError(version)
        yield from self.after[version]


@dataclass
class Told:
    """What was handed on."""

    pods: list[tuple[str, str]] = field(default_factory=list)
    is_down: bool = False

    def __call__(self, received: Received) -> None:
        if self.is_down:
            raise NotHandedOnError("down")
        self.pods += [(alert.labels["pod"], alert.cluster) for alert in received.alerts]


@pytest.fixture
def redis(redis_server: EmbeddedRedis) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url, decode_responses=True) as client:
        client.flushall()
        yield client


def watch(cluster: Cluster, redis: Redis, told: Told) -> EventWatch:
    return EventWatch(cluster, redis, told, cluster="prod", now=lambda: NOW)


def test_what_is_said_from_now_on_is_handed_on_and_no_more_than_that(redis: Redis) -> None:
    news = [("101", unhealthy()), ("102", {**unhealthy("cart-0"), "reason": "FailedMount"}), ("103", None)]
    cluster, told = Cluster({"100": news}, held=(unhealthy("old-0", age=5),)), Told()
    assert watch(cluster, redis, told).look()
    assert told.pods == [("redis-0", "prod")]


def test_who_comes_next_goes_on_from_there(redis: Redis) -> None:
    cluster, told = Cluster({"100": [("101", unhealthy())], "101": [("102", unhealthy("cart-0"))]}), Told()
    first = watch(cluster, redis, told)
    first.look()
    redis.delete("cilium-triage:events:prod:watcher")
    watch(cluster, redis, told).look()
    assert cluster.asked == ["list", "100", "101"]
    assert [pod for pod, _ in told.pods] == ["redis-0", "cart-0"]


def test_of_two_workers_one_watches(redis: Redis) -> None:
    cluster, told = Cluster({"100": [], "101": []}), Told()
    first, second = watch(cluster, redis, told), watch(cluster, redis, told)
    assert (first.look(), second.look(), first.look()) == (True, False, True)
    assert cluster.asked == ["list", "100", "100"]


def test_where_the_server_has_forgotten_what_was_missed_is_listed(redis: Redis) -> None:
    cluster, told = Cluster({"7": [("8", None)]}), Told()
    cluster.after["100"] = []
    redis.set("cilium-triage:events:prod:at", '{"version": "9", "at": "2026-11-21T14:30:00+00:00"}')
    cluster.held = (unhealthy("missed-0", age=5), unhealthy("old-0", age=20))
    assert watch(cluster, redis, told).look()
    assert cluster.asked == ["9", "list", "100"]
    assert [pod for pod, _ in told.pods] == ["missed-0"]


def test_what_nobody_could_take_is_heard_again(redis: Redis) -> None:
    cluster, told = Cluster({"100": [("101", unhealthy())]}), Told(is_down=True)
    watching = watch(cluster, redis, told)
    with pytest.raises(NotHandedOnError):
        watching.look()
    told.is_down = False
    watching.look()
    assert (cluster.asked, told.pods) == (["list", "100", "100"], [("redis-0", "prod")])


@pytest.fixture
def api(tmp_path: Path) -> Iterator[tuple[FakeApi, KubeEvents]]:
    with FakeApi({"events": [unhealthy()]}) as server:
        transport = KubeTransport(ClusterAccess(kubeconfig=server.kubeconfig(tmp_path)))
        yield server, KubeEvents(transport)
        transport.close()


def test_the_servers_watch_is_heard(api: tuple[FakeApi, KubeEvents]) -> None:
    server, events = api
    new = unhealthy("cart-0")
    new["metadata"]["resourceVersion"] = "7"
    bookmark = {"type": "BOOKMARK", "object": {"kind": "Event", "metadata": {"resourceVersion": "9"}}}
    server.frames = [{"type": "ADDED", "object": new}, {"type": "DELETED", "object": new}, bookmark]
    listed = events.listed(2)
    assert (listed.version, len(listed.events), listed.is_whole) == ("1", 1, True)
    heard = [(version, event and event["involvedObject"]["name"]) for version, event in events.since("1", 1)]
    assert heard == [("7", "cart-0"), ("7", None), ("9", None)]


def test_a_version_that_is_forgotten_is_gone_and_other_errors_are_said(api: tuple[FakeApi, KubeEvents]) -> None:
    server, events = api
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    server.frames = [{"type": "ERROR", "object": gone}]
    with pytest.raises(GoneError):
        list(events.since("1", 1))
    server.frames = [{"type": "ERROR", "object": {**gone, "code": 403}}]
    with pytest.raises(ApiError):
        list(events.since("1", 1))
    nowhere = KubeEvents(KubeTransport(ClusterAccess(kubeconfig=Path("/nonexistent"))))
    with pytest.raises(UnreadError):
        list(nowhere.since("1", 1))
