"""The jobs and the configuration under which they run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from celery.exceptions import TimeLimitExceeded
from celery.schedules import crontab
from redis import Redis

from bot.dispatch import QUEUE, TASK, queue_key
from bot.ticket import Address, Ticket
from bot.waiters import Turn, Waiters
from tools.demo.stack import WORKER
from tools.embedded import EmbeddedRedis
from workers import tasks
from workers.app import app, configuration
from workers.digests import settings_of
from workers.schedule import DUE, beat_schedule
from workers.settings import Digest, WorkerSettings


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")


@pytest.fixture(scope="module")
def configured() -> dict[str, Any]:
    return configuration(WorkerSettings.model_validate({"redis_url": "redis://:hunter2@127.0.0.1:1/0"}))


def test_the_broker_keeps_no_list_of_what_it_handed_out(configured: dict[str, Any]) -> None:
    assert not configured["broker_transport_options"]["ack_emulation"]
    assert configured["worker_disable_prefetch"]
    assert configured["task_soft_time_limit"] < configured["task_time_limit"]


def test_only_json_is_taken(configured: dict[str, Any]) -> None:
    assert (configured["task_serializer"], configured["accept_content"]) == ("json", ["json"])


def test_web_and_worker_agree_on_names(configured: dict[str, Any]) -> None:
    assert tasks.answer.name == TASK
    assert configured["task_default_queue"] == QUEUE


@pytest.mark.parametrize("text", ["", "null", "{}", '{"schema": 99}', "[1]", "\x00"])
def test_what_is_no_ticket_is_put_aside(text: str) -> None:
    tasks.answer.run(text)
    tasks.answer.on_failure(TimeLimitExceeded(5), "id", (text,), {}, None)


@pytest.fixture
def killed(redis_server: EmbeddedRedis, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ticket]:
    """A question whose run, of the message "m1", was killed."""
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    ticket = Ticket("t1", "health", "health", False, Address("slack", {}), datetime.now(UTC))
    waiters = Waiters(redis_client)
    waiters.join(ticket)
    waiters.begin(ticket, "m1")
    with app.connection_for_write(redis_server.url) as connection:
        monkeypatch.setattr(app, "send_task", partial(app.send_task, connection=connection))
        yield ticket


@pytest.mark.parametrize(
    ("error", "message", "messages", "turn"),
    [
        pytest.param(TimeLimitExceeded(5), "m1", 1, Turn.TIMED_OUT, id="by the time limit"),
        pytest.param(ValueError(), "m1", 0, Turn.RUN, id="by something else"),
        pytest.param(TimeLimitExceeded(5), "m2", 0, Turn.RUN, id="by the time limit, when another run has it"),
    ],
)
def test_who_is_told_that_a_run_took_too_long(
    killed: Ticket, redis_client: Redis, error: Exception, message: str, messages: int, turn: Turn
) -> None:
    tasks.answer.on_failure(error, message, (killed.to_json(),), {}, None)
    assert redis_client.llen(queue_key("cilium-triage")) == messages
    assert Waiters(redis_client).begin(killed, "m1") is turn


def test_a_queue_that_is_away_when_the_time_limit_strikes_does_no_harm() -> None:
    ticket = Ticket("t1", "health", "health", False, Address("slack", {}), datetime.now(UTC))
    tasks.answer.on_failure(TimeLimitExceeded(5), "m1", (ticket.to_json(),), {}, None)


def test_the_scheduler_has_workers_look_every_minute_which_digests_are_due() -> None:
    digest = Digest(channel="C1", cron="0 7 * * mon-fri", zone="Europe/Berlin")
    (entry,) = beat_schedule([digest]).values()
    assert entry["task"] == DUE == tasks.digests_due.name
    assert entry["schedule"] == crontab()
    assert settings_of(*entry["args"]) == (digest,)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "REDIS_URL is not set"),
        pytest.param({"REDIS_URL": "redis://127.0.0.1:1/0"}, "SLACK_BOT_TOKEN is not set", marks=pytest.mark.thorough),
        (
            {
                "REDIS_URL": "redis://127.0.0.1:1/0",
                "SLACK_BOT_TOKEN": "xoxb-hunter2",
                "CILIUM_TRIAGE_SOURCE": "sysdump:no-such-file.zip",
            },
            "no-such-file.zip cannot be opened",
        ),
    ],
)
def test_a_worker_that_is_not_configured_says_so_and_ends(environment: dict[str, str], words: str) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "SLACK_BOT_TOKEN")}
    done = subprocess.run(
        [sys.executable, *WORKER], env={**clean, **environment}, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 64, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
