"""A subscription: what is told in which channel, when, and how far that has come."""

from dataclasses import dataclass, field
from datetime import datetime

from handlers.digests.timetable import Timetable

ENVIRONMENT = "environment"
"""Who subscribed where the settings did."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One digest of one channel. ``told`` is the time up to which nothing is due any more."""

    id: str
    team: str
    channel: str
    timetable: Timetable
    by: str
    """Slack user id, or ``environment``."""
    since: datetime
    told: datetime
    cluster: str = ""
    is_paused: bool = False
    posted: datetime | None = None
    """When something was posted last: a quiet one shows a sign of life once a week."""
    tries: int = 0
    """How often the one that is due was begun."""
    questions: tuple[str, ...] = field(default=())
    """What it asks, in normal form, for those who look at the list."""
