"""The cards of every channel, in Redis: each with where it stands in Slack, and what is still to be shown of it.

A card changes in one transaction together with its places in the lists of what is to be shown and asked, so that
nothing is lost whoever is killed. Everything expires: a card of which nobody heard for days is forgotten.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from bot.cards.outbox import STORM, Item, Outbox
from bot.cards.place import CardRef, Place
from bot.cards.questions import Questions
from bot.transaction import atomically, text_of
from handlers.alerts.life import KeptCard, Stage, lapses_at
from handlers.model.wire import WireError, decode, encode

KEEP = timedelta(days=3)
"""How long a card is kept after anything happened to it."""
MOST_CARDS = 500
"""Cards of one channel that are kept; of causes beyond that nothing is shown."""
_FULL = timedelta(hours=2)
"""How long it is said of a channel that causes had no room."""
_STORM_AFTER = timedelta(seconds=3)
"""How long the summary of many cards waits for more of them to change."""


class TooManyCardsError(Exception):
    """The channel has as many cards as are kept."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in Slack.

    ``is_tried`` says that a post may have arrived of which nobody knows. ``words`` is a digest of the message,
    ``detail_ts`` the reply that has the whole answer, and ``detail`` the id of the report that it shows.
    """

    ts: str = ""
    is_tried: bool = False
    words: str = ""
    detail_ts: str = ""
    is_detail_tried: bool = False
    detail: str = ""
    held_until: datetime | None = None
    """Until when it was last not to be posted, where it had not been posted before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a card."""

    card: KeptCard
    shown: Shown = Shown()


Step = Callable[[KeptCard | None], KeptCard | None]


class KeptCards:
    """The store. Any thread and any process may use it."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage", most: int = MOST_CARDS) -> None:
        self._redis = redis
        self._prefix = prefix
        self._most = most
        self.outbox = Outbox(redis, prefix=prefix)
        self.questions = Questions(redis, prefix=prefix)

    def find(self, ref: CardRef) -> Entry | None:
        """Return what is kept of a card, None where nothing is, or another release wrote it."""
        return _read(self._redis.get(self._card(ref)))

    def change(self, ref: CardRef, step: Step, at: datetime) -> KeptCard | None:
        """Put the card that ``step`` makes of the kept one in its place, and have it shown; return what is kept then.

        A card that begins anew is a new message. One whose ``asked_at`` changes has its question asked. A step may be
        taken several times.

        Raises:
            TooManyCardsError: if it is a new one and the channel is full.
            redis.RedisError: if Redis does not answer; then nothing has changed.
        """
        key, index = self._card(ref), self._index(ref.place)

        def put(pipe: Any) -> KeptCard | None:
            entry = _read(pipe.get(key))
            is_full = entry is None and pipe.zcount(index, (at - KEEP).timestamp(), "+inf") >= self._most
            before = entry.card if entry else None
            after = step(before)
            pipe.multi()
            if after is None or after == before:
                return after
            if is_full:
                raise TooManyCardsError(str(ref.place))
            is_new = before is None or after.first_at != before.first_at
            shown = Shown() if entry is None or is_new else entry.shown
            pipe.set(key, _written(Entry(after, shown)), ex=KEEP)
            pipe.zadd(index, {ref.fingerprint: at.timestamp()})
            pipe.zremrangebyscore(index, "-inf", (at - KEEP).timestamp())
            pipe.expire(index, KEEP)
            self.outbox.put(pipe, ref.place, Item.card(ref.fingerprint), at, ahead=_ahead(before, after))
            if after.is_open and (is_new or not (before and before.is_open)):
                self.outbox.put(pipe, ref.place, Item.lapse(ref.fingerprint), lapses_at(after))
            self.outbox.put(pipe, ref.place, STORM, at, ahead=-_STORM_AFTER)
            if after.asked_at is not None and (before is None or after.asked_at != before.asked_at):
                self.questions.put(pipe, ref, after.severity, at)
            return after

        return atomically(self._redis, put, key, index)

    def show(self, ref: CardRef, card: KeptCard, step: Callable[[Shown], Shown]) -> None:
        """Note what stands in Slack now of a card, unless that has begun anew meanwhile."""
        key = self._card(ref)

        def put(pipe: Any) -> None:
            entry = _read(pipe.get(key))
            pipe.multi()
            if entry is not None and entry.card.first_at == card.first_at:
                pipe.set(key, _written(replace(entry, shown=step(entry.shown))), ex=KEEP)

        atomically(self._redis, put, key)

    def of(self, place: Place) -> tuple[Entry, ...]:
        """Return all that is kept of a channel."""
        names = [text_of(name) for name in self._redis.zrange(self._index(place), 0, -1)]
        if not names:
            return ()
        found = cast(list[Any], self._redis.mget([self._card(CardRef(place, name)) for name in names]))
        return tuple(entry for entry in map(_read, found) if entry is not None)

    def note_full(self, place: Place, at: datetime) -> None:
        """Note that causes of a channel had no room, and have its summary say so."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(self._full(place), 1, ex=_FULL)
            self.outbox.put(pipe, place, STORM, at, ahead=-_STORM_AFTER)
            pipe.execute()

    def is_full(self, place: Place) -> bool:
        """Say whether causes of a channel had no room lately."""
        return bool(self._redis.exists(self._full(place)))

    def stands_at(self, place: Place, ts: str) -> CardRef | None:
        """Return the card that a message is, None where it is none."""
        name = self._redis.get(self._at(place, ts))
        return CardRef(place, text_of(name)) if name else None

    def note_where(self, ref: CardRef, ts: str) -> None:
        """Note that a message is this card."""
        self._redis.set(self._at(ref.place, ts), ref.fingerprint, ex=KEEP)

    def _card(self, ref: CardRef) -> str:
        return f"{self._prefix}:card:{ref}"

    def _index(self, place: Place) -> str:
        return f"{self._prefix}:cards:of:{place}"

    def _full(self, place: Place) -> str:
        return f"{self._prefix}:cards:full:{place}"

    def _at(self, place: Place, ts: str) -> str:
        return f"{self._prefix}:card-at:{place}:{ts}"


def _ahead(before: KeptCard | None, after: KeptCard) -> timedelta:
    """Return the head start in the queue of what is to be shown: what is new and urgent, then what is known."""
    if before is None or before.first_at != after.first_at or before.stage is Stage.RESOLVED:
        return timedelta(minutes=40 - 10 * after.severity.order)
    is_diagnosis = before.diagnosis != after.diagnosis or before.failure != after.failure
    return timedelta(minutes=5) if is_diagnosis else timedelta(0)


def _read(text: object) -> Entry | None:
    if not isinstance(text, str | bytes):
        return None
    try:
        entry = decode(Entry, json.loads(text))
    except (ValueError, WireError):  # of another release
        return None
    return entry if isinstance(entry, Entry) else None


def _written(entry: Entry) -> str:
    return json.dumps(encode(entry), separators=(",", ":"))
