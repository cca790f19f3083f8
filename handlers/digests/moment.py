"""A moment: what stood when several questions were asked together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from handlers.catalogue import CATALOGUE, Catalogue
from handlers.digests.doubt import Doubt, doubts_in, not_asked
from handlers.digests.figures import Figure, figures_in
from handlers.digests.problem import Problem, problems_in
from handlers.model.finding import Sentence
from handlers.model.report import Report


@dataclass(frozen=True, slots=True)
class Moment:
    """What stood, what was counted and what was not seen.

    ``window`` is how many seconds back every node's flows were seen, None where no flows were asked for.
    """

    at: datetime
    source: str
    questions: tuple[str, ...]
    """Everything that was asked, answered or not."""
    problems: tuple[Problem, ...]
    doubts: tuple[Doubt, ...] = ()
    carried: tuple[Problem, ...] = ()
    """Problems of before that nobody could look at: they are held to stand until somebody can."""
    figures: tuple[Figure, ...] = ()
    window: float | None = None
    versions: tuple[str, ...] = ()

    @property
    def unread(self) -> tuple[Sentence, ...]:
        """What could not be read, each thing once; of one node what weighs most, with the rest counted."""
        told: dict[object, list[Sentence]] = {}
        for doubt in self.doubts:
            if doubt.sentence is not None:
                alike = told.setdefault(frozenset(doubt.nodes) or str(doubt.sentence), [])
                alike += [] if str(doubt.sentence) in map(str, alike) else [doubt.sentence]
        return tuple(_first_of(alike) for alike in told.values())

    @property
    def causes(self) -> tuple[Problem, ...]:
        """The causes of drops, those of most packets first."""
        counted = (one for one in self.problems if one.count is not None)
        return tuple(sorted(counted, key=lambda one: -(one.count or 0)))


def moment_of(
    reports: Sequence[Report], unanswered: Mapping[str, str] | None = None, catalogue: Catalogue = CATALOGUE
) -> Moment:
    """Make a moment of the reports of several questions, and of those that have no answer, each with the reason.

    What two questions tell alike counts once. Reports may be redacted: what is not in them is in no digest.

    Raises:
        ValueError: if there is no report at all.
    """
    if not reports:
        raise ValueError("a moment needs at least one report")
    unanswered = unanswered or {}
    problems: dict[str, Problem] = {}
    for problem in (one for report in reports for one in problems_in(report)):
        known = problems.get(problem.key)
        problems[problem.key] = problem if known is None else _both(known, problem)
    doubts = [doubt for report in reports for doubt in doubts_in(report, catalogue)]
    doubts += [not_asked(question, why) for question, why in unanswered.items()]
    return Moment(
        at=max(report.taken_at for report in reports),
        source=reports[0].source,
        questions=(*(report.question for report in reports), *unanswered),
        problems=tuple(sorted(problems.values(), key=_worst_first)),
        doubts=tuple(doubts),
        figures=figures_in(reports),
        window=_window(reports),
        versions=tuple(dict.fromkeys(version for report in reports for version in report.versions)),
    )


def _first_of(alike: Sequence[Sentence]) -> Sentence:
    if not alike[1:]:
        return alike[0]
    return Sentence("{first} (and {count} more things there)", {"first": alike[0], "count": len(alike) - 1})


def _both(one: Problem, other: Problem) -> Problem:
    worse = max(one, other, key=lambda problem: problem.grade)
    return replace(worse, nodes=tuple(dict.fromkeys((*one.nodes, *other.nodes))))


def _worst_first(problem: Problem) -> tuple[int, int, str]:
    return -problem.grade, -(problem.count or 0), problem.key


def _window(reports: Iterable[Report]) -> float | None:
    spans = [
        (report.budget.until - (report.budget.covered_since or report.budget.asked_since)).total_seconds()
        for report in reports
        if report.command == "drops" and report.budget.until and report.budget.asked_since
    ]
    return min(spans, default=None)
