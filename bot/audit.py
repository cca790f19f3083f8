"""Who was shown what: a line of JSON for each answer, each button, each refusal and each order.

Lines go to a file or to standard output for whoever collects logs, and to a stream in Redis, bounded in number and age.
They hold what was asked and which namespaces were shown, never what stood in the answer.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError

from bot.log import without_secrets
from bot.render.reading import status_of
from handlers.model.report import Report
from handlers.model.wire import encode
from handlers.rights.owners import owner_of_ref

KEEP = timedelta(days=30)
MOST = 100_000
"""Entries that are kept in Redis, the newest."""
_LONGEST = 1_000
"""Characters of a question."""

log = structlog.get_logger(__name__)


class Act(StrEnum):
    """What was done for somebody."""

    ANSWERED = "answered"
    SHOWN = "shown"
    """What is behind a button."""
    REFUSED = "refused"
    ORDERED = "ordered"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``user`` and ``team`` are Slack's ids, empty where nobody asked: a card, a digest.

    ``shown`` says what of which namespace evidence was shown of (the empty namespace is the cluster); ``alone`` whether
    it was shown to that person alone; ``withheld`` what was left out, by kind and count.
    """

    act: Act
    what: str
    """The question, the order, or the button and the question of its answer."""
    user: str
    team: str
    channel: str
    at: datetime
    cluster: str = ""
    verdict: str = ""
    shown: tuple[tuple[str, tuple[str, ...]], ...] = ()
    withheld: tuple[str, ...] = ()
    alone: bool = False


Note = Callable[[Entry], None]


def no_note(_entry: Entry) -> None:
    """Keep nothing: there is no audit log."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who sees something, and where."""

    user: str = ""
    team: str = ""
    channel: str = ""


def entry_of(act: Act, what: str, reader: Reader, report: Report, *, cluster: str = "", alone: bool = False) -> Entry:
    """Return the line for a report as it was shown to somebody."""
    shown: dict[str, set[str]] = defaultdict(set)
    refs = (item.ref for finding in report.findings for item in finding.evidence)
    for ref in (*refs, *(patch.policy for patch in report.patches)):
        if owner := owner_of_ref(ref):
            shown[owner.namespace].add(owner.content.value)
    listed = tuple((namespace, tuple(sorted(contents))) for namespace, contents in sorted(shown.items()))
    return Entry(
        act,
        what[:_LONGEST],
        reader.user,
        reader.team,
        reader.channel,
        datetime.now(UTC),
        report.cluster or cluster,
        str(status_of(report)),
        listed,
        report.withheld,
        alone,
    )


class Audit:
    """The log. One for a process; any of its threads may use it."""

    def __init__(
        self,
        redis: Redis,
        to: str = "",
        *,
        prefix: str = "cilium-triage",
        keep: timedelta = KEEP,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take where lines go beside Redis: ``stdout``, or the path of a file."""
        self._redis = redis
        self._to = to
        self._key = f"{prefix}:audit"
        self._keep = keep
        self._now = now

    def note(self, entry: Entry) -> None:
        """Keep a line. Raises nothing: what cannot be kept is logged as lost."""
        line = _line(entry)
        try:
            self._write(line)
        except OSError as error:
            log.error("audit line not written", error=type(error).__name__)
        try:
            oldest = int((self._now() - self._keep).timestamp() * 1000)
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.xadd(self._key, {"entry": line}, maxlen=MOST, approximate=True)
                pipe.xtrim(self._key, minid=str(oldest), approximate=False)
                pipe.expire(self._key, self._keep)
                pipe.execute()
        except RedisError as error:
            log.error("audit line not kept", error=type(error).__name__)

    def kept(self, since: datetime, most: int = 1_000) -> Iterator[str]:
        """Yield the lines that Redis has, the oldest first.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        found = cast(Any, self._redis).xrange(self._key, min=str(int(since.timestamp() * 1000)), count=most)
        for _id, fields in found:
            texts = {_text(name): _text(value) for name, value in fields.items()}
            yield texts.get("entry", "")

    def _write(self, line: str) -> None:
        if self._to == "stdout":
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        elif self._to:
            # Opened anew for each line: whoever rotates the file need tell nobody.
            with Path(self._to).open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


def _line(entry: Entry) -> str:
    body = {**encode(entry), "shown": {namespace: list(contents) for namespace, contents in entry.shown}}
    return json.dumps(without_secrets(None, "", body), ensure_ascii=False, separators=(",", ":"))


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply
