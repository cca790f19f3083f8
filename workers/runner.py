"""One question, from the asking to the report: the cache, else collect and judge, then remember."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.metrics import Stage
from bot.stages import stage
from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import Asked
from handlers.engine import answer, first_answer
from handlers.model.report import FirstAnswer, Report
from handlers.model.snapshot import Snapshot
from handlers.rights.ownership import ownership
from handlers.source import Source
from workers.collect import DEFAULT_BUDGET, GLANCE_AFTER, collect
from workers.redact_report import without_secrets

Progress = Callable[[str | FirstAnswer], None]
"""Told how far a run is, in a few words, and once what is certain already; must not raise."""


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
    owned: bool = False,
) -> Ran:
    """Answer a question from the cache where that is allowed and possible, else from ``source``.

    ``fresh`` questions skip the look-up, yet their answer is kept for the next asker. A cache that fails is as good as
    empty. Secrets are taken out as they are out of recordings. What is certain while slow reads go on is told
    by ``progress``, once, after ``glance_after`` seconds. Gaps of the cluster end up in the report; nothing is raised
    for them. With ``owned`` the reports tell whose their words are, for readers who may not read all of them.
    """
    if cache is not None and not asked.fresh:
        kept = cache.get(asked)
        if kept is not None and (kept.report.ownership is not None or not owned):
            return Ran(kept.report, kept.at)

    def glance(so_far: Snapshot) -> bool:
        first = first_answer(asked.question, so_far, catalogue)
        if first is not None and progress is not None:
            progress(replace(first, report=finished(first.report, so_far, owned=owned)))
        return first is not None

    with stage(Stage.READ):
        snapshot = collect(
            asked.question,
            source,
            budget=budget,
            progress=progress,
            glance=glance if progress else None,
            glance_after=glance_after,
            catalogue=catalogue,
        )
    with stage(Stage.JUDGE):
        report = finished(answer(asked.question, snapshot, catalogue), snapshot, owned=owned)
    if cache is not None:
        cache.put(asked, report)
    return Ran(report)


def finished(report: Report, read: Snapshot, *, owned: bool) -> Report:
    """Return a report without secrets and, with ``owned``, with whose its words are."""
    clean = without_secrets(report)
    return replace(clean, ownership=ownership(read, clean)) if owned else clean
