"""The questions of cards: those to be asked, the most urgent first, and those being answered, a few at a time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from bot.cards.place import CardRef, ref_of
from bot.transaction import atomically, text_of
from handlers.alerts.severity import Severity

MOST_AT_ONCE = 4
"""Questions of cards that are with the workers at a time; people's questions come between them."""
LONGEST = timedelta(minutes=3)
"""How long an answer may take until its place is given to another question."""
KEEP = timedelta(days=3)

_RANK = 10.0**11
"""More than any time in seconds: urgency first, then who waited longest."""


class Questions:
    """The two lists, in Redis: of cards to be asked about, and of cards that are asked about until a moment."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage") -> None:
        self._redis = redis
        self._to_ask = f"{prefix}:cards:to-ask"
        self._asked = f"{prefix}:cards:asked"

    def put(self, pipe: Any, ref: CardRef, severity: Severity, at: datetime) -> None:
        """Enter a card whose question is to be asked, in a transaction of the caller's."""
        pipe.zadd(self._to_ask, {str(ref): severity.order * _RANK + at.timestamp()})
        pipe.expire(self._to_ask, KEEP)

    def take(self, at: datetime) -> CardRef | None:
        """Return the card to be asked about next, None where there is none or enough are asked.

        From then on it counts as asked, until ``answered`` or for as long as an answer may take.
        """

        def next_one(pipe: Any) -> CardRef | None:
            at_work = pipe.zcount(self._asked, at.timestamp(), "+inf")
            first = pipe.zrange(self._to_ask, 0, 0) if at_work < MOST_AT_ONCE else ()
            pipe.multi()
            if not first:
                return None
            pipe.zrem(self._to_ask, first[0])
            pipe.zadd(self._asked, {first[0]: (at + LONGEST).timestamp()})
            pipe.expire(self._asked, KEEP)
            return ref_of(text_of(first[0]))

        return atomically(self._redis, next_one, self._to_ask, self._asked)

    def answered(self, ref: CardRef) -> None:
        """Make room: the card has its answer, or never will."""
        self._redis.zrem(self._asked, str(ref))

    def prolong(self, ref: CardRef, at: datetime) -> None:
        """Wait for an answer as long again."""
        self._redis.zadd(self._asked, {str(ref): (at + LONGEST).timestamp()})

    def overdue(self, at: datetime) -> tuple[CardRef, ...]:
        """Return the cards whose answer has not come in time; each until it is prolonged or answered."""
        found = cast(Iterable[Any], self._redis.zrangebyscore(self._asked, "-inf", at.timestamp()))
        return tuple(ref_of(text_of(one)) for one in found)

    def waiting(self) -> int:
        """Return how many cards wait for their question to be asked."""
        return int(self._redis.zcard(self._to_ask))
