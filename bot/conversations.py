"""What was asked, and what came with it: for "and on 9090?" in a thread, and for the button that asks again."""

import json
from datetime import timedelta

from redis import Redis

from bot.where import Via, Where
from handlers.model.attachment import Attachment
from handlers.model.wire import WireError, decode, encode

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

    def cluster(self, where: Where) -> str:
        """Return the cluster that the conversation is about, empty where nobody has named one."""
        place = self._place(where)
        found = self._redis.get(f"{place}:cluster") if place and where.via not in (Via.COMMAND, Via.BUTTON) else None
        return (found.decode() if isinstance(found, bytes) else str(found)) if found else ""

    def asked(self, where: Where, question: str, attached: tuple[Attachment, ...] = (), *, cluster: str = "") -> None:
        """Remember a question whose placeholder stands, what came with it, and the cluster that it is about."""
        if place := self._place(where):
            self._redis.set(place, question, ex=KEEP)
            self._redis.set(f"{place}:cluster", cluster, ex=KEEP)
        if attached and where.placeholder_ts:
            kept = json.dumps(encode(attached), separators=(",", ":"))
            self._redis.set(self._attached(where.channel, where.placeholder_ts), kept, ex=KEEP)

    def came_with(self, channel: str, answer_ts: str) -> tuple[Attachment, ...]:
        """Return what came with the question that a message answers; nothing where that is kept no longer."""
        found = self._redis.get(self._attached(channel, answer_ts))
        try:
            kept = decode(tuple[Attachment, ...], json.loads(found)) if found else ()
        except (ValueError, WireError):  # of another release
            return ()
        return tuple(item for item in kept if isinstance(item, Attachment))

    def _attached(self, channel: str, answer_ts: str) -> str:
        return f"{self._prefix}:attached:{channel}:{answer_ts}"

    def _place(self, where: Where) -> str:
        is_loose = where.via is Via.DIRECT and where.thread_ts is None
        thread = "" if is_loose else where.thread
        return "" if thread is None else f"{self._prefix}:asked:{where.home}:{where.channel}:{thread}"
