"""What the scheduler does: once a minute it has the workers look which digests are due.

When each is due stands in Redis with what it told last, so a scheduler that is killed around the minute loses nothing,
and two of them double nothing.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from celery.schedules import crontab

from workers.settings import Digest

DUE = "workers.tasks.digests_due"
EVERY = timedelta(minutes=1)


def beat_schedule(digests: Iterable[Digest]) -> dict[str, Any]:
    """Return Celery's schedule: one entry, with the digests of the settings."""
    return {
        "digests-due": {
            "task": DUE,
            "schedule": crontab(),
            "args": [[digest.model_dump() for digest in digests]],
            # Whoever comes next looks for all that is due: an old look is worth nothing.
            "options": {"expires": EVERY.total_seconds()},
        }
    }
