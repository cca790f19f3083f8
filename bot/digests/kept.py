"""All subscriptions and what they told, in Redis: the web process writes them, the workers read when each is due."""

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from redis import Redis

from bot.digests.subscription import Subscription
from bot.transaction import atomically, text_of
from handlers.digests.form import NotADigestError, moment_from, moment_json
from handlers.digests.moment import Moment
from handlers.model.wire import WireError, decode, encode

MOST = 200
"""Subscriptions of all channels together."""
KEEP = timedelta(days=100)
"""How long what was told is compared with."""
RUNS = 60
"""Runs of which drops are remembered, for the chart."""

log = structlog.get_logger(__name__)


class TooManySubscriptionsError(Exception):
    """As many digests are subscribed as may be."""


class Subscriptions:
    """The store. Any thread and any process may use it; every method may raise redis.RedisError."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage", most: int = MOST) -> None:
        """Take a client, with or without decoded responses."""
        self._redis = redis
        self._prefix = prefix
        self._most = most
        self._all = f"{prefix}:digests"

    def add(self, subscription: Subscription) -> None:
        """Keep a subscription.

        Raises:
            TooManySubscriptionsError: if there are too many.
        """

        def put(pipe: Any) -> None:
            count = pipe.hlen(self._all)
            pipe.multi()
            if count >= self._most:
                raise TooManySubscriptionsError(f"There are {self._most} digests already; remove one first.")
            pipe.hset(self._all, subscription.id, _written(subscription))

        atomically(self._redis, put, self._all)

    def find(self, name: str) -> Subscription | None:
        """Return a subscription, None where there is none, or another release wrote it."""
        return _read(self._redis.hget(self._all, name))

    def listed(self) -> tuple[Subscription, ...]:
        """Return all, in the order in which they were subscribed."""
        found: Any = self._redis.hvals(self._all)
        return tuple(sorted(filter(None, map(_read, found)), key=lambda one: (one.since, one.id)))

    def change(self, name: str, step: Callable[[Subscription], Subscription]) -> Subscription | None:
        """Put what ``step`` makes of a subscription in its place; None where it was removed."""

        def put(pipe: Any) -> Subscription | None:
            found = _read(pipe.hget(self._all, name))
            pipe.multi()
            if found is None:
                return None
            changed = step(found)
            pipe.hset(self._all, name, _written(changed))
            return changed

        return atomically(self._redis, put, self._all)

    def remove(self, name: str) -> bool:
        """Forget a subscription and what it told; False where there is none."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(self._all, name)
            pipe.delete(self._last(name), self._runs(name))
            return bool(pipe.execute()[0])

    def last(self, name: str) -> Moment | None:
        """Return the moment that was told last, None where none is, or another release wrote it."""
        return _unpacked(self._redis.get(self._last(name)))

    def runs(self, name: str) -> tuple[Moment, ...]:
        """Return the last runs, oldest first, with what was counted and nothing else."""
        found: Any = self._redis.lrange(self._runs(name), 0, -1)
        return tuple(filter(None, map(_unpacked, reversed(found))))

    def tell(self, name: str, moment: Moment, step: Callable[[Subscription], Subscription]) -> None:
        """Note that a moment was told; the next one is compared with it. Nothing is kept of what was removed."""

        def put(pipe: Any) -> None:
            found = _read(pipe.hget(self._all, name))
            pipe.multi()
            if found is None:
                return
            pipe.hset(self._all, name, _written(step(found)))
            pipe.set(self._last(name), _packed(moment), ex=KEEP)
            pipe.lpush(self._runs(name), _packed(_counted(moment)))
            pipe.ltrim(self._runs(name), 0, RUNS - 1)
            pipe.expire(self._runs(name), KEEP)

        atomically(self._redis, put, self._all)

    def begin(self, name: str, due: datetime, *, lasts: timedelta) -> bool:
        """Take the run of one due time, for as long as it may last; False while another process has it."""
        key = f"{self._prefix}:digests:run:{name}:{due.isoformat()}"
        return bool(self._redis.set(key, "1", nx=True, ex=lasts))

    def end(self, name: str, due: datetime) -> None:
        """Let a run go that came to nothing, so that it is tried again soon."""
        self._redis.delete(f"{self._prefix}:digests:run:{name}:{due.isoformat()}")

    def _last(self, name: str) -> str:
        return f"{self._prefix}:digests:last:{name}"

    def _runs(self, name: str) -> str:
        return f"{self._prefix}:digests:runs:{name}"


def _counted(moment: Moment) -> Moment:
    causes = tuple(replace(one, evidence=one.evidence[:1], extent=(), nodes=()) for one in moment.causes[:20])
    return replace(moment, problems=causes, doubts=(), carried=(), figures=(), versions=())


def _written(subscription: Subscription) -> str:
    return json.dumps(encode(subscription))


def _read(body: Any) -> Subscription | None:
    if body is None:
        return None
    try:
        found: Subscription = decode(Subscription, json.loads(text_of(body)))
    except (WireError, ValueError) as error:
        log.warning("subscription_not_read", reason=str(error)[:200])
        return None
    return found


def _packed(moment: Moment) -> str:
    # Text, since one client of the web process decodes what it reads.
    return zlib.compress(json.dumps(moment_json(moment)).encode()).hex()


def _unpacked(body: Any) -> Moment | None:
    if body is None:
        return None
    try:
        return moment_from(json.loads(zlib.decompress(bytes.fromhex(text_of(body)))))
    except (NotADigestError, ValueError, zlib.error) as error:
        log.warning("moment_not_read", reason=str(error)[:200])
        return None
