"""The process itself: it starts, says that it is ready, takes signed deliveries only, and stops when told."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from slack_sdk.signature import SignatureVerifier

from bot.surfaces.slack import where_of
from tests.bot.conftest import Queue
from tools.embedded import EmbeddedRedis
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits
from tools.playground.server import Playground, running_playground

QUESTION = "why shop/frontend shop/cart 8080"

GARBAGE = {
    "nothing": b"",
    "no JSON": b"hello",
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "deep": b"[" * 100_000,
    "an empty object": b"{}",
    "no event": b'{"type":"event_callback","event":null}',
    "an event that is a list": b'{"type":"event_callback","event":[]}',
    "authorizations that are a number": b'{"type":"event_callback","authorizations":7,"event":{"type":"message"}}',
    "a payload that is no JSON": b"payload=xyz",
    "an action of nobody": b'payload={"type":"block_actions","actions":[],"user":7}',
}


@pytest.fixture
def workspace() -> Iterator[Playground]:
    with running_playground(installed(rates=RateLimits(enforced=False))) as running:
        yield running


@contextmanager
def process(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``python -m bot`` until it says that it is ready; gives its address too."""
    with subprocess.Popen(
        [sys.executable, "-m", "bot"], env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        try:
            for line in running.stderr:
                said = json.loads(line)
                if said["event"] == "ready":
                    yield running, f"http://{said['address'][0]}"
                    break
            else:
                pytest.fail("the process ended before it was ready")
        finally:
            running.kill()


def signed(workspace: Playground, body: bytes) -> dict[str, str]:
    moment = str(int(time.time()))
    verifier = SignatureVerifier(workspace.environment()["SLACK_SIGNING_SECRET"])
    signature = verifier.generate_signature(timestamp=moment, body=body.decode(errors="replace"))
    return {"X-Slack-Request-Timestamp": moment, "X-Slack-Signature": str(signature)}


def get(url: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  (our own server)
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_socket_mode_from_start_to_stop(
    workspace: Playground, redis_server: EmbeddedRedis, redis: Redis, queue: Queue
) -> None:
    environment = {**workspace.environment(), "REDIS_URL": redis_server.url, "CILIUM_TRIAGE_PORT": "0"}
    with process(environment) as (running, address):
        workspace.wait_connected()
        assert get(f"{address}/healthz") == (200, {"ok": True})
        assert get(f"{address}/readyz") == (200, {"redis": True, "slack": True})
        assert post(f"{address}/slack/events", b"{}", {}) == 404
        assert workspace.command("ada", "#incident-42", "/cilium", QUESTION)["acknowledged"]
        queue.wait()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0


def test_http_mode_takes_signed_deliveries_only(
    workspace: Playground, redis_server: EmbeddedRedis, redis: Redis, queue: Queue
) -> None:
    environment = {
        **workspace.environment(),
        "REDIS_URL": redis_server.url,
        "CILIUM_TRIAGE_PORT": "0",
        "CILIUM_TRIAGE_MODE": "http",
    }
    with process(environment) as (_, address):
        endpoint = f"{address}/slack/events"
        assert workspace.use_request_url(endpoint)
        asked = workspace.say("ada", "#incident-42", f"@cilium {QUESTION}")
        assert workspace.command("grace", "#incident-42", "/cilium", "help")["payload"]["response_type"] == "ephemeral"
        (ticket,) = queue.wait()
        assert where_of(ticket).thread_ts == asked["ts"]
        body = json.dumps({"type": "event_callback", "event": {"type": "app_mention"}}).encode()
        kind = {"Content-Type": "application/json"}
        assert post(endpoint, body, kind) == 401
        forged = {**kind, "X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=00"}
        assert post(endpoint, body, forged) == 401
        for what, garbage in GARBAGE.items():
            assert post(endpoint, garbage, kind) == 401, what
            assert post(endpoint, garbage, signed(workspace, garbage) | kind) in (400, 401), what
        strange = {"X-Slack-Request-Timestamp": "never", "X-Slack-Signature": "v0=\u00e9"}
        for name, value in strange.items():
            assert post(endpoint, body, signed(workspace, body) | kind | {name: value}) == 401


@pytest.mark.chaos
def test_a_socket_that_falls_silent_is_told_and_replaced(redis_server: EmbeddedRedis, queue: Queue) -> None:
    """Nobody closes it, so nothing but the missing pongs says that nobody is there."""
    quick = installed(rates=RateLimits(enforced=False), ack_deadline=1, retry_delays=(0, 15, 15))
    with running_playground(quick) as workspace:
        environment = {**workspace.environment(), "REDIS_URL": redis_server.url, "CILIUM_TRIAGE_PORT": "0"}
        with process(environment) as (_, address):
            workspace.wait_connected()

            def is_ready() -> bool:
                return get(f"{address}/readyz")[1]["slack"] is True

            assert is_ready()
            assert workspace.silence_sockets() == 1
            asked = workspace.say("ada", "#incident-42", f"@cilium {QUESTION}")
            workspace.wait_for(lambda: not is_ready(), 12)
            workspace.wait_for(is_ready, 15)
            # Slack delivers an event again that nobody acknowledged.
            (ticket,) = workspace.wait_for(queue.tickets, 30)
            assert where_of(ticket).thread_ts == asked["ts"]


REFUSED = {
    "nothing is set": ({}, "SLACK_BOT_TOKEN is not set"),
    "slack does not know the token": ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "slack does not accept the bot token"),
}


@pytest.mark.parametrize("story", REFUSED)
def test_what_cannot_work_ends_at_once_and_says_why(
    workspace: Playground, redis_server: EmbeddedRedis, story: str
) -> None:
    changes, told = REFUSED[story]
    environment = {**workspace.environment(), "REDIS_URL": redis_server.url, **changes} if changes else {}
    ended = subprocess.run(
        [sys.executable, "-m", "bot"], env={**os.environ, **environment}, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 64
    assert told in ended.stderr
    assert "xoxb-wrong" not in ended.stderr
    assert "Traceback" not in ended.stderr
