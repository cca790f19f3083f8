"""What is still to be shown in each channel, and whose turn it is to show it: in Redis, for all processes together.

A card stands in the list once, however much of it changed: what is shown is always the latest. The turn of a channel is
one key: held while something is sent, then for the pace, so that no two processes post within the same second.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from redis import Redis

from bot.cards.place import Place, place_of
from bot.transaction import atomically, text_of

PACE = timedelta(seconds=1)
"""From the end of a post to the beginning of the next in the same channel."""
TURN = timedelta(seconds=17)
"""How long a turn lasts whose process was lost: longer than the calls of one post may take together, five seconds each
(a look whether it stands already, an edit, a post)."""
KEEP = timedelta(days=3)
_PACE = "pace"
"""Who has the turn while nobody may."""


class ItemKind(StrEnum):
    """What is shown."""

    CARD = "card"
    DETAIL = "detail"
    """The whole answer, in the thread of a card."""
    LAPSE = "lapse"
    """A card of which nobody may have told for long."""
    STORM = "storm"
    """The summary of many cards."""
    QUIET = "quiet"
    """What quiet hours held back; in the place of a fingerprint stands when they end."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be shown; its fingerprint, where it is about a card."""

    kind: ItemKind
    fingerprint: str = ""

    @classmethod
    def card(cls, fingerprint: str) -> "Item":
        """Return the card of a cause."""
        return cls(ItemKind.CARD, fingerprint)

    @classmethod
    def detail(cls, fingerprint: str) -> "Item":
        """Return the thread of a card."""
        return cls(ItemKind.DETAIL, fingerprint)

    @classmethod
    def quiet(cls, until: datetime) -> "Item":
        """Return the summary of quiet hours that end then."""
        return cls(ItemKind.QUIET, until.isoformat())

    @classmethod
    def lapse(cls, fingerprint: str) -> "Item":
        """Return the look at whether a card lapses."""
        return cls(ItemKind.LAPSE, fingerprint)

    def __str__(self) -> str:
        """Write it as a member of the list."""
        return f"{self.kind}:{self.fingerprint}"


STORM = Item(ItemKind.STORM)


class Outbox:
    """The lists, one for each channel."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage") -> None:
        self._redis = redis
        self._prefix = prefix

    def put(self, pipe: Any, place: Place, item: Item, at: datetime, *, ahead: timedelta = timedelta(0)) -> None:
        """Enter an item, in a transaction of the caller's; what has waited longer keeps its place.

        ``ahead`` is its head start over what is entered at the same moment; a negative one is a delay.
        """
        pipe.zadd(self._list(place), {str(item): (at - ahead).timestamp()}, lt=True)
        pipe.expire(self._list(place), KEEP)
        pipe.sadd(self._places, str(place))
        pipe.expire(self._places, KEEP)

    def enter(self, place: Place, item: Item, at: datetime, *, ahead: timedelta = timedelta(0)) -> None:
        """Enter an item."""
        with self._redis.pipeline(transaction=True) as pipe:
            self.put(pipe, place, item, at, ahead=ahead)
            pipe.execute()

    def due(self, at: datetime) -> tuple[Place, ...]:
        """Return the channels in which something is to be shown by now."""
        places = sorted(place_of(text_of(one)) for one in cast(Iterable[Any], self._redis.smembers(self._places)))
        with self._redis.pipeline(transaction=False) as pipe:
            for place in places:
                pipe.zcount(self._list(place), "-inf", at.timestamp())
                pipe.exists(self._hand(place))
                pipe.exists(self._list(place))
            found = iter(pipe.execute())
        # What has neither a list nor anything in hand is taken off by its next turn.
        return tuple(place for place in places if any([next(found), next(found), not next(found)]))

    def waiting(self, place: Place) -> int:
        """Return how many things wait to be shown in a channel."""
        return int(self._redis.zcard(self._list(place)))

    def waiting_everywhere(self, at: datetime) -> int:
        """Return how many things are to be shown in all channels by now."""
        places = [place_of(text_of(one)) for one in cast(Iterable[Any], self._redis.smembers(self._places))]
        with self._redis.pipeline(transaction=False) as pipe:
            for place in places:
                pipe.zcount(self._list(place), "-inf", at.timestamp())
            return sum(pipe.execute())

    def take(self, place: Place, at: datetime) -> Item | None:
        """Take what is to be shown first, for who has the turn; it is in hand until ``done``.

        What a lost process had in hand comes first. What changes from now on is entered anew. A channel in which
        nothing is left is no longer listed.
        """
        listed, hand = self._list(place), self._hand(place)

        def first(pipe: Any) -> Item | None:
            held = text_of(pipe.get(hand))
            due = [] if held else pipe.zrangebyscore(listed, "-inf", at.timestamp(), start=0, num=1)
            is_empty = not held and not due and not pipe.exists(listed)
            pipe.multi()
            if is_empty:
                pipe.srem(self._places, str(place))
            if due:
                held = text_of(due[0])
                pipe.zrem(listed, held)
                pipe.set(hand, held, ex=KEEP)
            return _item(held) if held else None

        return atomically(self._redis, first, listed, hand)

    def done(self, place: Place) -> None:
        """Let go of what was in hand: it is shown, or never can be."""
        self._redis.delete(self._hand(place))

    def has_turn(self, place: Place, who: str) -> bool:
        """Take the turn of a channel for a process, unless another one has it or its pace is not over.

        A process that could not end its turn, because Redis was away, has it still.
        """
        turn = self._turn(place)
        return bool(self._redis.set(turn, who, nx=True, px=TURN)) or text_of(self._redis.get(turn)) == who

    def end_turn(self, place: Place, *, after: timedelta = PACE) -> None:
        """End the turn: the next one begins after the pace. What is still in hand is taken first then."""
        if after > timedelta(0):
            self._redis.set(self._turn(place), _PACE, px=after)
        else:
            self.give_turn(place)

    def give_turn(self, place: Place) -> None:
        """End the turn in which nothing was sent."""
        self._redis.delete(self._turn(place))

    @property
    def _places(self) -> str:
        return f"{self._prefix}:cards:places"

    def _list(self, place: Place) -> str:
        return f"{self._prefix}:cards:outbox:{place}"

    def _hand(self, place: Place) -> str:
        return f"{self._prefix}:cards:hand:{place}"

    def _turn(self, place: Place) -> str:
        return f"{self._prefix}:cards:turn:{place}"


def _item(text: str) -> Item:
    kind, _, fingerprint = text.partition(":")
    return Item(ItemKind(kind), fingerprint)
