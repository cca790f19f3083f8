"""The summary of many cards, one for each channel at a time: since when, and where it stands. In Redis."""

import json
from dataclasses import dataclass

from redis import Redis

from bot.cards.kept import KEEP, Shown
from bot.cards.place import Place
from handlers.alerts.storm import Span
from handlers.model.wire import WireError, decode, encode


@dataclass(frozen=True, slots=True)
class KeptStorm:
    """A storm that was shown."""

    span: Span
    shown: Shown


class Storms:
    """The store."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage") -> None:
        self._redis = redis
        self._prefix = prefix

    def find(self, place: Place) -> KeptStorm | None:
        """Return the latest one of a channel, None where there is none, or another release wrote it."""
        text = self._redis.get(self._key(place))
        try:
            kept = decode(KeptStorm, json.loads(text)) if isinstance(text, str | bytes) else None
        except (ValueError, WireError):
            return None
        return kept if isinstance(kept, KeptStorm) else None

    def keep(self, place: Place, span: Span, shown: Shown) -> None:
        """Keep what is shown; only who has the turn of the channel does."""
        self._redis.set(self._key(place), json.dumps(encode(KeptStorm(span, shown))), ex=KEEP)

    def _key(self, place: Place) -> str:
        return f"{self._prefix}:cards:storm:{place}"
