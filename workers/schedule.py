"""Questions asked by the clock: their answers are posted to a channel, like any answer."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from celery.schedules import crontab

from bot.publish import Publisher, PublishError
from bot.render.progress import looking
from bot.surfaces.slack import address_of
from bot.ticket import Ticket
from bot.watch import Watch
from bot.where import Via, Where
from handlers.catalogue import CATALOGUE, Catalogue
from workers.settings import Digest

DIGEST = "workers.tasks.digest"

_ONCE = timedelta(minutes=1)
"""The finest step of cron: a digest that is sent twice within it was delivered twice."""


def beat_schedule(digests: Iterable[Digest]) -> dict[str, Any]:
    """Return Celery's schedule, one entry for each digest."""
    return {
        f"digest-{digest.channel}-{_digest(digest.question)}": {
            "task": DIGEST,
            "schedule": crontab.from_string(digest.cron),
            "args": [digest.channel, digest.question],
            # A digest that nobody took in time is no news any more.
            "options": {"expires": 600},
        }
        for digest in digests
    }


@dataclass(frozen=True, slots=True)
class Digests:
    """Starts the question of a digest as if somebody in its channel had asked."""

    redis: redis.Redis
    publisher: Publisher
    watch: Watch
    prefix: str
    catalogue: Catalogue = CATALOGUE
    cluster: str = ""

    def start(self, channel: str, question: str, *, now: datetime | None = None) -> None:
        """Post the placeholder and queue the question; once, however often the task is delivered.

        Raises:
            PublishError: if the channel does not take it.
            redis.ConnectionError, redis.TimeoutError: if Redis does not answer.
            QueueDownError: if the queue does not take it; it is on the list then, and sent later.
        """
        moment = now or datetime.now(UTC)
        asked = self.catalogue.understand(question)
        once = f"{self.prefix}:digest:{channel}:{_digest(question)}"
        if not self.redis.set(once, moment.isoformat(), nx=True, ex=_ONCE):
            return
        try:
            where = self.publisher.placeholder(Where("", channel, "", Via.SCHEDULE), looking(str(asked)))
        except PublishError:
            self.redis.delete(once)
            raise
        ticket = Ticket(
            uuid.uuid4().hex, str(asked), asked.command.name, False, address_of(where), moment, cluster=self.cluster
        )
        self.watch.enter(ticket)


def _digest(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()[:12]
