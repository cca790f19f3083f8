"""The answer in brief: what a person reads before pressing anything. Every surface shows these lines in its own way."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.render import reading
from bot.render.gaps import NotRead, not_read
from handlers.model.finding import Sentence, Value, prose
from handlers.model.headline import Pair
from handlers.model.report import Expected, Observed, Patch, Report

_MOST_ALSO = 2
"""Further blockers that are told with their reason."""
_MOST_NOT_READ = 2
"""Groups of gaps that are named at once."""
_UNSAID_REASON: dict[tuple[Expected | None, Observed | None], str] = {
    (Expected.OPEN, Observed.DROPPED): "no policy that was read stops it",
    (Expected.OPEN, Observed.NOTHING): "nothing that was checked stops it",
    (Expected.OPEN, Observed.NO_DATA): "nothing that was checked stops it",
}
"""Why, where no finding decides."""


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled line."""

    label: str
    words: Sentence


def between(pair: Pair, arrow: str = "→") -> Sentence:
    """Return who talks to whom, on which port."""
    words = f"{{source}} {arrow} {{destination}} {{port}}" if pair.port else f"{{source}} {arrow} {{destination}}"
    return Sentence(words, {"source": pair.source, "destination": pair.destination, "port": prose(pair.port)})


def lines(report: Report) -> tuple[Line, ...]:
    """Return why, what changed before, what was seen, what was not read, and what to do, each that there is."""
    return tuple(_lines(report))


def _lines(report: Report) -> Iterator[Line]:
    unread = unread_that_matters(report)
    yield from _why(report, unread)
    if report.headline.changed:
        yield Line("Changed", report.headline.changed)
    if seen := reading.seen(report):
        yield Line("Seen", prose(seen))
    for gap in unread:
        yield Line("Not read", prose(str(gap)))
    yield from _remedy(report, unread)


def unread_that_matters(report: Report) -> tuple[NotRead, ...]:
    """Return what was not read and keeps the report from an answer."""
    if report.expected is not Expected.UNKNOWN:
        return ()
    return tuple(gap for gap in not_read(report) if gap.hops)[:_MOST_NOT_READ]


def _why(report: Report, unread: tuple[NotRead, ...]) -> Iterator[Line]:
    headline = report.headline
    decides = next(iter(report.blockers()), None)
    is_gap = bool(unread) and decides is None
    fallback = _UNSAID_REASON.get((report.expected, report.observed))
    reason = headline.reason or (prose(fallback) if fallback and headline.pair else None)
    if reason is not None and not is_gap:
        yield Line("Why", _with_more(reason, headline.more))
    for finding in report.blockers()[1:][:_MOST_ALSO]:
        yield Line(f"Also at {reading.hop_name(finding.hop)}", finding.because)
    left = len(report.blockers()) - 1 - _MOST_ALSO
    if left > 0:
        yield Line("Also", prose(f"{left} more blocker{'s' if left > 1 else ''}, see Evidence"))


def _with_more(reason: Sentence, more: tuple[Sentence, ...]) -> Sentence:
    words, values = "{reason}", dict[str, Value](reason=reason)
    for number, sentence in enumerate(more):
        words += f"; {{more_{number}}}"
        values[f"more_{number}"] = sentence
    return Sentence(words, values)


def _remedy(report: Report, unread: tuple[NotRead, ...]) -> Iterator[Line]:
    if report.patches:
        yield Line("Fix", prose(f"{_titles(report.patches)} – {proof_in_words(report.patches)}."))
        return
    if remedy := next((gap.remedy for gap in unread if gap.remedy), report.headline.remedy):
        yield Line("Fix" if report.blockers() else "Do", prose(remedy))


def _titles(patches: tuple[Patch, ...]) -> str:
    return "; ".join(patch.title for patch in patches)


def proof_in_words(patches: tuple[Patch, ...]) -> str:
    """Return how sure the patches are and what else they open, in a few words."""
    proven = "proven" if len(patches) == 1 else "proven together"
    if not all(patch.blast_radius_known for patch in patches):
        return f"{proven} for this flow; what else it opens is not known"
    others = {(flow.source, flow.destination, flow.port): flow.count for patch in patches for flow in patch.also_opens}
    count = sum(others.values())
    if not count:
        return f"{proven}; opens only this flow"
    return f"{proven}; opens {count} more flow{'s' if count > 1 else ''}"
