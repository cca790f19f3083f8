"""One question, from the asking to the report: the cache, else collect and judge, then remember."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.render.text import first_words
from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import Asked
from handlers.engine import answer
from handlers.model.report import Expected, Report
from handlers.model.snapshot import Snapshot
from handlers.source import Source
from workers.collect import DEFAULT_BUDGET, GLANCE_AFTER, Progress, collect
from workers.redact_report import without_secrets


@dataclass(frozen=True, slots=True)
class Kept:
    """A report from the cache, and when it was put there."""

    report: Report
    at: datetime


class Cache(Protocol):
    """Answers kept for a while. It never raises: what it cannot find or read is not there."""

    def get(self, asked: Asked) -> Kept | None:
        """Return the kept answer to this question, if there is one."""
        ...

    def put(self, asked: Asked, report: Report) -> None:
        """Keep an answer for as long as its command allows."""
        ...


@dataclass(frozen=True, slots=True)
class Ran:
    """A report, and when it was put into the cache if it came from there."""

    report: Report
    cached_at: datetime | None = None


def run(
    asked: Asked,
    source: Source,
    *,
    cache: Cache | None = None,
    budget: float = DEFAULT_BUDGET,
    progress: Progress | None = None,
    glance_after: float = GLANCE_AFTER,
    catalogue: Catalogue = CATALOGUE,
) -> Ran:
    """Answer a question from the cache where that is allowed and possible, else from ``source``.

    ``fresh`` questions skip the look-up, yet their answer is kept for the next asker. A cache that fails is as good as
    empty. Secrets are taken out as they are out of recordings. A blocker that is certain while slow reads go on is told
    by ``progress``, after ``glance_after`` seconds of a round. Gaps of the cluster end up in the report; nothing is
    raised for them.
    """
    if cache is not None and not asked.fresh:
        kept = cache.get(asked)
        if kept is not None:
            return Ran(kept.report, kept.at)
    early = _Early(asked, progress, catalogue) if progress else None
    snapshot = collect(
        asked.question,
        source,
        budget=budget,
        progress=early.say if early else None,
        glance=early.look if early else None,
        glance_after=glance_after,
        catalogue=catalogue,
    )
    report = without_secrets(answer(asked.question, snapshot, catalogue))
    if cache is not None:
        cache.put(asked, report)
    return Ran(report)


class _Early:
    """Tells a blocker that is certain before everything is read: what is read later only adds to it."""

    def __init__(self, asked: Asked, progress: Progress, catalogue: Catalogue) -> None:
        self._asked = asked
        self._progress = progress
        self._catalogue = catalogue
        self._known = ""

    def say(self, words: str) -> None:
        """Pass on how far the gathering is, behind what is known already."""
        self._progress(f"{self._known} · {words}" if self._known else words)

    def look(self, so_far: Snapshot) -> None:
        """Judge what is there."""
        report = without_secrets(answer(self._asked.question, so_far, self._catalogue))
        if report.expected is Expected.BLOCKED:
            self._known = first_words(report)
            self.say("still reading")
