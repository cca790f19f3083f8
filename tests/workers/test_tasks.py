"""The jobs and the configuration under which they run."""

import os
import subprocess
import sys
from typing import Any

import pytest
from celery.exceptions import TimeLimitExceeded
from celery.schedules import crontab

from bot.dispatch import QUEUE, TASK
from tools.demo.stack import WORKER
from workers import tasks
from workers.app import app, configuration
from workers.schedule import DIGEST, beat_schedule
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
    tasks.give_up.run(text)


def test_only_a_killed_process_is_told_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str, list[str]]] = []
    monkeypatch.setattr(app, "send_task", lambda name, args, task_id, queue: sent.append((name, task_id, args)))
    tasks.answer.on_failure(ValueError(), "id", ("ticket",), {}, None)
    assert sent == []
    tasks.answer.on_failure(TimeLimitExceeded(5), "id", ("ticket",), {}, None)
    assert sent == [(tasks.GIVE_UP, "id", ["ticket"])]


def test_digests_become_entries_of_the_schedule() -> None:
    digest = Digest(channel="C1", cron="0 7 * * mon-fri")
    (entry,) = beat_schedule([digest]).values()
    assert entry["task"] == DIGEST == tasks.digest.name
    assert entry["args"] == ["C1", "health"]
    assert entry["schedule"] == crontab(minute="0", hour="7", day_of_week="mon-fri")


def test_two_digests_of_one_channel_stand_side_by_side() -> None:
    digests = [Digest(channel="C1", cron="0 7 * * *"), Digest(channel="C1", cron="0 7 * * *", question="drops")]
    assert len(beat_schedule(digests)) == 2


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "REDIS_URL is not set"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "SLACK_BOT_TOKEN is not set"),
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
