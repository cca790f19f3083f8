"""Two moments: what differs between them, worst first.

Laws: a moment differs in nothing from itself; what is new and what stood before are together all problems that stand;
what could not be read now is never cleared.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from handlers.digests.moment import Moment
from handlers.digests.problem import Problem
from handlers.digests.trend import Trend, of_figure, of_packets
from handlers.model.finding import Evidence, Sentence


class Kind(StrEnum):
    """How a line of a digest stands to the moment before; ``STANDS`` is in no list of changes."""

    NEW = "new"
    WORSE = "worse"
    CLEARED = "cleared"
    BETTER = "better"
    STANDS = "stands"

    @property
    def order(self) -> int:
        """Position from what hurts to what is good."""
        return list(Kind).index(self)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a digest. ``question`` opens it."""

    kind: Kind
    sentence: Sentence
    question: str
    evidence: tuple[Evidence, ...] = ()
    advice: str = ""
    grade: int = 0
    detail: Sentence | None = None

    @property
    def whole(self) -> Sentence:
        """The line with its detail, for who reads all of it."""
        if self.detail is None:
            return self.sentence
        return Sentence("{line}; {detail}", {"line": self.sentence, "detail": self.detail})


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of drops at both moments: packets, None where nobody counted."""

    name: str
    now: int | None
    before: int | None


@dataclass(frozen=True, slots=True)
class Digest:
    """What differs, and what stands. ``now`` is what the next digest is compared with."""

    now: Moment
    before: Moment | None
    changes: tuple[Change, ...]
    problems: tuple[Change, ...]
    """All that stands, each as new, worse, better, or as standing."""
    held: tuple[Change, ...] = ()
    """Problems of before that could not be looked at now."""

    @property
    def unread(self) -> tuple[Sentence, ...]:
        """What could not be read, problems that may still stand first."""
        held = (
            Sentence("{problem} (as of before: it could not be looked at now)", {"problem": one.sentence})
            for one in self.held
        )
        return (*held, *self.now.unread)

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Causes of drops, those of most packets first."""
        now, then = self.now.causes, self.before.causes if self.before else ()
        counts = {one.key: one.count for one in now}
        earlier = {one.key: one.count for one in then}
        names = {one.key: one.name for one in (*then, *now)}
        keys = dict.fromkeys((*(one.key for one in now), *(one.key for one in then)))
        known_now, known_then = self.now.window is not None, self.before is not None and self.before.window is not None
        return tuple(
            Cause(names[key], counts.get(key, 0 if known_now else None), earlier.get(key, 0 if known_then else None))
            for key in keys
        )

    @property
    def is_in_doubt(self) -> bool:
        """Whether something may be new or worse that nobody could see."""
        return bool(self.held) or any(doubt.matters for doubt in self.now.doubts)

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing differs, and everything of before could be looked at."""
        return self.before is not None and not self.changes and not self.held

    @property
    def is_worse(self) -> bool:
        """Whether anything is new or worse."""
        return any(change.kind in (Kind.NEW, Kind.WORSE) for change in self.changes)


def compare(before: Moment | None, now: Moment) -> Digest:
    """Compare two moments; without one before, everything that stands is new."""
    known = {one.key: one for one in (*before.carried, *before.problems)} if before else {}
    standing = [_standing(one, known.get(one.key), before, now) for one in now.problems]
    changes = [one for one in standing if one.kind is not Kind.STANDS]
    gone = [one for key, one in known.items() if key not in {problem.key for problem in now.problems}]
    held = [one for one in gone if _is_hidden(one, now)]
    changes += [_change(Kind.CLEARED, one) for one in gone if one not in held]
    changes += _figures(before, now) if before else []
    return Digest(
        now=replace(now, carried=tuple(held)),
        before=before,
        changes=tuple(sorted(changes, key=lambda one: (one.kind.order, -one.grade))),
        problems=tuple(standing),
        held=tuple(_change(Kind.STANDS, one) for one in held),
    )


def _is_hidden(problem: Problem, now: Moment) -> bool:
    if problem.question not in now.questions:
        return True
    return any(doubt.hides(problem) for doubt in now.doubts)


def _standing(problem: Problem, earlier: Problem | None, before: Moment | None, now: Moment) -> Change:
    if earlier is None or before is None:
        return _change(Kind.NEW, problem)
    further = sorted(set(problem.extent) - set(earlier.extent)) if earlier.extent else []
    if further:
        words = Sentence("{problem} (now also {further})", {"problem": problem.sentence, "further": ", ".join(further)})
        return replace(_change(Kind.WORSE, problem), sentence=words)
    trend = Trend.STEADY
    if problem.count is not None and earlier.count is not None:
        trend = of_packets(earlier.count, problem.count, before.window, now.window)
    if trend is Trend.STEADY:
        return _change(Kind.STANDS, problem)
    words = Sentence("{problem} (before: {count})", {"problem": problem.sentence, "count": earlier.count})
    return replace(_change(Kind.WORSE if trend is Trend.WORSE else Kind.BETTER, problem), sentence=words)


def _change(kind: Kind, problem: Problem) -> Change:
    return Change(
        kind, problem.sentence, problem.opens, problem.evidence, problem.advice, problem.grade, problem.detail
    )


_OF_FIGURES = 35


def _figures(before: Moment, now: Moment) -> Iterator[Change]:
    earlier = {figure.name: figure for figure in before.figures}
    told = [problem.key for problem in (*before.problems, *before.carried, *now.problems)]
    for figure in now.figures:
        then = earlier.get(figure.name)
        trend = of_figure(then, figure) if then else Trend.STEADY
        if then is None or trend is Trend.STEADY or any(map(figure.is_told_by, told)):
            continue
        unit = f" {figure.unit}" if figure.unit else ""
        words = Sentence(
            "{name}: {value} (before: {before})",
            {"name": figure.name, "value": f"{figure.value:g}{unit}", "before": f"{then.value:g}{unit}"},
        )
        kind = Kind.WORSE if trend is Trend.WORSE else Kind.BETTER
        yield Change(kind, words, figure.question, (Evidence("computed", figure.name),), grade=_OF_FIGURES)
