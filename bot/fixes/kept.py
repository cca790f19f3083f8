"""All watches, in Redis: what is watched, and when each is to be asked again. They outlive every process."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from bot.fixes.fix_watch import EVERY, FixWatch
from bot.transaction import atomically, text_of
from handlers.model.wire import WireError, decode, encode

FOR_EACH = timedelta(seconds=1)
"""How much later for each other watch, so that many of them ask no more often than few."""
SLOWER = 20
"""A watch is asked again no sooner than after this part of the time that it lasts: in the beginning more often."""
MOST = 50
"""Watches at a time."""
KEEP = timedelta(days=1)
"""How long a watch is kept that nobody ends, because no web process lives; then it has no last word."""
_AT_ONCE = 10


class TooManyWatchesError(Exception):
    """As many connections are watched as may be."""


class FixWatches:
    """The store. Any thread and any process may use it."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage", most: int = MOST) -> None:
        self._redis = redis
        self._prefix = prefix
        self._most = most
        self._due = f"{prefix}:fix-watches"

    def begin(self, watch: FixWatch, *, due: datetime) -> bool:
        """Keep a watch, to be asked when it is due; False where its place watches the question already.

        Raises:
            TooManyWatchesError: if there are too many.
            redis.RedisError: if Redis does not answer; then nothing has changed.
        """
        key = self._key(watch.id)

        def put(pipe: Any) -> bool:
            is_there, count = bool(pipe.exists(key)), pipe.zcard(self._due)
            pipe.multi()
            if is_there:
                return False
            if count >= self._most:
                raise TooManyWatchesError(f"I watch {self._most} connections already; stop one first.")
            pipe.set(key, _written(watch), ex=KEEP)
            pipe.zadd(self._due, {watch.id: due.timestamp()})
            pipe.expire(self._due, KEEP)
            return True

        return atomically(self._redis, put, key, self._due)

    def find(self, watch_id: str) -> FixWatch | None:
        """Return a watch, None where it has ended, or another release wrote it."""
        return _read(self._redis.get(self._key(watch_id)))

    def listed(self) -> tuple[FixWatch, ...]:
        """Return all watches, the one that ends first foremost."""
        names = [text_of(name) for name in self._redis.zrange(self._due, 0, -1)]
        found = cast(list[Any], self._redis.mget([self._key(name) for name in names])) if names else []
        return tuple(sorted(filter(None, map(_read, found)), key=lambda one: one.until))

    def count(self) -> int:
        """Return how many there are."""
        return int(self._redis.zcard(self._due))

    def change(self, watch_id: str, step: Callable[[FixWatch], FixWatch]) -> FixWatch | None:
        """Put what ``step`` makes of a watch in its place; None where it has ended."""
        key = self._key(watch_id)

        def put(pipe: Any) -> FixWatch | None:
            watch = _read(pipe.get(key))
            pipe.multi()
            if watch is None:
                return None
            changed = step(watch)
            pipe.set(key, _written(changed), ex=KEEP)
            return changed

        return atomically(self._redis, put, key)

    def end(self, watch_id: str) -> bool:
        """Forget a watch; True for the one caller that ended it."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(self._due, watch_id)
            pipe.delete(self._key(watch_id))
            _, gone = pipe.execute()
        return bool(gone)

    def take(self, now: datetime) -> tuple[FixWatch, ...]:
        """Return the watches that are due, and note when they are due again: no two callers get the same."""

        def claim(pipe: Any) -> list[str]:
            due = [text_of(one) for one in pipe.zrangebyscore(self._due, "-inf", now.timestamp(), 0, _AT_ONCE)]
            later = (now + EVERY + FOR_EACH * pipe.zcard(self._due)).timestamp()
            pipe.multi()
            if due:
                pipe.zadd(self._due, dict.fromkeys(due, later), xx=True)
            return due

        names = atomically(self._redis, claim, self._due)
        found = {name: self.find(name) for name in names}
        if lost := [name for name, watch in found.items() if watch is None]:
            self._redis.zrem(self._due, *lost)
        watches = tuple(watch for watch in found.values() if watch is not None)
        if slower := {watch.id: (now + (now - watch.since) / SLOWER).timestamp() for watch in watches}:
            self._redis.zadd(self._due, slower, xx=True, gt=True)
        return watches

    def _key(self, watch_id: str) -> str:
        return f"{self._prefix}:fix-watch:{watch_id}"


def _written(watch: FixWatch) -> str:
    return json.dumps(encode(watch), separators=(",", ":"))


def _read(text: Any) -> FixWatch | None:
    if not text:
        return None
    try:
        watch = decode(FixWatch, json.loads(text_of(text)))
    except (ValueError, WireError):  # of another release
        return None
    return watch if isinstance(watch, FixWatch) else None
