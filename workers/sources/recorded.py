"""Record what a source answered to one file, redacted, and answer from such a file later.

The file is gzip over one JSON object: ``schema``, ``title``, ``now`` and ``reads``, each read with its part, node, the
fields of the scope that the part depends on, and the answer in the wire form of the model.
"""

import gzip
import io
import json
import os
import threading
import zlib
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from handlers.model.parts import PARTS
from handlers.model.scope import Scope
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing
from handlers.model.wire import WireError, decode, encode
from handlers.source import Source
from workers.redact import redacted

SCHEMA = 1
MAX_PACKED_BYTES = 256 << 20
MAX_UNPACKED_BYTES = 512 << 20
MAX_READS = 100_000
_GZIP = b"\x1f\x8b"


_FIELDS: Mapping[str, Collection[str]] = {part.name: part.width.of(Scope()).keys() for part in PARTS}
"""Fields of a scope that tell two reads of a part apart, by the part's name."""


class RecordingError(Exception):
    """A file that is no recording, or must not be read. ``remedy`` says what to do about it."""

    def __init__(self, problem: str, remedy: str = "Record again with this version.") -> None:
        super().__init__(problem)
        self.remedy = remedy


class RecordingSource:
    """Passes asks on to another source and keeps the answers; ``close`` writes the file."""

    def __init__(self, inner: Source, path: Path) -> None:
        """Record ``inner`` to ``path``; the moment of recording becomes "now" for the replay."""
        self._inner = inner
        self._path = path
        self._now = inner.now()
        self._reads: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    @property
    def title(self) -> str:
        """Name what is looked at."""
        return self._inner.title

    def now(self) -> datetime:
        """Return the moment at which recording began: the replay asks for the same windows then."""
        return self._now

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        """Read from the other source, and keep the answer."""
        answer = self._inner.read(ask, timeout)
        key = _key(ask)
        kept = {"ask": json.loads(key), "answer": redacted(_encoded(ask.part, answer))}
        with self._lock:
            self._reads[key] = kept
        return answer

    def close(self) -> None:
        """Write the recording, then let the other source go.

        Raises:
            OSError: if the file cannot be written.
        """
        with self._lock:
            body = {
                "schema": SCHEMA,
                "title": self.title,
                "now": encode(self._now),
                "reads": list(self._reads.values()),
            }
        try:
            packed = gzip.compress(json.dumps(body, separators=(",", ":"), sort_keys=True).encode(), mtime=0)
            _write_privately(self._path, packed)
        finally:
            self._inner.close()


class ReplaySource:
    """Answers from a recording: the same ask gets the same answer, any other is not there."""

    def __init__(self, path: Path, *, most_unpacked: int = MAX_UNPACKED_BYTES) -> None:
        """Open a recording.

        Raises:
            RecordingError: if the file is none, is of another version, or is beyond all bounds.
        """
        body = _loaded(path, most_unpacked)
        try:
            self._title = str(body["title"])
            self._now: datetime = decode(datetime, body["now"], "/now")
            reads = body["reads"]
            if not isinstance(reads, list) or len(reads) > MAX_READS:
                raise RecordingError(f"{path.name} holds no list of reads")
            self._answers = {_spelt(_told(item["ask"])): item["answer"] for item in reads}
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise RecordingError(f"{path.name} is no recording: {error}") from error

    @property
    def title(self) -> str:
        """Name what was looked at, and that it is a recording."""
        return f"recording of {self._title}"

    def now(self) -> datetime:
        """Return the moment at which the recording began."""
        return self._now

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        """Return what was recorded for this ask."""
        body = self._answers.get(_key(ask))
        if body is None:
            return Missing(
                Gap.NOT_IN_DUMP, f"{ask.part} is not in the recording as asked", "Record the same question again."
            )
        try:
            return _decoded(ask.part, body)
        except (WireError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            return Missing(Gap.MALFORMED, f"{ask.part} of the recording: {error}", "Record the question again.")

    def close(self) -> None:
        """Hold nothing open."""


def _key(ask: Ask) -> str:
    scope = {name: encode(value) for name, value in ask.part.width.of(ask.scope).items()}
    return _spelt({"part": ask.part.name, "node": ask.node, "scope": scope})


def _told(ask: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of a recorded scope what its part depends on; recordings of earlier versions hold every field."""
    fields = _FIELDS.get(ask["part"], ask["scope"].keys())
    return {**ask, "scope": {name: ask["scope"].get(name) for name in fields}}


def _spelt(ask: Any) -> str:
    return json.dumps(ask, sort_keys=True, separators=(",", ":"))


def _encoded(part: AnyPart, answer: Known[object] | Missing) -> dict[str, Any]:
    if isinstance(answer, Missing):
        return {"missing": encode(answer)}
    known = {"observed_at": encode(answer.observed_at), "origin": answer.origin}
    return {"known": {"value": encode(answer.value, part.holds), **known}}


def _decoded(part: AnyPart, body: Any) -> Known[object] | Missing:
    if "missing" in body:
        missing: Missing = decode(Missing, body["missing"], "/missing")
        return missing
    generic: Any = Known
    known: Known[object] = decode(generic[part.holds], body["known"], "/known")
    return known


def _write_privately(path: Path, content: bytes) -> None:
    """Write for the owner alone, also over a file that others could read: it still shows a cluster's inside."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        if path.is_file():
            os.fchmod(file.fileno(), 0o600)
        file.write(content)


def _loaded(path: Path, most_unpacked: int) -> dict[str, Any]:
    try:
        # The size of a device or a pipe is not known before it was read.
        with path.open("rb") as file:
            packed = file.read(2)
            if packed == _GZIP:
                packed += file.read(MAX_PACKED_BYTES)
        if len(packed) > MAX_PACKED_BYTES:
            raise RecordingError(f"{path.name} has more than {MAX_PACKED_BYTES >> 20} MiB")
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacked:
            written = unpacked.read(most_unpacked + 1)
    except OSError as error:
        raise RecordingError(f"{path.name} cannot be read: {error}", "Check the path.") from error
    except (EOFError, zlib.error) as error:
        raise RecordingError(f"{path.name} is damaged: {error}") from error
    if len(written) > most_unpacked:
        raise RecordingError(f"{path.name} unpacks to more than {most_unpacked >> 20} MiB")
    try:
        body = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path.name} is no recording: {error}") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        found = body.get("schema") if isinstance(body, dict) else None
        raise RecordingError(f"{path.name} is no recording of schema {SCHEMA} (it says {found!r:.20})")
    return body
