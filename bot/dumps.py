"""Which thread is about a dump of ``cilium sysdump`` that somebody dropped into it, and not about the cluster."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.ticket import Dump
from bot.where import Where
from handlers.model.wire import WireError, decode, encode

KEEP = timedelta(days=3)
"""How long further questions of a thread are about its dump."""
_ARCHIVE = re.compile(r"\.(?:zip|tar\.gz|tgz|tar)$", re.IGNORECASE)
_NAMED = re.compile(r"cilium|sysdump", re.IGNORECASE)
_NONE = "null"
OF_A_DUMP = ("health", "drops")
"""What is asked of a dump that comes without a question."""

log = structlog.get_logger(__name__)


def archive_in(message: Mapping[str, Any]) -> Dump | None:
    """Return the first archive that came with a message, None where none did."""
    for file in message.get("files") or ():
        if not isinstance(file, Mapping) or not _ARCHIVE.search(str(file.get("name") or "")):
            continue
        if url := str(file.get("url_private") or ""):
            size = file.get("size")
            return Dump(str(file.get("id") or ""), str(file["name"])[:255], url, size if isinstance(size, int) else 0)
    return None


def dump_in(message: Mapping[str, Any]) -> Dump | None:
    """Return the archive of a message if its name is that of a dump; ``cilium sysdump`` writes cilium-sysdump-*.zip."""
    found = archive_in(message)
    return found if found is not None and _NAMED.search(found.name) else None


class Dumps:
    """The dumps of threads, in Redis."""

    def __init__(self, client: WebClient, redis: Redis, *, prefix: str = "cilium-triage") -> None:
        self._client, self._redis, self._prefix = client, redis, prefix

    def of(self, where: Where) -> Dump | None:
        """Return what questions in a thread are about, None where that is the cluster."""
        found = self._redis.get(self._key(where)) if where.thread_ts else None
        try:
            kept = decode(Dump, json.loads(str(found))) if found and found != _NONE else None
        except (ValueError, WireError):  # of another release
            return None
        return kept if isinstance(kept, Dump) else None

    def notice(self, where: Where, message: Mapping[str, Any], *, is_asked: bool) -> Dump | None:
        """Return the dump that a message brings, and remember that its thread is about it.

        What comes with a question (``is_asked``) is a dump whatever its name. Of a reply that brings none it is found
        out whether the thread began with one. Raises nothing: without Redis no question is taken either.
        """
        found = archive_in(message) if is_asked else dump_in(message)
        is_reply = message.get("thread_ts") not in (None, message.get("ts"))
        try:
            if found is not None:
                self._note(where, found)
            elif is_reply and not self._redis.exists(self._key(where)):
                self._note(where, self._begun_with(where))
        except RedisError as error:
            log.warning("dump of a thread not noted", channel=where.channel, error=type(error).__name__)
        return found

    def _begun_with(self, where: Where) -> Dump | None:
        try:
            replies = self._client.conversations_replies(channel=where.channel, ts=where.thread_ts or "", limit=1)
        except (SlackClientError, OSError) as error:
            log.warning("beginning of a thread not read", channel=where.channel, error=type(error).__name__)
            return None
        first: Any = next(iter(replies.get("messages") or ()), None)
        return dump_in(first) if isinstance(first, Mapping) else None

    def _note(self, where: Where, dump: Dump | None) -> None:
        self._redis.set(self._key(where), json.dumps(encode(dump)) if dump else _NONE, ex=KEEP)

    def _key(self, where: Where) -> str:
        return f"{self._prefix}:dump:{where.channel}:{where.thread_ts}"
