"""What each process found when it looked at its setup, kept in Redis for App Home."""

import json
from collections.abc import Sequence
from datetime import timedelta

from redis import Redis

from handlers.doctor.check import Check, Standing

KEPT = timedelta(days=1)
_MOST_PROCESSES, _MOST_CHECKS = 20, 50


class KeptSetups:
    """A hash, a field for each kind of process. Its methods raise RedisError."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage") -> None:
        self._redis = redis
        self._key = f"{prefix}:doctor"

    def keep(self, process: str, checks: Sequence[Check]) -> None:
        """Keep what a process found, in place of what it found before."""
        body = [[one.about, one.standing.value, one.said, one.remedy] for one in checks[:_MOST_CHECKS]]
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._key, process[:200], json.dumps(body))
            pipe.expire(self._key, KEPT)
            pipe.execute()

    def all(self) -> dict[str, tuple[Check, ...]]:
        """Return what was found, by process; what cannot be read is left out."""
        found: dict[str, tuple[Check, ...]] = {}
        for process, text in sorted(self._redis.hgetall(self._key).items())[:_MOST_PROCESSES]:
            try:
                rows = json.loads(text)
                found[str(process)] = tuple(Check(str(a), Standing(b), str(c), str(d)) for a, b, c, d in rows)
            except (ValueError, TypeError):
                continue
        return found
