"""Did the fix work? One report from before a change held against one from after it.

"Fixed" takes three things: nothing that was read stops the connection any more, everything that could was read, and
packets were seen to pass after the change. Whatever lacks one of them is less than fixed, and says what it lacks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from handlers.fixes import words
from handlers.fixes.changed import Changed, blamed_by, changed_between
from handlers.model.change import Change
from handlers.model.finding import Finding, Hop, Outcome, Sentence, prose
from handlers.model.report import Expected, Observed, Report
from handlers.model.standing import Standing, Way

SETTLING = timedelta(seconds=10)
"""How long agents may take to do what a policy says: drops of that time are not held against the change."""
QUIET = timedelta(seconds=30)
"""How long no packet may have been dropped, where others pass."""
_END_GONE = frozenset({"NAME_NOT_FOUND", "NAMESPACE_NOT_FOUND", "ADDRESS_GONE"})
_NOT_REALIZED = "POLICY_NOT_REALIZED"


class FixState(StrEnum):
    """What became of a connection that was stopped, or that is looked after."""

    STILL_BLOCKED = "still-blocked"
    """Nothing that touches it changed."""
    APPLIED_STILL_BLOCKED = "applied-still-blocked"
    """Something changed, and it does not pass yet."""
    OPENED = "opened"
    """Nothing stops it any more, and no packet was seen since."""
    FIXED = "fixed"
    GONE = "gone"
    """One of its ends exists no longer, or not at this moment."""
    PASSES = "passes"
    """It was not stopped before, and is not."""
    BROKE = "broke"
    """It was not stopped before, and is now."""
    CANNOT_TELL = "cannot-tell"

    @property
    def is_last(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self is FixState.FIXED


@dataclass(frozen=True, slots=True)
class Fix:
    """The judgement: the state, the sentence that says it, and the change that is held to be the cause, if one is."""

    state: FixState
    sentence: Sentence
    change: Change | None = None
    passed_at: datetime | None = None


def judge(before: Report, after: Report) -> Fix:
    """Say what became of the connection; both reports are answers to the same ``why``."""
    changed = changed_between(before, after)
    if gone := _gone(after):
        return Fix(FixState.GONE, words.gone(gone))
    is_doubtful = after.expected is None or after.expected is Expected.UNKNOWN
    if is_doubtful and not (is_stopped(before) and _is_dropped_since(before, after, changed)):
        return _cannot_tell(after)
    if not is_stopped(before):
        return _of_open(after, changed)
    if is_doubtful:
        return _dropped(before, after, changed, _not_realized(after) or _doubt(after))
    if after.blockers():
        return _blocked(before, after, changed)
    return _opened(before, after, changed)


def first_look(report: Report) -> Fix:
    """Say how the connection stands when the watch begins."""
    if is_stopped(report) and report.expected not in (None, Expected.UNKNOWN):
        return Fix(FixState.STILL_BLOCKED, words.stopped(_drop(report)))
    return judge(report, report)


def unanswered(why: str) -> Fix:
    """Return that the second look told nothing."""
    return Fix(FixState.CANNOT_TELL, words.cannot_tell(prose(why), None))


def is_stopped(report: Report) -> bool:
    """Whether the connection did not work: something blocks it, or its packets were dropped."""
    return bool(report.blockers()) or report.observed is Observed.DROPPED


def _gone(after: Report) -> Finding | None:
    return next((one for one in after.findings if one.hop is Hop.RESOLVE and one.code in _END_GONE), None)


def _cannot_tell(after: Report) -> Fix:
    standing = after.standing or Standing()
    passed = standing.passed_at if after.observed is Observed.FORWARDED else None
    return Fix(FixState.CANNOT_TELL, words.cannot_tell(_doubt(after), passed), passed_at=passed)


def _doubt(after: Report) -> Sentence:
    doubts = (one for one in after.findings if one.blocking and one.outcome in (Outcome.UNKNOWN, Outcome.BROKEN))
    return next((one.because for one in doubts), _because(after))


def _of_open(after: Report, changed: Changed) -> Fix:
    """Judge a connection that was not stopped when the watch began."""
    standing = after.standing or Standing()
    if after.blockers() or after.observed is Observed.DROPPED:
        return Fix(FixState.BROKE, words.broke(_because(after), changed), _first(changed))
    passed = standing.passed_at if after.observed is Observed.FORWARDED else None
    return Fix(FixState.PASSES, words.passes(passed), passed_at=passed)


def _blocked(before: Report, after: Report, changed: Changed) -> Fix:
    standing, because = after.standing or Standing(), _because(after)
    is_by_book = after.expected is Expected.BLOCKED
    if is_by_book and after.observed is Observed.FORWARDED and _passes_since(before, standing, changed):
        passed = standing.passed_at
        return Fix(FixState.CANNOT_TELL, words.passes_against(because, passed), passed_at=passed)
    is_other = bool(_hops(before) - _hops(after))
    if changed.is_nothing and not is_other and after.observed is not Observed.AUDITED:
        return Fix(FixState.STILL_BLOCKED, words.still_blocked(_drop(after), changed, is_by_book=is_by_book))
    drops = _is_dropped_since(before, after, changed)
    if is_other:
        because = words.another_blocker(because)
    if after.observed is Observed.AUDITED:
        because = words.audited(because)
    sentence = words.applied(because, changed, is_patch=_is_patch(before, changed), is_dropped=drops)
    return Fix(FixState.APPLIED_STILL_BLOCKED, sentence, _first(changed))


def _opened(before: Report, after: Report, changed: Changed) -> Fix:
    """Judge what nothing blocks by the book any more, by the packets."""
    standing, change = after.standing or Standing(), _first(changed)
    match after.observed:
        case Observed.DROPPED if _is_dropped_since(before, after, changed):
            because = _not_realized(after) or words.dropped_all_the_same(after.headline.seen)
            return _dropped(before, after, changed, because)
        case Observed.DROPPED if changed.is_nothing and not before.blockers():
            return Fix(FixState.STILL_BLOCKED, words.still_blocked(_drop(after), changed))
        case Observed.NO_DATA | None:
            return Fix(FixState.CANNOT_TELL, words.unseen(changed, after.headline.seen), change)
        case Observed.AUDITED:
            because = words.audited(prose("policy audit mode is on"))
            sentence = words.applied(because, changed, is_patch=_is_patch(before, changed), is_dropped=False)
            return Fix(FixState.APPLIED_STILL_BLOCKED, sentence, change)
        case Observed.FORWARDED if _passes_since(before, standing, changed):
            return _passing(after, standing, changed, _passed_at(before, standing))
    return Fix(FixState.OPENED, words.opened(changed, _drop(after), _not_realized(after)), change)


def _dropped(before: Report, after: Report, changed: Changed, because: Sentence) -> Fix:
    """Judge packets that are dropped since, though no policy that was read says so."""
    if changed.is_nothing and not before.blockers():
        return Fix(FixState.STILL_BLOCKED, words.still_blocked(_drop(after), changed))
    sentence = words.applied(because, changed, is_patch=_is_patch(before, changed), is_dropped=True)
    return Fix(FixState.APPLIED_STILL_BLOCKED, sentence, _first(changed))


def _passing(after: Report, standing: Standing, changed: Changed, passed: datetime | None) -> Fix:
    """Judge what passes since the change: fixed, unless a packet was dropped a moment ago or a node was not heard."""
    change = _first(changed)
    if standing.dropped_at and standing.dropped_at > after.taken_at - QUIET:
        return Fix(FixState.OPENED, words.not_quiet_yet(changed, standing.dropped_at), change, passed)
    if standing.unheard:
        return Fix(FixState.CANNOT_TELL, words.not_all_heard(standing.unheard, passed), change, passed)
    return Fix(FixState.FIXED, words.fixed(changed, passed), change, passed)


def _is_dropped_since(before: Report, after: Report, changed: Changed) -> bool:
    """Whether the newest sign is a drop, of after the first look, and after the change had time to come into force."""
    dropped, last = _drop(after), _last_at(changed)
    if after.observed is not Observed.DROPPED or dropped is None:
        return False
    return dropped > max(before.taken_at, last + SETTLING if last else before.taken_at)


def _passes_since(before: Report, standing: Standing, changed: Changed) -> bool:
    """Whether the newest packet that passed did so after everything that says it could not."""
    passed = _passed_at(before, standing)
    since = [before.taken_at, _last_at(changed), before.standing.dropped_at if before.standing else None]
    return passed is not None and passed > max(filter(None, since))


def _passed_at(before: Report, standing: Standing) -> datetime | None:
    """Return when a packet last passed where policy stopped it before: what passes beside that proves nothing."""
    stopped = {_way(way) for way in before.standing.ways if way.is_blocked} if before.standing else set()
    if not stopped:
        return standing.passed_at
    return max((way.passed_at for way in standing.ways if way.passed_at and _way(way) in stopped), default=None)


def _way(way: Way) -> tuple[str, str, str]:
    return way.source, way.destination, way.port


def _last_at(changed: Changed) -> datetime | None:
    return max((change.at for change in changed.changes), default=None)


def _drop(report: Report) -> datetime | None:
    return report.standing.dropped_at if report.standing else None


def _hops(report: Report) -> set[Hop | None]:
    return {one.hop for one in report.blockers()}


def _first(changed: Changed) -> Change | None:
    """Return the change that concerns the connection most; none where a policy that stopped it was deleted."""
    return None if changed.gone else next(iter(changed.changes), None)


def _because(after: Report) -> Sentence:
    return after.headline.reason or after.headline.claim


def _not_realized(after: Report) -> Sentence | None:
    finding = next((one for one in after.findings if one.code == _NOT_REALIZED), None)
    return words.not_realized(finding) if finding else None


def _is_patch(before: Report, changed: Changed) -> bool:
    first = _first(changed)
    return first is not None and first.ref in blamed_by(before)
