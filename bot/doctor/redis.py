"""Look at a Redis: what it is, and whether it takes a write."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError

from bot.clusters import Clusters
from bot.dispatch import queue_key
from handlers.doctor.redis import RedisState

_SECONDS = 3.0
_LOCAL = ("localhost", "127.0.0.1", "::1", "")


def redis_state(url: str, *, prefix: str = "cilium-triage") -> RedisState:
    """Return what a Redis is like; one key of the prefix is written, for a second. Raises nothing."""
    try:
        parts = urlsplit(url)
        where = f"{parts.hostname or parts.path}{f':{parts.port}' if parts.port else ''}"
        is_remote = parts.scheme != "unix" and (parts.hostname or "") not in _LOCAL
        client = Redis.from_url(
            url, decode_responses=True, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, retry=None
        )
    except ValueError:
        return RedisState("REDIS_URL", False, False, False, unreachable="it is no address of a Redis")
    known = RedisState(where, is_remote, has_password=bool(parts.password), has_tls=parts.scheme == "rediss")
    with closing(client):
        try:
            info: Mapping[str, Any] = client.info()
        except (RedisError, OSError) as error:
            return replace(known, unreachable=_words(error))
        waiting, has_workers = _queues(client, prefix)
        return replace(
            known,
            refused=_refused(client, prefix),
            version=str(info.get("valkey_version") or info.get("redis_version") or ""),
            is_replica=info.get("role") == "slave",
            memory_limit=info.get("maxmemory") if isinstance(info.get("maxmemory"), int) else None,
            eviction=str(info.get("maxmemory_policy") or ""),
            keeps=_keeps(client, info),
            waiting=waiting,
            has_workers=has_workers,
        )


def _refused(client: Redis, prefix: str) -> str:
    try:
        client.set(f"{prefix}:doctor:write", "1", ex=1)
    except (RedisError, OSError) as error:
        return _code(error)
    return ""


def _keeps(client: Redis, info: Mapping[str, Any]) -> bool | None:
    if info.get("aof_enabled") == 1:
        return True
    try:
        saved = client.config_get("save")
    except (RedisError, OSError):
        return None  # managed ones forbid CONFIG
    return bool(saved.get("save")) if "save" in saved else None


def _queues(client: Redis, prefix: str) -> tuple[int | None, bool | None]:
    clusters = Clusters(client, prefix=prefix)
    try:
        names = ("", *clusters.looked_at())
        return sum(int(client.llen(queue_key(prefix, name))) for name in names), clusters.is_anybody_there()
    except (RedisError, OSError):
        return None, None


_CODES = {"OutOfMemoryError": "OOM", "ReadOnlyError": "READONLY", "NoPermissionError": "NOPERM"}
"""The client takes the code off where it has an error of its own."""


def _code(error: Exception) -> str:
    code = _CODES.get(type(error).__name__, "")
    return f"{code} {_words(error)}".strip()


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
