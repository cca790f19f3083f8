"""The rules of channels: who says what holds where, and what holds where that cannot be read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.channel_rules import NOBODY, Audience, ChannelRules, QuietHours, Route, RuleError, Said, Verbosity, checked
from bot.channels import MOST_SAID, Channels, ChannelsFullError

ROOM, OTHER = "C0INCIDENT", "C0PLATFORM"


@dataclass
class Names:
    """Slack's names, None for those that it does not tell."""

    known: dict[str, str | None] = field(default_factory=lambda: {ROOM: "inc-2041", OTHER: "platform"})

    def name_of(self, channel: str) -> str | None:
        return self.known.get(channel)

    def joined(self) -> Mapping[str, str]:
        return {channel: name or "" for channel, name in self.known.items()}


NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


@pytest.fixture
def channels(redis: Redis) -> Callable[..., Channels]:
    return lambda *start, names=None, clock=lambda: 0.0: Channels(
        redis, names or Names(), start, clock=clock, now=lambda: NOW
    )


def test_nothing_set_is_no_incident_channel(channels: Callable[..., Channels]) -> None:
    assert channels().rules(ROOM) == ChannelRules()


PATTERN_AT_START = Said("inc-*", "verbosity", "verbose")
ID_AT_START = Said(ROOM, "verbosity", "quiet")

NEAREST: dict[str, tuple[tuple[Said, ...], list[tuple[str, str, str]], Verbosity]] = {
    "a pattern of the environment": ((PATTERN_AT_START,), [], Verbosity.VERBOSE),
    "an id of the environment before a pattern of it": ((PATTERN_AT_START, ID_AT_START), [], Verbosity.QUIET),
    "a pattern in Slack before an id of the environment": (
        (ID_AT_START,),
        [("inc-*", "verbosity", "verbose")],
        Verbosity.VERBOSE,
    ),
    "an id in Slack before a pattern there": (
        (),
        [("inc-*", "verbosity", "verbose"), (ROOM, "verbosity", "quiet")],
        Verbosity.QUIET,
    ),
    "a longer pattern before a shorter one": (
        (),
        [("*", "verbosity", "quiet"), ("inc-*", "verbosity", "verbose")],
        Verbosity.VERBOSE,
    ),
    "a pattern that does not fit says nothing": ((), [("ops-*", "verbosity", "quiet")], Verbosity.NORMAL),
    "a name is a pattern": ((), [("#inc-2041", "verbosity", "quiet")], Verbosity.QUIET),
}


@pytest.mark.parametrize(("start", "said", "holds"), NEAREST.values(), ids=NEAREST)
def test_the_nearest_word_holds(
    channels: Callable[..., Channels], start: tuple[Said, ...], said: list[tuple[str, str, str]], holds: Verbosity
) -> None:
    rules = channels(*start)
    rules.set(said, by="UADA")
    assert rules.rules(ROOM).verbosity is holds


def test_settings_of_several_layers_hold_together_and_say_who_set_them(channels: Callable[..., Channels]) -> None:
    rules = channels(Said("inc-*", "incident", "on"))
    rules.set([(ROOM, "cluster", "prod"), (ROOM, "audience", "user=oncall  group=sre")], by="UADA")
    assert rules.rules(ROOM) == ChannelRules(is_incident=True, cluster="prod", audience=Audience("oncall", ("sre",)))
    at = "2026-11-21T14:00:00+00:00"
    assert set(rules.said_of(ROOM)) == {
        Said("inc-*", "incident", "on"),
        Said(ROOM, "cluster", "prod", "UADA", at),
        Said(ROOM, "audience", "user=oncall group=sre", "UADA", at),
    }


def test_what_one_process_sets_another_hears_within_seconds(channels: Callable[..., Channels]) -> None:
    moment = [0.0]
    here, there = channels(), channels(clock=lambda: moment[0])
    assert not there.rules(ROOM).is_incident
    here.set([(ROOM, "incident", "on")], by="UADA")
    assert (here.rules(ROOM).is_incident, there.rules(ROOM).is_incident) == (True, False)
    moment[0] += 6
    assert there.rules(ROOM).is_incident


def test_what_is_reset_is_the_environments_again(channels: Callable[..., Channels]) -> None:
    rules = channels(Said(ROOM, "verbosity", "verbose"))
    rules.set([(ROOM, "verbosity", "quiet"), (ROOM, "cluster", "prod"), (OTHER, "cluster", "prod")], by="UADA")
    assert rules.reset(ROOM) == 2
    assert rules.rules(ROOM) == ChannelRules(verbosity=Verbosity.VERBOSE)
    assert rules.rules(OTHER).cluster == "prod"


def test_a_name_that_cannot_be_read_closes_what_a_pattern_may_have_set(channels: Callable[..., Channels]) -> None:
    rules = channels(Said("inc-*", "audience", "group=sre"), Said(ROOM, "incident", "on"), names=Names({}))
    found = rules.rules(ROOM)
    assert (found.audience, found.is_incident) == (NOBODY, True)
    assert "the channel's name" in found.unread
    rules.set([(ROOM, "audience", "group=dev")], by="UADA")
    assert rules.rules(ROOM).audience == Audience(groups=("dev",))


