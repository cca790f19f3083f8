"""What the environment says, and how its mistakes are told."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.log import configure_logging
from bot.settings import Mode, NotConfiguredError, load_settings

FULL = {
    "SLACK_BOT_TOKEN": "xoxb-1-secret",
    "SLACK_APP_TOKEN": "xapp-1-secret",
    "SLACK_SIGNING_SECRET": "signing-secret",
    "REDIS_URL": "redis://:redis-secret@redis:6379/0",
}


def environment(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> None:
    for name, value in {**FULL, **changes}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


def test_socket_mode_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    assert load_settings().mode is Mode.SOCKET


def test_secrets_are_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    assert "secret" not in f"{load_settings()!r} {load_settings()}".replace("slack_signing_secret", "")


def test_lists_are_separated_by_commas_or_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, CILIUM_TRIAGE_VIEWER_USERS="U1, U2 U3")
    assert load_settings().viewer_users == {"U1", "U2", "U3"}


MISTAKES: dict[str, tuple[dict[str, str | None], str]] = {
    "no bot token": ({"SLACK_BOT_TOKEN": None}, "SLACK_BOT_TOKEN is not set: set it to the bot token"),
    "no redis": ({"REDIS_URL": None}, "REDIS_URL is not set"),
    "socket mode without its token": ({"SLACK_APP_TOKEN": None}, "SLACK_APP_TOKEN is not set: Socket Mode needs"),
    "http mode without its secret": (
        {"CILIUM_TRIAGE_MODE": "http", "SLACK_SIGNING_SECRET": None},
        "SLACK_SIGNING_SECRET is not set: HTTP mode needs",
    ),
    "a mode that does not exist": ({"CILIUM_TRIAGE_MODE": "smoke"}, "CILIUM_TRIAGE_MODE: Input should be 'socket' or"),
    "a port that is none": ({"CILIUM_TRIAGE_PORT": "web"}, "CILIUM_TRIAGE_PORT: Input should be a valid integer"),
}


@pytest.mark.parametrize("story", MISTAKES)
def test_a_mistake_is_told_by_the_name_of_the_variable(monkeypatch: pytest.MonkeyPatch, story: str) -> None:
    changes, told = MISTAKES[story]
    environment(monkeypatch, **changes)
    with pytest.raises(NotConfiguredError) as failure:
        load_settings()
    assert told in str(failure.value)
    assert "secret" not in str(failure.value).replace("SLACK_SIGNING_SECRET", "").replace("signing secret", "")


SECRETS = (
    "xoxb-12345-67890-abcDEF",
    "xapp-1-A1-2-abc",
    "xoxe.xoxp-1-abc",
    "redis-password",
    "T1/99/response-right",
)


@pytest.fixture
def _logging_restored() -> Iterator[None]:
    root, ours = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**ours)


@pytest.mark.usefixtures("_logging_restored")
def test_no_secret_and_no_stack_reaches_the_log_from_us_or_from_a_library(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("DEBUG")
    sentence = (
        "token xoxb-12345-67890-abcDEF and xapp-1-A1-2-abc and xoxe.xoxp-1-abc for redis://user:redis-password@host "
        "by https://hooks.slack.com/commands/T1/99/response-right"
    )
    structlog.get_logger("ours").warning("event", note=sentence)
    logging.getLogger("theirs").warning("%s", sentence)
    try:
        raise ValueError(sentence)
    except ValueError:
        logging.getLogger("theirs").exception("failed")
        structlog.get_logger("ours").exception("failed")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 4
    assert all({"event", "level", "logger", "timestamp"} <= set(line) for line in lines)
    assert not [secret for secret in SECRETS if secret in str(lines)]
    assert "Traceback" not in str(lines)
    assert [line["error"] for line in lines if "error" in line] == ["ValueError", "ValueError"]
