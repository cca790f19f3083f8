"""The rules of channels: the environment's as the start, over them what operators said in Slack, kept in Redis.

A rule is said of a channel by its id, or of every channel whose name fits a pattern (``inc-*``). For each setting the
nearest word holds: what was said in Slack before what the environment says, a channel's id before a pattern, a longer
pattern before a shorter one.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any, Protocol

import structlog
from redis import Redis
from redis.exceptions import RedisError

from bot.channel_rules import (
    ALERTS,
    AUDIENCE,
    INCIDENT,
    READERS,
    ChannelRules,
    Said,
    checked,
    checked_target,
    is_id,
    rules_of,
)

MOST_SAID = 1_000
"""Settings that are kept, of all channels and patterns together."""
KEEP = timedelta(days=365)
"""How long what was said holds after the last time that it was read."""
_REMEMBER = 5.0
"""Seconds for which what was read is not read again: so late another process hears of a change."""

_CLOSED = {INCIDENT: "off", AUDIENCE: "nobody", ALERTS: "none"}
"""What holds of a setting that could not be read, where its default would be more open."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Holding:
    """The nearest word for each setting; ``hidden`` are those of which a nearer one could not be read."""

    said: tuple[Said, ...] = ()
    hidden: frozenset[str] = frozenset()
    unread: str = ""


class Names(Protocol):
    """The names of channels, without ``#``."""

    def name_of(self, channel: str) -> str | None:
        """Return the name of a channel, None where it cannot be read."""
        ...

    def joined(self) -> Mapping[str, str]:
        """Return the channels that the bot is a member of by their ids, as far as they can be read."""
        ...


class ChannelsFullError(Exception):
    """No more settings are taken."""


class Channels:
    """The rules of every channel. One for a process; any of its threads may use it."""

    def __init__(
        self,
        redis: Redis,
        names: Names,
        start: Iterable[Said] = (),
        *,
        prefix: str = "cilium-triage",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take where names are looked up, and what the environment says."""
        self._redis = redis
        self._names = names
        self._start = tuple(start)
        self._key = f"{prefix}:channels"
        self._clock, self._now = clock, now
        self._lock = Lock()
        self._read_at = float("-inf")
        self._kept: tuple[Said, ...] = ()

    def rules(self, channel: str) -> ChannelRules:
        """Return what holds in a channel. Raises nothing; ``unread`` says what could not be read.

        A channel is known by its id alone: in a shared channel people of several workspaces speak, and the rules are
        the same for all of them.
        """
        holds = self._holding(channel)
        closed = {setting: words for setting, words in _CLOSED.items() if setting in holds.hidden}
        return rules_of({one.setting: one.words for one in holds.said} | closed, holds.unread)

    def said_of(self, channel: str) -> tuple[Said, ...]:
        """Return the settings that hold in a channel, each with who said it of what; defaults are not among them."""
        return self._holding(channel).said

    def everything(self) -> tuple[Said, ...]:
        """Return all that is set, of channels and of patterns; Slack's word in the place of the environment's.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        found = {(one.target, one.setting): one for one in (*self._start, *self._read())}
        return tuple(found[key] for key in sorted(found))

    def taking(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return the ids of the channels to which an alert with these labels goes, of those that the bot is in."""
        return tuple(channel for channel in sorted(self._names.joined()) if self.rules(channel).alerts.takes(labels))

    def joined(self) -> Mapping[str, ChannelRules]:
        """Return what holds in each channel that the bot is in, by id."""
        return {channel: self.rules(channel) for channel in sorted(self._names.joined())}

    def set(self, said: Sequence[tuple[str, str, str]], *, by: str) -> None:
        """Keep settings, each a target, a setting and its words; all of them or none.

        Raises:
            RuleError: if one says nothing that can be set.
            ChannelsFullError: if there are too many.
            redis.RedisError: if Redis does not answer.
        """
        at = self._now().isoformat(timespec="seconds")
        kept: dict[Any, Any] = {}
        for target, setting, words in said:
            kept[f"{checked_target(target)} {setting}"] = json.dumps([checked(setting, words), by, at])
        if self._redis.hlen(self._key) + len(kept) > MOST_SAID:
            raise ChannelsFullError(f"I keep at most {MOST_SAID} settings of channels; reset some first.")
        if kept:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(self._key, mapping=kept)
                pipe.expire(self._key, KEEP)
                pipe.execute()
        self._forget()

    def reset(self, target: str) -> int:
        """Forget what was said in Slack of a channel or a pattern, and return how many settings that were.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        fields = [f"{one.target} {one.setting}" for one in self._read(afresh=True) if one.target == target]
        gone = int(self._redis.hdel(self._key, *fields)) if fields else 0
        self._forget()
        return gone

    def _holding(self, channel: str) -> _Holding:
        try:
            kept = self._read()
        except RedisError as error:
            log.error("rules of channels not read", error=type(error).__name__)
            return _Holding(hidden=frozenset(READERS), unread="what was set in Slack, since Redis does not answer")
        by_pattern = any(not is_id(one.target) for one in (*kept, *self._start))
        name = self._names.name_of(channel) if by_pattern else ""
        found: dict[str, Said] = {}
        hidden: dict[str, str] = {}
        for one in _nearest_first(kept, channel, name) + _nearest_first(self._start, channel, name):
            if one.setting in found or one.setting in hidden:
                continue
            if not is_id(one.target) and name is None:
                hidden[one.setting] = f"the channel's name, by which {one.setting} may be set"
            elif not one.words:
                hidden[one.setting] = f"{one.setting} as it was set of {one.target}"
            else:
                found[one.setting] = one
        return _Holding(tuple(found.values()), frozenset(hidden), "; ".join(dict.fromkeys(hidden.values())))

    def _read(self, *, afresh: bool = False) -> tuple[Said, ...]:
        with self._lock:
            if not afresh and self._clock() - self._read_at < _REMEMBER:
                return self._kept
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(self._key)
                pipe.expire(self._key, KEEP)
                found, _ = pipe.execute()
            self._kept = tuple(filter(None, (_said(str(key), str(text)) for key, text in sorted(found.items()))))
            self._read_at = self._clock()
            return self._kept

    def _forget(self) -> None:
        with self._lock:
            self._read_at = float("-inf")


def _said(key: str, text: str) -> Said | None:
    target, _, setting = key.partition(" ")
    try:
        words, by, at = json.loads(text)
        return Said(target, setting, checked(setting, str(words)), str(by), str(at))
    except (ValueError, TypeError) as error:
        log.warning("a setting of a channel is not read", target=target, setting=setting, error=type(error).__name__)
        return Said(target, setting, "") if setting in READERS else None


def _nearest_first(said: Iterable[Said], channel: str, name: str | None) -> list[Said]:
    """Return what was said of a channel, then of the patterns that fit its name; all of them where nobody knows it."""
    fits = [one for one in said if one.target == channel or _fits(one.target, name)]
    return sorted(fits, key=lambda one: (one.target != channel, -len(one.target), one.target))


def _fits(target: str, name: str | None) -> bool:
    return not is_id(target) and (name is None or fnmatchcase(name, target))
