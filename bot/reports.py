"""Answers kept for the buttons under them: a button carries the id of a report, and the report is read back here."""

import hashlib
import json
from datetime import timedelta

from redis import Redis

from handlers.model.report import Report
from handlers.model.wire import WireError, decode, encode

KEEP = timedelta(days=1)
"""How long the buttons of an answer work."""


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

    def _name(self, report_id: str) -> str:
        return f"{self._prefix}:report:{report_id}"
