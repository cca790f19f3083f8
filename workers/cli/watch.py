"""``watch``: did the fix work? A live cluster is asked again and again, two archives are held against each other."""

import sys
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bot.fixes.fix_watch import EVERY
from bot.render.clean import one_line
from handlers.commands.command import Asked
from handlers.fixes.judge import Fix, FixState, first_look, judge
from handlers.fixes.words import watched_for
from handlers.model.report import Report
from handlers.source import Source
from workers.origin import Live, NotOpenedError, Origin, Recorded, Sysdump, opened
from workers.runner import run
from workers.status import Status

_STATUS = {
    FixState.FIXED: Status.FINE,
    FixState.PASSES: Status.FINE,
    FixState.STILL_BLOCKED: Status.PROBLEM,
    FixState.APPLIED_STILL_BLOCKED: Status.PROBLEM,
    FixState.BROKE: Status.PROBLEM,
}
_NO_BEFORE = "an archive does not change: name one of before the change with --before"


def watch_in_terminal(
    asked: Asked,
    span: timedelta,
    before: Path | None,
    origin: Origin,
    *,
    budget: float,
    wait: Callable[[float], None] = time.sleep,
) -> Status:
    """Print how things stand whenever that changes, and return the status of the last word.

    Raises:
        NotOpenedError: if the place cannot be looked at, or is an archive and nothing is named to hold it against.
    """
    if before is None and not isinstance(origin, Live):
        raise NotOpenedError(_NO_BEFORE)
    first = None
    if before is not None:
        with opened(_archive(before)) as source:
            first = _asked(asked, source, budget)
    with opened(origin) as source:
        if first is not None and not isinstance(origin, Live):
            fix = judge(first, _asked(asked, source, budget))
            _print(str(fix.sentence))
        else:
            fix = watched(asked, span, source, first, budget=budget, wait=wait)
    return _STATUS.get(fix.state, Status.UNKNOWN)


def watched(
    asked: Asked,
    span: timedelta,
    source: Source,
    first: Report | None,
    *,
    budget: float,
    wait: Callable[[float], None],
) -> Fix:
    """Ask until the fix worked or the time is up, by the source's clock; what comes of it is printed when it changes.

    Without a ``first`` answer to hold others against, the one of the beginning is it.
    """
    until = source.now() + span
    now = _asked(asked, source, budget)
    fix = judge(first, now) if first else first_look(now)
    first, said = first or now, str(fix.sentence)
    _print(said)
    while not fix.state.is_last and source.now() < until:
        wait(EVERY.total_seconds())
        fix = judge(first, _asked(asked, source, budget))
        if str(fix.sentence) != said:
            said = str(fix.sentence)
            _print(said)
    if not fix.state.is_last:
        _print(str(watched_for(span, fix.sentence)))
    return fix


def _asked(asked: Asked, source: Source, budget: float) -> Report:
    return run(asked, source, budget=budget).report


def _archive(path: Path) -> Origin:
    return Sysdump(path) if path.is_dir() or zipfile.is_zipfile(path) else Recorded(path)


def _print(words: str) -> None:
    sys.stdout.write(f"{one_line(words)}\n")
    sys.stdout.flush()
