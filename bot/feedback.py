"""What people said of answers: that this was not it. Kept for a while, counted, and exported as JSON lines."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from bot.transaction import text_of
from handlers.model.wire import WireError, decode, encode

MOST = 1_000
"""Words that are kept; the oldest go first."""
KEEP = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Word:
    """Somebody's word about a card: what was asked, what was answered, and where the answer is kept."""

    at: datetime
    by: str
    channel: str
    fingerprint: str
    title: str
    question: str = ""
    status: str = ""
    report_id: str = ""


class Feedback:
    """All words, the newest first."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage", most: int = MOST) -> None:
        self._redis = redis
        self._key = f"{prefix}:feedback"
        self._most = most

    def put(self, word: Word) -> None:
        """Keep a word.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.lpush(self._key, json.dumps(encode(word), separators=(",", ":")))
            pipe.ltrim(self._key, 0, self._most - 1)
            pipe.expire(self._key, KEEP)
            pipe.execute()

    def all(self) -> tuple[Word, ...]:
        """Return all that is kept, the newest first."""
        found = map(_read, cast(list[Any], self._redis.lrange(self._key, 0, -1)))
        return tuple(word for word in found if word is not None)


def json_lines(words: Iterable[Word]) -> str:
    """Return words as JSON lines."""
    return "".join(f"{json.dumps(encode(word), ensure_ascii=False)}\n" for word in words)


def _read(text: Any) -> Word | None:
    try:
        word = decode(Word, json.loads(text_of(text)))
    except (ValueError, WireError):
        return None
    return word if isinstance(word, Word) else None
