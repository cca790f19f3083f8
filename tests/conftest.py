"""Fixtures that every part of the tests shares."""

import os
from collections.abc import Iterator

import pytest
import redis
from hypothesis import settings

from tests.sampling import examples
from tools.embedded import EmbeddedRedis, embedded_redis

# How long one example takes depends on the machine; time is measured by benchmarks.
settings.register_profile("untimed", deadline=None, max_examples=examples(50))
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[EmbeddedRedis]:
    """One real server for each test process."""
    with embedded_redis() as server:
        yield server


@pytest.fixture
def redis_client(redis_server: EmbeddedRedis) -> Iterator[redis.Redis]:
    """A client on an empty database of the real server."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield client


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the machine's owner has set up: a test must not find a real cluster, workspace or Redis."""
    for name in os.environ:
        if name.startswith(("CILIUM_TRIAGE_", "SLACK_", "HUBBLE_", "KUBE")) or name == "REDIS_URL":
            monkeypatch.delenv(name)
