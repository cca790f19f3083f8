"""Answers kept for the buttons under them: a button carries the id of a report, and the report is read back here."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from redis import Redis

from bot.where import Where
from handlers.model.report import Report
from handlers.model.wire import WireError, decode, encode

KEEP = timedelta(days=1)
"""How long the buttons of an answer work."""
MOST_TOGETHER = 50
"""Answers of one place that are put together."""
MOST_OF_ONE = 10
"""Answers of one person that are listed."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that was given: its report, and the message that it stands in."""

    report: Report
    report_id: str
    channel: str
    ts: str


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

    def save_shown(self, shown: Report, whole_id: str) -> str:
        """Keep a report as some readers may see it, and of which kept report that is all they may see."""
        report_id = self.save(shown)
        if report_id != whole_id:
            self._redis.set(self._whole(report_id), whole_id, ex=self._keep)
        return report_id

    def whole_of(self, report_id: str) -> str:
        """Return the id of the whole report of which this is what some readers may see; empty where it is whole."""
        found = self._redis.get(self._whole(report_id))
        return found.decode() if isinstance(found, bytes) else str(found or "")

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
        if where.user and where.placeholder_ts:
            self._note(self._of_person(where.home, where.user), where, report_id)

    def answered_health(self, where: Where, report_id: str) -> None:
        """Note the answer that tells how the cluster is, the newest for everybody of the workspace."""
        self._note(self._health(where.home), where, report_id, most=1)

    def latest_of(self, team: str, user: str, most: int = MOST_OF_ONE) -> tuple[Given, ...]:
        """Return the answers that a person was given within the day, the newest first."""
        return self._given(self._of_person(team, user), most)

    def latest_health(self, team: str) -> tuple[Given, ...]:
        """Return the newest answer that tells how the cluster is; none where nobody asked within the day."""
        return self._given(self._health(team), 1)

    def _note(self, key: str, where: Where, report_id: str, *, most: int = MOST_OF_ONE) -> None:
        entry = json.dumps([report_id, where.channel, where.placeholder_ts])
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.lrem(key, 0, entry)
            pipe.lpush(key, entry)
            pipe.ltrim(key, 0, most - 1)
            pipe.expire(key, self._keep)
            pipe.execute()

    def _given(self, key: str, most: int) -> tuple[Given, ...]:
        found = []
        for entry in self._redis.lrange(key, 0, most - 1):
            report_id, channel, ts = json.loads(entry)
            if (report := self.load(str(report_id))) is not None:
                found.append(Given(report, str(report_id), str(channel), str(ts)))
        return tuple(found)

    def _of_person(self, team: str, user: str) -> str:
        return f"{self._prefix}:answers-of:{team}:{user}"

    def _health(self, team: str) -> str:
        return f"{self._prefix}:health:{team}"

    def so_far(self, where: Where) -> tuple[Report, ...]:
        """Return the answers of a thread, or of the whole channel where it has none, the oldest first."""
        for place in self._places(where):
            ids = (str(one.decode() if isinstance(one, bytes) else one) for one in self._redis.lrange(place, 0, -1))
            if found := tuple(report for one in ids if (report := self.load(one)) is not None):
                return found
        return ()

    def _places(self, where: Where) -> tuple[str, ...]:
        """Return the names of the lists of a place: its thread, if it has one, then its channel."""
        channel = f"{self._prefix}:answers:{where.home}:{where.channel}"
        return (f"{channel}:{where.thread}", channel) if where.thread else (channel,)

    def _whole(self, report_id: str) -> str:
        return f"{self._prefix}:whole:{report_id}"

    def _name(self, report_id: str) -> str:
        return f"{self._prefix}:report:{report_id}"
