"""Hands warnings of a cluster on as alerts: ``Unhealthy`` of the kubelet, ``PacketDrop`` of Cilium.

Of all workers one watches at a time, by a lock in Redis. Where it was is kept there, so that whoever comes next goes on
from there; what is heard twice changes nothing.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Protocol

import structlog
from redis import Redis
from redis.exceptions import LockError, RedisError

from handlers.alerts.alert import Received
from handlers.alerts.events import read_events
from workers.sources.kube_events import Event as KubeEvent
from workers.sources.kube_events import GoneError, Listed
from workers.sources.kube_transport import ApiError
from workers.sources.unread import UnreadError

REASONS = frozenset({"Unhealthy", "PacketDrop"})
ROUND = 20
"""Seconds that one watch lasts; between two the lock is renewed."""
_LOCK = 60.0
_PAUSE = 10.0
"""Seconds until the next try, after trouble or where another worker watches."""
_READ = 10.0
_KEEP = timedelta(hours=1)
"""For how long it is known where the watch was: the server itself forgets events after an hour."""
_MOST = 500
"""Events of one round that are handed on; a cluster that says more is in a storm, and its causes are known by then."""

log = structlog.get_logger(__name__)


class NotHandedOnError(Exception):
    """Nobody could take the alerts now; they are to be handed on again."""


class Source(Protocol):
    """A cluster's warnings."""

    def listed(self, seconds: float) -> Listed:
        """Return what there is."""
        ...

    def since(self, version: str, seconds: int) -> Iterator[tuple[str, KubeEvent | None]]:
        """Yield what is new, and the version after it."""
        ...


@dataclass(frozen=True, slots=True)
class _Mark:
    """Up to where events were handed on: a version of the server, and when that was."""

    version: str
    at: datetime


class EventWatch:
    """Watches one cluster, in a thread of its own. ``hand_on`` raises NotHandedOnError."""

    def __init__(
        self,
        source: Source,
        redis: Redis,
        hand_on: Callable[[Received], None],
        *,
        cluster: str = "",
        prefix: str = "cilium-triage",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._source, self._redis, self._hand_on = source, redis, hand_on
        self._cluster, self._now = cluster, now
        self._key = f"{prefix}:events:{cluster}:at"
        self._lock = redis.lock(f"{prefix}:events:{cluster}:watcher", timeout=_LOCK, thread_local=False)
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Watch until stopped."""
        self._thread.start()

    def stop(self) -> None:
        """Stop soon; the lock is let go, so that another worker goes on at once."""
        self._stopping.set()

    def look(self) -> bool:
        """Watch for one round if no other worker does, and say whether that was so.

        Raises:
            GoneError, ApiError, UnreadError, NotHandedOnError, redis.RedisError: if it ended in trouble.
        """
        if not self._is_mine():
            return False
        mark = self._mark()
        try:
            self._hear(mark or self._begin(None))
        except GoneError:
            self._hear(self._begin(mark))
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self.look():
                    self._stopping.wait(_PAUSE)
            except (GoneError, ApiError, UnreadError, NotHandedOnError, RedisError) as error:
                log.warning("events_not_heard", cluster=self._cluster, error=type(error).__name__, reason=str(error))
                self._stopping.wait(_PAUSE)
        try:
            self._lock.release()
        except (LockError, RedisError):
            log.info("events_lock_left_to_lapse", cluster=self._cluster)

    def _is_mine(self) -> bool:
        try:
            if self._lock.owned():
                return bool(self._lock.reacquire())
        except LockError:
            log.info("events_lock_lost", cluster=self._cluster)
        return bool(self._lock.acquire(blocking=False))

    def _begin(self, before: _Mark | None) -> _Mark:
        """Return where to go on. What was said since ``before`` is handed on; without it only what comes is news."""
        listed = self._source.listed(_READ)
        if before is not None:
            if not listed.is_whole:
                log.warning("events_left_out", cluster=self._cluster, listed=len(listed.events))
            self._tell([one for one in listed.events if _said_at(one) >= before.at])
        return self._note(listed.version)

    def _hear(self, mark: _Mark) -> None:
        told, version = 0, mark.version
        for version, event in self._source.since(mark.version, ROUND):
            if event is not None and event.get("reason") in REASONS and told < _MOST:
                self._tell([event])
                self._note(version)
                told += 1
            if self._stopping.is_set():
                break
        self._note(version)
        if told == _MOST:
            log.warning("events_left_out", cluster=self._cluster, handed_on=told)

    def _tell(self, events: Iterable[KubeEvent]) -> None:
        wanted = [one for one in events if one.get("reason") in REASONS][:_MOST]
        received = read_events({"kind": "EventList", "items": wanted})
        alerts = tuple(
            replace(alert, labels={**alert.labels, "cluster": self._cluster}) if self._cluster else alert
            for alert in received.alerts
        )
        if alerts:
            self._hand_on(replace(received, alerts=alerts))

    def _mark(self) -> _Mark | None:
        found = self._redis.get(self._key)
        try:
            kept = json.loads(str(found)) if found else None
            return _Mark(str(kept["version"]), datetime.fromisoformat(kept["at"])) if kept else None
        except (ValueError, KeyError, TypeError):  # of another release
            return None

    def _note(self, version: str) -> _Mark:
        mark = _Mark(version, self._now())
        self._redis.set(self._key, json.dumps({"version": version, "at": mark.at.isoformat()}), ex=_KEEP)
        return mark


def _said_at(event: KubeEvent) -> datetime:
    """Return when an event was said last; at the beginning of time where it does not say."""
    series = event.get("series")
    last = series.get("lastObservedTime") if isinstance(series, dict) else None
    for text in (last, event.get("lastTimestamp"), event.get("eventTime"), event.get("firstTimestamp")):
        try:
            found = datetime.fromisoformat(str(text)) if text else None
        except ValueError:
            continue
        if found is not None:
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    return datetime.min.replace(tzinfo=UTC)