def test_what_was_kept_and_cannot_be_read_closes(channels: Callable[..., Channels], redis: Redis) -> None:
    redis.hset("cilium-triage:channels", mapping={f"{ROOM} audience": "{", f"{ROOM} incident": '["?", "U", "x"]'})
    found = channels(Said(ROOM, "audience", "group=sre"), Said(ROOM, "incident", "on")).rules(ROOM)
    assert (found.audience, found.is_incident) == (NOBODY, False)
    assert found.unread == f"audience as it was set of {ROOM}; incident as it was set of {ROOM}"


def test_without_redis_nothing_is_open(gone: Redis) -> None:
    found = Channels(gone, Names(), (Said(ROOM, "incident", "on"),)).rules(ROOM)
    assert (found.audience, found.is_incident, bool(found.unread)) == (NOBODY, False, True)


@pytest.fixture
def gone() -> Redis:
    return Redis(port=1, retry=Retry(NoBackoff(), 0), decode_responses=True)


def test_settings_are_bounded(channels: Callable[..., Channels]) -> None:
    rules = channels()
    rules.set([(f"room-{number}", "incident", "on") for number in range(MOST_SAID)], by="UADA")
    with pytest.raises(ChannelsFullError):
        rules.set([("one-more", "incident", "on")], by="UADA")
    assert len(rules.everything()) == MOST_SAID


def test_one_word_that_cannot_be_set_leaves_all_as_it_was(channels: Callable[..., Channels]) -> None:
    rules = channels()
    with pytest.raises(RuleError):
        rules.set([(ROOM, "incident", "on"), (ROOM, "verbosity", "loud")], by="UADA")
    assert rules.everything() == ()


def test_alerts_go_to_the_channels_that_take_them(channels: Callable[..., Channels]) -> None:
    rules = channels(Said("inc-*", "alerts", "severity=critical namespace=shop-*"), Said(OTHER, "alerts", "all"))
    assert rules.taking({"severity": "critical", "namespace": "shop-eu"}) == (ROOM, OTHER)
    assert rules.taking({"severity": "warning", "namespace": "shop-eu"}) == (OTHER,)


BERLIN = "22:00-07:00 Europe/Berlin"
HOURS: dict[str, tuple[str, datetime, str | None]] = {
    "before midnight they end the next day": (BERLIN, datetime(2026, 11, 21, 22, 30, tzinfo=UTC), "2026-11-22T07:00"),
    "after midnight they end the same day": (BERLIN, datetime(2026, 11, 22, 5, 59, tzinfo=UTC), "2026-11-22T07:00"),
    "at their end they are over": (BERLIN, datetime(2026, 11, 22, 6, 0, tzinfo=UTC), None),
    "by the wall's clock in summer": (BERLIN, datetime(2026, 7, 1, 20, 30, tzinfo=UTC), "2026-07-02T07:00"),
    "not yet in winter": (BERLIN, datetime(2026, 11, 21, 20, 30, tzinfo=UTC), None),
    "over the night in which clocks go back": (BERLIN, datetime(2026, 10, 24, 21, 0, tzinfo=UTC), "2026-10-25T07:00"),
    "within a day": ("09:00-17:00", datetime(2026, 11, 21, 12, 0, tzinfo=UTC), "2026-11-21T17:00"),
    "outside of it": ("09:00-17:00", datetime(2026, 11, 21, 18, 0, tzinfo=UTC), None),
}


@pytest.mark.parametrize(("words", "moment", "until"), HOURS.values(), ids=HOURS)
def test_quiet_hours(words: str, moment: datetime, until: str | None) -> None:
    found = QuietHours.parse(words).until(moment)
    assert (found and f"{found:%Y-%m-%dT%H:%M}") == until


READ: dict[str, tuple[Any, Any]] = {
    "hours": (QuietHours.parse("7:30 - 8:00"), QuietHours(time(7, 30), time(8), "UTC")),
    "an audience": (str(Audience.parse("group=sre user=oncall group=dev")), "user=oncall group=sre group=dev"),
    "nobody": (Audience.parse("nobody"), NOBODY),
    "a route": (str(Route.parse("severity=critical,warning cluster=prod")), "severity=critical,warning cluster=prod"),
}


@pytest.mark.parametrize(("read", "meant"), READ.values(), ids=READ)
def test_words_are_read(read: Any, meant: Any) -> None:
    assert read == meant


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("incident", "perhaps"),
        ("verbosity", ""),
        ("quiet hours", "22:00-25:00 Europe/Berlin"),
        ("quiet hours", "22:00-22:00"),
        ("quiet hours", "22:00-07:00 Europe/Nowhere"),
        ("quiet hours", "22:00-07:00 ../../etc/passwd"),
        ("cluster", "two words"),
        ("audience", "oncall"),
        ("audience", ""),
        ("audience", "user=a user=b"),
        ("alerts", "critical"),
        ("alerts", "severity="),
        ("colour", "red"),
        ("cluster", "x" * 600),
    ],
)
def test_words_that_set_nothing_are_refused(setting: str, words: str) -> None:
    with pytest.raises(RuleError):
        checked(setting, words)
