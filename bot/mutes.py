"""What is muted in each channel: namespaces, or everything; causes are muted on their cards. In Redis."""

import json
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from bot.transaction import text_of
from handlers.alerts.manners import Mute, Target
from handlers.model.wire import WireError, decode, encode

MOST = 50
"""Mutes of one channel."""
_KEEP = timedelta(days=8)
"""Longer than anything may be muted."""


class TooManyMutesError(Exception):
    """The channel has as many mutes as are kept."""


class Mutes:
    """The mutes of all channels. A channel is known by its id alone: ids of Slack are unique."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage") -> None:
        self._redis = redis
        self._prefix = prefix

    def of(self, channel: str, at: datetime) -> tuple[Mute, ...]:
        """Return what is muted at a moment, the one that ends first foremost."""
        found = map(_read, cast(dict[Any, Any], self._redis.hgetall(self._key(channel))).values())
        return tuple(sorted((mute for mute in found if mute and at < mute.until), key=lambda mute: mute.until))

    def put(self, channel: str, mute: Mute) -> None:
        """Keep a mute, in the place of one of the same.

        Raises:
            TooManyMutesError: if there are too many.
            redis.RedisError: if Redis does not answer.
        """
        key, over = self._key(channel), self._over(channel, mute.at)
        with self._redis.pipeline(transaction=True) as pipe:
            if over:
                pipe.hdel(key, *over)
            pipe.hlen(key)
            *_, count = pipe.execute()
        if count >= MOST:
            raise TooManyMutesError(f"I keep {MOST} mutes of a channel; lift one first.")
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, str(mute.target), json.dumps(encode(mute), separators=(",", ":")))
            pipe.expire(key, _KEEP)
            pipe.execute()

    def lift(self, channel: str, target: Target) -> bool:
        """Forget a mute; False where there is none."""
        return bool(self._redis.hdel(self._key(channel), str(target)))

    def _over(self, channel: str, at: datetime) -> list[str]:
        """Return the names of mutes that are over, or that another release wrote."""
        found = cast(dict[Any, Any], self._redis.hgetall(self._key(channel)))
        return [text_of(name) for name, text in found.items() if (mute := _read(text)) is None or mute.until <= at]

    def _key(self, channel: str) -> str:
        return f"{self._prefix}:mutes:{channel}"


def _read(text: Any) -> Mute | None:
    try:
        mute = decode(Mute, json.loads(text_of(text)))
    except (ValueError, WireError):
        return None
    return mute if isinstance(mute, Mute) else None
