"""The server of our own: it answers, keeps what it was told, and never outlives its owner."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from tools.embedded import EmbeddedRedis, RedisNotStartedError, embedded_redis, free_port
from tools.tethered import watch


@retry(retry=retry_if_result(lambda gone: not gone), stop=stop_after_delay(10), wait=wait_fixed(0.02))
def wait_until_gone(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_it_keeps_what_it_was_told_through_a_crash() -> None:
    with embedded_redis() as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("question", "why")
        server.kill()
        server.start()
        with redis.Redis.from_url(server.url) as client:
            assert client.get("question") == b"why"
        directory, port = server.directory, server.port
    assert not directory.exists()
    wait_until_gone(port)


def test_it_wants_a_password_and_shows_it_to_nobody(redis_server: EmbeddedRedis) -> None:
    with (
        redis.Redis(port=redis_server.port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    assert redis_server.password not in repr(redis_server)
    assert redis_server.password not in Path(f"/proc/{redis_server.pid}/cmdline").read_text()


def test_a_port_in_use_is_told_with_what_to_do(redis_server: EmbeddedRedis, tmp_path: Path) -> None:
    second = EmbeddedRedis(tmp_path, redis_server.port, "secret")
    with pytest.raises(RedisNotStartedError, match="set REDIS_URL"):
        second.start()
    assert second.pid is None


OWNER = """
import sys
from tools.embedded import embedded_redis
with embedded_redis() as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


def test_it_dies_with_an_owner_that_is_killed() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    port = int(owner.stdout.readline())
    owner.kill()
    owner.communicate()
    wait_until_gone(port)


def test_a_watched_command_ends_when_its_owner_is_gone() -> None:
    assert watch(parent=os.getpid(), command=["sleep", "60"]) == -signal.SIGTERM


def test_a_watched_command_ends_with_its_own_status() -> None:
    assert watch(parent=os.getppid(), command=[sys.executable, "-c", "raise SystemExit(7)"]) == 7


def test_free_ports_are_free() -> None:
    assert free_port() > 1023
