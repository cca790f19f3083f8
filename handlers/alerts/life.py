"""The life of a card: firing, diagnosed, still failing, fixed, resolved, and firing again.

A kept card is a value; what happens to it is a function that returns the next one. A delivery that is repeated changes
nothing, since every alert counts once (``counted``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from handlers.alerts.alert import Alert, State
from handlers.alerts.cards import Card
from handlers.alerts.counted import MOST_SEEN, Counted, counted, silence_of
from handlers.alerts.severity import Severity, severity_of
from handlers.alerts.signal import Decision
from handlers.model.finding import Sentence
from handlers.model.report import Expected, Observed

STILL_AFTER = timedelta(minutes=10)
"""How long after a diagnosis an alert that is told again says that it still fails."""
REOPENED_WITHIN = timedelta(hours=2)
"""How long after it was resolved the same cause opens the same card again; later it gets a new one."""
AGAIN_AFTER = timedelta(minutes=15)
"""How long after it was asked a question is asked again, doubled each time."""
MOST_ASKS = 6
"""How often one firing has its question asked."""
_MOST_NAMES = 8
_MOST_NAMESPACES = 20


class Stage(StrEnum):
    """Where a card is in its life."""

    FIRING = "firing"
    DIAGNOSED = "diagnosed"
    STILL_FAILING = "still-failing"
    FIXED = "fixed"
    """What was proposed is done, and packets pass; its alerts have not ended yet."""
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled line of a diagnosis: why, what was seen, what to do."""

    label: str
    words: Sentence


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the answer to the card's question comes to.

    ``status`` is the verdict in words (``Blocked at ingress``), ``tone`` how good or bad that is; ``report_id`` names
    the whole answer where that is kept, and ``has_patch`` says whether it proposes one.
    """

    question: str
    status: str
    tone: str
    claim: Sentence
    lines: tuple[Line, ...]
    at: datetime
    expected: Expected | None = None
    observed: Observed | None = None
    report_id: str = ""
    has_patch: bool = False
    cluster: str = ""
    """The cluster that the question was about; empty where it named none, and the only one was looked at."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What made it work, in words, and since when."""

    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptCard:
    """A card as it is kept for one channel.

    ``first_at`` is when it was told first, ``fired_at`` when it last began to fire, ``last_at`` when it was last told
    to fire. ``firing`` are the alerts that fire, ``seen`` all that were counted, as digests.
    """

    fingerprint: str
    title: str
    reason: str
    decision: Decision
    severity: Severity
    cluster: str
    namespaces: tuple[str, ...]
    names: tuple[str, ...]
    """Names of its alerts, the first few."""
    questions: tuple[str, ...]
    stage: Stage
    first_at: datetime
    fired_at: datetime
    last_at: datetime
    resolved_at: datetime | None = None
    has_lapsed: bool = False
    """Whether it is taken to be resolved because nobody told of it any more."""
    firing: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    count: int = 0
    """Alerts that told of it."""
    fired: int = 1
    """How often it began to fire."""
    cut_off: int = 0
    """Alerts that a sender cut off from a group in which this cause was told."""
    asked_at: datetime | None = None
    asks: int = 0
    """How often its question was asked since it fired."""
    waits: bool = False
    """Whether the answer to its question is still to come."""
    diagnosis: Diagnosis | None = None
    failure: str = ""
    """Why the latest question has no answer, empty where it has one."""
    fix: Fix | None = None
    watched: str = ""
    """What became of the proposed patch so far, in words."""
    acknowledged_by: tuple[str, ...] = ()
    """Ids of people who said that they look after it."""
    doubted_by: tuple[str, ...] = ()
    """Ids of people who said that the answer was not it."""
    muted_until: datetime | None = None
    muted_by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it has not been resolved."""
        return self.stage is not Stage.RESOLVED

    @property
    def is_counted_whole(self) -> bool:
        """Whether ``count`` is exact; else there are more."""
        return len(self.seen) < MOST_SEEN

    def is_muted(self, at: datetime) -> bool:
        """Whether nothing is to be shown of it now."""
        return self.muted_until is not None and at < self.muted_until

    def lasted(self, at: datetime) -> timedelta:
        """Return how long it has been firing, or did before it was resolved."""
        return max(timedelta(0), (self.resolved_at or at) - self.fired_at)


def told(kept: KeptCard | None, news: Card, at: datetime, *, cut_off: int = 0) -> KeptCard | None:
    """Return the card after alerts told of its cause; None where there is nothing to keep.

    What is silent, and what is resolved without having been told before, begins no card.
    """
    if kept is None:
        is_new = news.state is State.FIRING and news.decision is not Decision.IGNORE
        return _born(news, at, cut_off) if is_new else None
    found = counted(_counted(kept), news.alerts, has_lapsed=kept.has_lapsed)
    after = _with(kept, found)
    if kept.stage is Stage.RESOLVED:
        if found.count == kept.count or not found.firing:
            return replace(kept, seen=found.seen)
        is_another = at - (kept.resolved_at or kept.last_at) > REOPENED_WITHIN and not kept.has_lapsed
        return _born(news, at, cut_off) if is_another else _reopened(after, news, at)
    after = replace(after, cut_off=max(kept.cut_off, cut_off))
    if not found.firing and kept.firing:
        return replace(after, stage=Stage.RESOLVED, resolved_at=at)
    return _still_firing(after, news, at) if news.state is State.FIRING and found.firing else after


def lapses_at(kept: KeptCard) -> datetime:
    """Return when a card lapses of which nobody tells any more."""
    return kept.last_at + silence_of(kept.firing)


def lapsed(kept: KeptCard, at: datetime) -> KeptCard:
    """Return the card as it is when nobody told of it for long: it is taken to be resolved, and says so."""
    if not kept.is_open or at < lapses_at(kept):
        return kept
    return replace(kept, stage=Stage.RESOLVED, resolved_at=at, has_lapsed=True, firing=(), waits=False)


def diagnosed(kept: KeptCard, diagnosis: Diagnosis) -> KeptCard:
    """Return the card with the answer to its question."""
    stage = Stage.DIAGNOSED if kept.stage is Stage.FIRING else kept.stage
    return replace(kept, diagnosis=diagnosis, failure="", waits=False, stage=stage)


def not_diagnosed(kept: KeptCard, failure: str) -> KeptCard:
    """Return the card whose question got no answer, and why; an earlier answer stands."""
    return replace(kept, failure=failure, waits=False)


def fixed(kept: KeptCard, fix: Fix) -> KeptCard:
    """Return the card of which it is known that it works again; one that is resolved stays so."""
    return replace(kept, fix=fix, stage=Stage.FIXED if kept.is_open else kept.stage)


def watched(kept: KeptCard, words: str) -> KeptCard:
    """Return the card of whose proposed patch something is known."""
    return replace(kept, watched=words)


def acknowledged(kept: KeptCard, user: str) -> KeptCard:
    """Return the card that somebody looks after."""
    return kept if user in kept.acknowledged_by else replace(kept, acknowledged_by=(*kept.acknowledged_by, user)[-5:])


def unacknowledged(kept: KeptCard, user: str) -> KeptCard:
    """Return the card that somebody looks after no longer."""
    return replace(kept, acknowledged_by=tuple(one for one in kept.acknowledged_by if one != user))


def doubted(kept: KeptCard, user: str) -> KeptCard:
    """Return the card of whose answer somebody says that it was not it."""
    return kept if user in kept.doubted_by else replace(kept, doubted_by=(*kept.doubted_by, user)[-_MOST_NAMES:])


def muted(kept: KeptCard, until: datetime | None, user: str) -> KeptCard:
    """Return the card of which nothing is shown for a time; None shows it again."""
    return replace(kept, muted_until=until, muted_by=user if until else "")


def is_to_be_asked(kept: KeptCard, at: datetime) -> bool:
    """Say whether its question is to be asked now: when it begins to fire, and again while it is told, ever later."""
    if kept.decision is not Decision.TRIAGE or not kept.questions or kept.stage in (Stage.RESOLVED, Stage.FIXED):
        return False
    if kept.asked_at is None:
        return True
    return kept.asks < MOST_ASKS and at - kept.asked_at >= AGAIN_AFTER * 2 ** max(0, kept.asks - 1)


def asked(kept: KeptCard, at: datetime) -> KeptCard:
    """Return the card whose question is asked."""
    return replace(kept, asked_at=at, asks=kept.asks + 1, waits=True, failure="")


def _born(news: Card, at: datetime, cut_off: int) -> KeptCard:
    blank = KeptCard(
        news.fingerprint,
        news.title,
        news.reason,
        news.decision,
        severity_of(news.alerts),
        news.cluster[:253],
        news.namespaces[:_MOST_NAMESPACES],
        _names(news.alerts),
        news.questions,
        Stage.FIRING,
        at,
        at,
        at,
        cut_off=cut_off,
    )
    return _with(blank, counted(Counted(), news.alerts))


def _counted(kept: KeptCard) -> Counted:
    return Counted(kept.firing, kept.seen, kept.count)


def _with(kept: KeptCard, found: Counted) -> KeptCard:
    return replace(kept, firing=found.firing, seen=found.seen, count=found.count)


def _reopened(kept: KeptCard, news: Card, at: datetime) -> KeptCard:
    again = replace(
        kept,
        stage=Stage.FIRING,
        fired_at=at,
        fired=kept.fired + 1,
        resolved_at=None,
        has_lapsed=False,
        asked_at=None,
        asks=0,
        waits=False,
        fix=None,
        watched="",
        failure="",
    )
    return _widened(again, news, at)


def _still_firing(kept: KeptCard, news: Card, at: datetime) -> KeptCard:
    known = {Stage.DIAGNOSED: kept.diagnosis, Stage.FIXED: kept.fix}.get(kept.stage)
    still = known is not None and at - known.at >= STILL_AFTER
    return _widened(replace(kept, stage=Stage.STILL_FAILING) if still else kept, news, at)


def _widened(kept: KeptCard, news: Card, at: datetime) -> KeptCard:
    """Return the card with what the news knows better: what is in doubt may become clear, never the other way."""
    is_clearer = kept.decision is Decision.ASK and news.decision is Decision.TRIAGE
    clearer = replace(kept, decision=news.decision, reason=news.reason, questions=news.questions)
    return replace(
        clearer if is_clearer else kept,
        last_at=at,
        severity=min(kept.severity, severity_of(news.alerts), key=lambda one: one.order),
        names=tuple(dict.fromkeys((*kept.names, *_names(news.alerts))))[:_MOST_NAMES],
    )


def _names(alerts: Iterable[Alert]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(alert.name[:120] for alert in alerts if alert.name))[:_MOST_NAMES]
