"""Which clusters somebody looks at now: every worker says so again and again, and is forgotten when it stops."""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog
from redis import Redis
from redis.exceptions import RedisError

SAY_EVERY = 10.0
"""Seconds after which a worker says again what it looks at."""
_FORGOTTEN_AFTER = 45.0
"""Seconds: a worker that restarts is not missed."""
_KEEP = timedelta(hours=1)
_MOST = 1_000

log = structlog.get_logger(__name__)


class Clusters:
    """The names of the clusters that workers look at, in Redis. Any thread may use it."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage", clock: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._key = f"{prefix}:clusters"
        self._clock = clock

    def say(self, names: Iterable[str]) -> None:
        """Say what this worker looks at; raises nothing, for it says so again."""
        now = self._clock()
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.zadd(self._key, {name: now for name in names if name} or {"": now})
                pipe.zremrangebyscore(self._key, "-inf", now - _FORGOTTEN_AFTER)
                pipe.zremrangebyrank(self._key, 0, -_MOST - 1)
                pipe.expire(self._key, _KEEP)
                pipe.execute()
        except RedisError as error:
            log.warning("clusters not said", error=type(error).__name__)

    def is_anybody_there(self) -> bool:
        """Whether any worker has lately said what it looks at, a name or none. Raises RedisError."""
        return bool(self._redis.zcount(self._key, self._clock() - _FORGOTTEN_AFTER, "+inf"))

    def looked_at(self) -> tuple[str, ...]:
        """Return the names of all clusters that have one and are looked at now; none where Redis does not answer."""
        try:
            found = self._redis.zrangebyscore(self._key, self._clock() - _FORGOTTEN_AFTER, "+inf")
        except RedisError as error:
            log.warning("clusters not read", error=type(error).__name__)
            return ()
        names = (one.decode() if isinstance(one, bytes) else str(one) for one in found)
        return tuple(sorted(filter(None, names)))
