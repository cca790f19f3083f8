"""What Slack and Redis tell of a setup."""

from dataclasses import replace

import pytest
from redis import Redis

from bot.doctor.at_start import look_at_setup
from bot.doctor.kept import KeptSetups
from bot.doctor.slack import slack_state
from bot.render.setup import setup_lines
from bot.scopes import SCOPES
from bot.settings import Settings
from handlers.doctor.check import Check, Standing
from handlers.doctor.redis import RedisState, redis_checks
from handlers.doctor.slack import slack_checks
from tools.playground.server import Playground

FINE = RedisState(
    "redis:6379", is_remote=True, has_password=True, has_tls=True, version="8.0.1", memory_limit=0,
    eviction="noeviction", keeps=True, waiting=0, has_workers=True,
)  # fmt: skip

REDIS = {
    "it is down": ({"unreachable": "Connection refused"}, "redis:6379 does not answer", "REDIS_URL"),
    "it is a replica": ({"is_replica": True}, "is a replica, and takes no writes", "Name the primary"),
    "its disk is full": ({"refused": "MISCONF Errors writing to the AOF"}, "takes no writes: MISCONF", "disk is full"),
    "its user may not write": ({"refused": "NOPERM this user"}, "takes no writes: NOPERM", "ACL SETUSER"),
    "it evicts": ({"eviction": "allkeys-lru", "memory_limit": 1 << 30}, "evicts keys when 1024 MiB", "noeviction"),
    "it forgets": ({"keeps": False}, "a restart loses", "appendonly yes"),
    "it is open to everybody": ({"has_password": False, "has_tls": False}, "without password and TLS", "rediss://"),
    "it is old": ({"version": "5.0.14"}, "5.0.14 is too old", "6.2 or newer"),
    "no worker": (
        {"has_workers": False, "waiting": 7},
        "none has shown a sign of life lately, and 7 questions wait",
        "celery",
    ),
    "too few workers": ({"waiting": 500}, "500 questions wait", "more workers"),
}


def test_a_redis_that_is_fine() -> None:
    assert {check.standing for check in redis_checks(FINE)} == {Standing.FINE}


@pytest.mark.parametrize("row", REDIS)
def test_a_redis_that_is_not(row: str) -> None:
    change, said, remedy = REDIS[row]
    (found,) = [one for one in redis_checks(replace(FINE, **change)) if one.standing is Standing.PROBLEM]  # type: ignore[arg-type]
    assert said in found.said
    assert remedy in found.remedy


def test_a_slack_app_that_is_fine(slack: Playground, settings: Settings) -> None:
    state = slack_state(slack.settings.bot_token, slack.settings.app_token, slack.api_url)
    assert state.scopes is not None
    assert {one.standing for one in slack_checks(state, dict.fromkeys(state.scopes, "-"))} == {Standing.FINE}


def test_a_scope_that_is_missing(slack: Playground) -> None:
    state = slack_state(slack.settings.bot_token, None, slack.api_url)
    assert state.scopes is not None
    less = replace(state, scopes=frozenset(SCOPES) - {"files:write"})
    (found,) = [one for one in slack_checks(less, SCOPES) if one.standing is Standing.PROBLEM]
    assert found.said == "files:write is not granted: evidence and patches come as messages instead of files"
    assert "reinstall the app" in found.remedy


def test_tokens_that_are_wrong(slack: Playground) -> None:
    found = list(slack_checks(slack_state("xoxb-wrong", "xapp-wrong", slack.api_url), SCOPES))
    assert [(one.standing, one.said) for one in found] == [
        (Standing.PROBLEM, "the bot token is not accepted: invalid_auth"),
        (Standing.PROBLEM, "the app-level token is not accepted: invalid_auth"),
    ]
    assert ["SLACK_BOT_TOKEN" in found[0].remedy, "SLACK_APP_TOKEN" in found[1].remedy] == [True, True]


def test_slack_out_of_reach() -> None:
    (found,) = slack_checks(slack_state("xoxb-1", None, "http://127.0.0.1:1/api/"), SCOPES)
    assert (found.standing, "SLACK_API_URL" in found.remedy) == (Standing.UNKNOWN, True)


def test_what_the_web_process_finds_at_its_start_stands_on_app_home(settings: Settings, redis: Redis) -> None:
    found = look_at_setup(settings, redis)
    assert KeptSetups(redis).all() == {"web": tuple(found)}
    lines = setup_lines(KeptSetups(redis).all())
    (worker,) = [line for line in lines if "none has shown a sign of life" in line]
    assert worker.startswith("*web* · workers: ")
    assert "→ Start one: celery -A workers.app worker" in worker


def test_hostile_words_are_shown_as_they_are() -> None:
    (line,) = setup_lines({"<!here>": [Check("relay", Standing.PROBLEM, "<@U1> & co", "*mend* <!channel>")]})
    assert "<!" not in line
    assert "<@" not in line


def test_something_else_under_the_key_is_left_out(redis: Redis) -> None:
    redis.hset("cilium-triage:doctor", mapping={"web": "no json", "worker": '[["a", "b", "c", "d"]]', "x": "7"})
    assert KeptSetups(redis).all() == {}
