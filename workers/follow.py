"""Answer a question about flows again and again while it is followed: bounded reads of what came since the last.

Each read begins a little before the end of the one before, so that nothing is missed that a node tells late; a read
that fails is made up for by the next one. What Hubble itself loses meanwhile is in the report.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.followed import along
from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import Asked
from handlers.engine import answer
from handlers.flows.tail import joined, next_query
from handlers.model.facts import Facts
from handlers.model.flow import FlowLog
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.scope import Scope
from handlers.model.snapshot import Ask, Known, Missing, Snapshot
from handlers.source import Source
from workers.collect import DEFAULT_BUDGET, Answer, collect, read_part
from workers.runner import Ran, finished

EVERY = 3.0
"""Seconds between two reads: Slack takes no edits that come faster."""
_LONGEST_READ = 8.0

NOT_LIVE = "Flows are followed on a live cluster; a sysdump or a recording does not change. Leave “follow” out."

Tell = Callable[[Report], None]
"""Told the whole answer so far, whenever a read has ended; must not raise."""

Wait = Callable[[float], None]


def follow(
    asked: Asked,
    source: Source,
    span: timedelta,
    tell: Tell,
    *,
    budget: float = DEFAULT_BUDGET,
    every: float = EVERY,
    wait: Wait = time.sleep,
    catalogue: Catalogue = CATALOGUE,
    owned: bool = False,
) -> Ran:
    """Follow a question about flows for a time, by the source's clock, and return the last answer.

    Interrupted at any moment it ends at once: reads run on a thread of their own. Where the flows cannot be read in the
    beginning there is nothing to follow, and the answer says so.
    """

    def judged(read: Snapshot) -> Report:
        return finished(answer(asked.question, read, catalogue), read, owned=owned)

    snapshot = collect(asked.question, source, budget=budget, catalogue=catalogue)
    report = judged(snapshot)
    query = asked.question.scope(Facts(snapshot)).flows
    ends = source.now() + span
    while query is not None and isinstance(look := snapshot.get(Part.FLOWS), Known):
        tell(report)
        if source.now() >= ends:
            break
        wait(every)
        now = min(source.now(), ends)
        more = _read(source, Scope(flows=next_query(query, look.value.until, now)))
        if isinstance(more, Known):
            snapshot = _with(snapshot, replace(look, value=joined(look.value, more.value, query.limit)))
            report = judged(snapshot)
        elif now == ends:
            snapshot = _with(snapshot, replace(look, value=_cut(look.value, more)))
            report = judged(snapshot)
            break
    return Ran(report)


def _with(snapshot: Snapshot, flows: Known[FlowLog]) -> Snapshot:
    parts = {**snapshot.parts, Part.FLOWS: flows}
    return replace(snapshot, taken_at=flows.value.until, parts=parts)


def _cut(log: FlowLog, why: Missing) -> FlowLog:
    """Return a log whose end nobody could read."""
    return replace(log, heard=frozenset(), silent={**log.silent, **dict.fromkeys(log.heard, why.detail)})


def _read(source: Source, scope: Scope) -> Answer:
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def read() -> None:
        answers.put(read_part(source, Ask(Part.FLOWS, scope), _LONGEST_READ))

    threading.Thread(target=along(read), name="follow", daemon=True).start()
    return answers.get()
