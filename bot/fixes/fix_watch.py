"""One watch over a connection: what is asked again, until when, where what comes of it is told."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.where import Where

SURFACE = "fix"
"""The surface to which the answers of watches go."""
DEFAULT_SPAN = timedelta(minutes=10)
LONGEST_SPAN = timedelta(minutes=60)
EVERY = timedelta(seconds=20)
"""How long after it was asked a watch is asked again, where it is the only one."""
GRACE = timedelta(minutes=2)
"""How long after its end the last answer of a watch is waited for."""


@dataclass(frozen=True, slots=True)
class CardPlace:
    """The card to which a watch belongs: its workspace, channel and fingerprint."""

    team: str
    channel: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class FixWatch:
    """A question that is asked again until ``until``, and the answer of the beginning that later ones are held against.

    ``before`` is the id of that answer in ``bot.reports``, empty until it has come. ``place`` is a message of its own
    in Slack, or a card. ``state`` and ``said`` are what was made of the latest answer.
    """

    id: str
    question: str
    command: str
    title: str
    """The question as it is shown: ``shop/frontend → shop/cart 8080/TCP``."""
    place: Where | CardPlace
    by: str
    since: datetime
    until: datetime
    cluster: str = ""
    before: str = ""
    state: str = ""
    said: str = ""
    answered_at: datetime | None = None

    @property
    def span(self) -> timedelta:
        """For how long it watches."""
        return self.until - self.since


def watch_id(team: str, channel: str, question: str, *more: str) -> str:
    """Return the name of a watch: a place has one for each question, by cluster; a card has its own, by fingerprint."""
    return hashlib.sha256("\0".join((team, channel, question, *more)).encode(errors="replace")).hexdigest()[:24]
