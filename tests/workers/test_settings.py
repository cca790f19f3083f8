"""The environment becomes settings, or words that say what to set."""

from pathlib import Path

import pytest

from workers.origin import Live, Recorded, Sysdump
from workers.settings import NotConfiguredError, WorkerSettings, load_settings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@127.0.0.1:6379/0")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-hunter2")
    return monkeypatch


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("live", Live()),
        ("sysdump:/dumps/prod.zip", Sysdump(Path("/dumps/prod.zip"))),
        ("replay:/runs/why.json", Recorded(Path("/runs/why.json"))),
    ],
)
def test_sources(environment: pytest.MonkeyPatch, text: str, origin: object) -> None:
    environment.setenv("CILIUM_TRIAGE_SOURCE", text)
    assert load_settings().served[0].origin == origin


def test_the_limits_stand_in_order(environment: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    assert settings.budget < settings.soft_limit < settings.hard_limit


def test_secrets_are_not_shown(environment: pytest.MonkeyPatch) -> None:
    settings: WorkerSettings = load_settings()
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.model_dump())


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("REDIS_URL", None, "REDIS_URL is not set: set it to a Redis"),
        ("CILIUM_TRIAGE_SOURCE", "sysdump", "CILIUM_TRIAGE_SOURCE"),
        ("CILIUM_TRIAGE_BUDGET", "60", "CILIUM_TRIAGE_BUDGET must be less"),
        ("CILIUM_TRIAGE_BUDGET", "soon", "CILIUM_TRIAGE_BUDGET"),
        ("CILIUM_TRIAGE_DIGESTS", "weekly", "digests"),
        ("CILIUM_TRIAGE_DIGESTS", '[{"channel": "C1", "cron": "at noon", "question": "health"}]', "no cron expression"),
        ("CILIUM_TRIAGE_DIGESTS", '[{"channel": "C1", "cron": "0 7 * * *", "question": "!"}]', "CILIUM_TRIAGE_DIGESTS"),
    ],
)
def test_what_is_wrong_is_named(environment: pytest.MonkeyPatch, name: str, value: str | None, words: str) -> None:
    if value is None:
        environment.delenv(name)
    else:
        environment.setenv(name, value)
    with pytest.raises(NotConfiguredError, match=words) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_digests(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CILIUM_TRIAGE_DIGESTS", '[{"channel": "C1", "cron": "0 7 * * mon-fri", "question": "health"}]')
    (digest,) = load_settings().digests
    assert digest.channel == "C1"
