"""The names of the cluster that workers have read, for those who type: bounded, and forgotten after a day.

The web process has no rights in the cluster: it knows what workers put here while they answered, and asks them for
the lists where nothing is there.
"""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog
from redis import Redis
from redis.exceptions import RedisError

from handlers.names.listed import ListedName, NameKind, fitting

MOST_NAMES = 10_000
"""Names that are kept of one cluster, the newest."""
KEEP = timedelta(days=1)
"""How long a name that nobody has read again is suggested."""
_MOST_CLUSTERS = 100
_WISH_AGAIN = timedelta(minutes=10)
"""Between two wishes for the lists of one cluster."""
_REMEMBER = 3.0
"""Seconds for which what was read serves further letters of the same word."""

_NOTHING_READ: tuple[float, tuple[ListedName, ...]] = (float("-inf"), ())

log = structlog.get_logger(__name__)


class Names:
    """The names of one cluster, in Redis. Any thread may use it."""

    def __init__(
        self,
        redis: Redis,
        *,
        cluster: str = "",
        prefix: str = "cilium-triage",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._key = f"{prefix}:names:{cluster}"
        self._clock = clock
        self._read = _NOTHING_READ

    def keep(self, names: Iterable[ListedName]) -> None:
        """Keep names that were just read.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        now = self._clock()
        seen = {f"{name.kind} {name.text}": now for name in names}
        if not seen:
            return
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.zadd(self._key, seen)
            pipe.zremrangebyscore(self._key, "-inf", now - KEEP.total_seconds())
            pipe.zremrangebyrank(self._key, 0, -MOST_NAMES - 1)
            pipe.expire(self._key, KEEP)
            pipe.execute()

    def like(
        self, typed: str, *, most: int, may_see: Callable[[ListedName], bool] = lambda _: True
    ) -> tuple[ListedName, ...]:
        """Return the names that fit what was typed, of those that the reader may see; none where Redis is away."""
        return fitting(filter(may_see, self._all()), typed, most)

    def forget(self) -> None:
        """Forget all of them: from now on rights decide who may know them.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        self._redis.delete(self._key)

    def is_wished(self) -> bool:
        """Say whether workers should be asked for the lists now; for ten minutes after that they need not.

        Who begins to type reads what is known by then.
        """
        self._read = _NOTHING_READ
        try:
            return bool(self._redis.set(f"{self._key}:wished", "1", nx=True, ex=_WISH_AGAIN))
        except RedisError:
            return False

    def _all(self) -> tuple[ListedName, ...]:
        now = self._clock()
        read_at, known = self._read
        if now - read_at < _REMEMBER:
            return known
        try:
            found = self._redis.zrangebyscore(self._key, now - KEEP.total_seconds(), "+inf")
        except RedisError as error:
            log.warning("names not read", error=type(error).__name__)
            return ()
        known = tuple(name for kept in found if (name := _named(kept)) is not None)
        self._read = (now, known)
        return known


class NamesOf:
    """The names of each cluster by the cluster's name."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage") -> None:
        self._redis = redis
        self._prefix = prefix
        self._of: dict[str, Names] = {}

    def __call__(self, cluster: str) -> Names:
        """Return the names of one cluster."""
        if cluster not in self._of and len(self._of) >= _MOST_CLUSTERS:
            self._of.clear()
        return self._of.setdefault(cluster, Names(self._redis, cluster=cluster, prefix=self._prefix))


def _named(kept: object) -> ListedName | None:
    kind, _, text = (kept.decode() if isinstance(kept, bytes) else str(kept)).partition(" ")
    return ListedName(text, NameKind(kind)) if kind in set(NameKind) else None
