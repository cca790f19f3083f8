"""How things stand in Redis, as figures: what waits, for how long, and whether anybody is there to do it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from redis import Redis
from redis.exceptions import RedisError

import bot.metrics as metrics
from bot.cards.outbox import Outbox
from bot.clusters import Clusters
from bot.digests.due import due_between
from bot.digests.kept import Subscriptions
from bot.digests.subscription import Subscription
from bot.dispatch import queue_key
from bot.fixes.kept import FixWatches
from bot.metrics import Metric
from bot.waiters import Waiters

_LOOK_BACK = timedelta(days=1)
"""How far back it is reckoned since when a digest is due."""

log = structlog.get_logger(__name__)


class Backlog:
    """Reads the figures. Any thread may use it."""

    def __init__(
        self, redis: Redis, *, prefix: str = "cilium-triage", now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._now = now
        self._clusters = Clusters(redis, prefix=prefix)
        self._waiters = Waiters(redis, prefix=prefix)
        self._outbox = Outbox(redis, prefix=prefix)
        self._fix_watches = FixWatches(redis, prefix=prefix)
        self._subscriptions = Subscriptions(redis, prefix=prefix)

    def gauges(self) -> Mapping[Metric, float]:
        """Return all figures; where Redis does not answer, that alone. Raises nothing."""
        try:
            return {metrics.REDIS_UP: 1, **dict(self._read())}
        except RedisError as error:
            log.warning("backlog_not_read", error=type(error).__name__)
            return {metrics.REDIS_UP: 0}

    def _read(self) -> Iterator[tuple[Metric, float]]:
        now = self._now()
        yield metrics.WORKERS_THERE, self._clusters.is_anybody_there()
        yield metrics.QUEUE_LENGTH, self._queued()
        waiting = self._waiters.listed()
        yield metrics.WAITING, len(waiting)
        yield metrics.OLDEST, _age(now, (ticket.asked_at for ticket in waiting))
        yield metrics.OUTBOX, self._outbox.waiting_everywhere(now)
        yield metrics.FIX_WATCHES, self._fix_watches.count()
        subscribed = [one for one in self._subscriptions.listed() if not one.is_paused]
        yield metrics.SUBSCRIPTIONS, len(subscribed)
        yield metrics.DIGEST_OVERDUE, _age(now, (due for one in subscribed for due in _first_due(one, now)))
        memory = self._redis.info("memory")
        yield metrics.REDIS_MEMORY, float(memory.get("used_memory", 0))
        yield metrics.REDIS_LIMIT, float(memory.get("maxmemory", 0))

    def _queued(self) -> int:
        with self._redis.pipeline(transaction=False) as pipe:
            for cluster in ("", *self._clusters.looked_at()):
                pipe.llen(queue_key(self._prefix, cluster))
            return sum(pipe.execute())


def _age(now: datetime, moments: Iterable[datetime]) -> float:
    return max(0.0, (now - min(moments, default=now)).total_seconds())


def _first_due(subscription: Subscription, now: datetime) -> tuple[datetime, ...]:
    return due_between(subscription.timetable, max(subscription.told, now - _LOOK_BACK), now)[:1]
