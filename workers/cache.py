"""Answers kept in Redis for a short while, so that the same question asked twice costs one look at the cluster."""

import hashlib
import json
import zlib
from datetime import UTC, datetime
from typing import Any

import redis
import structlog

from handlers.commands.command import Asked
from handlers.model.report import SCHEMA, Report
from handlers.model.snapshot import Gap
from handlers.model.wire import WireError, decode, encode
from workers.runner import Kept

MOST_BYTES = 512 * 1024
"""Compressed answers above this size are not kept."""

_MOST_BYTES_READ = 32 * 1024 * 1024
"""Bound on what one kept answer may unpack to."""

_PASSING_GAPS = frozenset({Gap.TIMEOUT.value, Gap.UNREACHABLE.value, Gap.FAILED.value})
"""Reasons that may be gone at the next try: an answer with one of them is not worth keeping."""

log = structlog.get_logger(__name__)


class ReportCache:
    """Reports by cluster, question in normal form, and schema.

    Every failure of Redis, and every entry that cannot be read, counts as "not there" and is logged.
    """

    def __init__(self, client: redis.Redis, *, cluster: str, prefix: str = "cilium-triage") -> None:
        self._client = client
        self._cluster = cluster
        self._prefix = prefix

    def get(self, asked: Asked) -> Kept | None:
        """Return the kept answer to this question, if there is one."""
        try:
            packed = self._client.get(self._key(asked))
            return None if packed is None else _unpack(packed)
        except (redis.RedisError, WireError, ValueError, KeyError, TypeError, zlib.error) as error:
            log.warning("cache_not_read", error=type(error).__name__)
            return None

    def put(self, asked: Asked, report: Report) -> None:
        """Keep an answer as long as its command allows; one that is incomplete for a passing reason is not kept."""
        seconds = int(asked.command.keep.total_seconds())
        if seconds <= 0 or any(gap.gap in _PASSING_GAPS for gap in report.gaps):
            return
        packed = _pack(Kept(report, datetime.now(UTC)))
        if len(packed) > MOST_BYTES:
            return
        try:
            self._client.set(self._key(asked), packed, ex=seconds)
        except redis.RedisError as error:
            log.warning("cache_not_written", error=type(error).__name__)

    def _key(self, asked: Asked) -> str:
        # Hashed, because a question may hold any character and be long; what came with it is in the value alone.
        digest = hashlib.sha256(f"{self._cluster}\0{asked}\0{asked.question!r}".encode(errors="replace")).hexdigest()
        return f"{self._prefix}:report:{SCHEMA}:{digest}"


def _pack(kept: Kept) -> bytes:
    return zlib.compress(json.dumps(encode(kept), separators=(",", ":")).encode(), 1)


def _unpack(packed: Any) -> Kept:
    unpacker = zlib.decompressobj()
    body = unpacker.decompress(packed, _MOST_BYTES_READ)
    if unpacker.unconsumed_tail:
        raise ValueError("a kept answer unpacks to more than can be right")
    kept: Kept = decode(Kept, json.loads(body))
    return kept
