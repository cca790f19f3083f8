"""Answers kept for the buttons under them: a button carries the id of a report, and the report is read back here."""

import hashlib
import json
from datetime import timedelta

from redis import Redis

from bot.where import Where
from handlers.model.report import Report
from handlers.model.wire import WireError, decode, encode

KEEP = timedelta(days=1)
"""How long the buttons of an answer work."""
MOST_TOGETHER = 50
"""Answers of one place that are put together."""


class Reports:
    """Reports by id, in Redis. The id is a digest of the report, so keeping one twice makes one entry."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage", keep: timedelta = KEEP) -> None:
        self._redis = redis
        self._prefix = prefix
        self._keep = keep

    def save(self, report: Report) -> str:
        """Keep a report, and return its id."""
        text = json.dumps(encode(report), separators=(",", ":"), sort_keys=True)
        report_id = hashlib.sha256(text.encode()).hexdigest()[:24]
        self._redis.set(self._name(report_id), text, ex=self._keep)
        return report_id

    def load(self, report_id: str) -> Report | None:
        """Return the report, or None when it is gone or was written by another release."""
        text = self._redis.get(self._name(report_id))
        if text is None:
            return None
        try:
            report = decode(Report, json.loads(text))
        except WireError:
            return None
        return report if isinstance(report, Report) else None

    def answered(self, where: Where, report_id: str) -> None:
        """Note which report answered a question there; one that is told twice counts once, the newest ones are kept."""
        for place in self._places(where):
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.lrem(place, 0, report_id)
                pipe.rpush(place, report_id)
                pipe.ltrim(place, -MOST_TOGETHER, -1)
                pipe.expire(place, self._keep)
                pipe.execute()

    def so_far(self, where: Where) -> tuple[Report, ...]:
        """Return the answers of a thread, or of the whole channel where it has none, the oldest first."""
        for place in self._places(where):
            ids = (str(one.decode() if isinstance(one, bytes) else one) for one in self._redis.lrange(place, 0, -1))
            if found := tuple(report for one in ids if (report := self.load(one)) is not None):
                return found
        return ()

    def _places(self, where: Where) -> tuple[str, ...]:
        """Return the names of the lists of a place: its thread, if it has one, then its channel."""
        channel = f"{self._prefix}:answers:{where.team}:{where.channel}"
        return (f"{channel}:{where.thread}", channel) if where.thread else (channel,)

    def _name(self, report_id: str) -> str:
        return f"{self._prefix}:report:{report_id}"
