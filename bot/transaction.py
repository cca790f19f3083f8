"""Reading and writing Redis in one step, and what it replies as text."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from redis import Redis

T = TypeVar("T")


def atomically(redis: Redis, step: Callable[[Any], T], *watched: str) -> T:
    """Take a step that reads, says ``multi`` and writes, again until no watched key changed in between.

    Raises:
        redis.RedisError: if Redis does not answer; then nothing was written.
    """
    return cast(T, cast(Any, redis).transaction(step, *watched, value_from_callable=True))


def text_of(reply: object) -> str:
    """Return a reply as text; clients differ in whether they decode. Nothing for no reply."""
    if reply is None:
        return ""
    return reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
