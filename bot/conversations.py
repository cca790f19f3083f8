"""What was asked last in each conversation, so that "and on 9090?" can be read from the question above it."""

from datetime import timedelta

from redis import Redis

from bot.where import Via, Where

KEEP = timedelta(days=1)
"""How long a question can be followed up."""


class Conversations:
    """The latest question of each thread, and of each direct conversation, in Redis; in normal form."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage") -> None:
        self._redis = redis
        self._prefix = prefix

    def latest(self, where: Where) -> str:
        """Return what was asked last where somebody writes now, nothing where nothing was."""
        place = self._place(where)
        found = self._redis.get(place) if place and where.via not in (Via.COMMAND, Via.BUTTON) else None
        return (found.decode() if isinstance(found, bytes) else str(found)) if found else ""

    def asked(self, where: Where, question: str) -> None:
        """Remember a question whose placeholder stands."""
        if place := self._place(where):
            self._redis.set(place, question, ex=KEEP)

    def _place(self, where: Where) -> str:
        is_loose = where.via is Via.DIRECT and where.thread_ts is None
        thread = "" if is_loose else where.thread
        return "" if thread is None else f"{self._prefix}:asked:{where.team}:{where.channel}:{thread}"
