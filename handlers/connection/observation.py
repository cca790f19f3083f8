"""What was seen of the whole connection: the newest sign wins, and what could not be seen is said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from handlers.connection.crossing import Crossing, crossings
from handlers.connection.legs import Stretch
from handlers.connection.places import PlaceKind
from handlers.connection.seen import Sight, sight_of
from handlers.model.drop_reason import drop_reason
from handlers.model.facts import Facts
from handlers.model.flow import FlowLog
from handlers.model.parts import Part
from handlers.model.report import Observed
from handlers.model.snapshot import Missing


@dataclass(frozen=True, slots=True)
class Observation:
    """What flows showed, and the sentence that says how much that is worth. ``at`` is the time of the newest sign."""

    observed: Observed
    detail: str
    at: datetime | None = None
    sights: tuple[Sight, ...] = ()

    @property
    def is_by_policy(self) -> bool:
        """Whether every drop seen was policy's."""
        reasons = {drop.reason for sight in self.sights for drop in sight.drops}
        return bool(reasons) and all(drop_reason(reason).is_policy for reason in reasons)


def observe(stretches: Iterable[Stretch], facts: Facts) -> Observation:
    """Return what flows showed of these stretches."""
    look = facts.look(Part.FLOWS)
    if isinstance(look, Missing):
        return Observation(Observed.NO_DATA, f"flows could not be read: {look.detail}")
    log: FlowLog = look.value
    stretches = tuple(stretches)
    sights = tuple(sight_of(stretch, log.flows) for stretch in stretches)
    dropped = max(filter(None, (sight.dropped_at for sight in sights)), default=None)
    seen = tuple(zip(stretches, sights, strict=True))
    passed = max(filter(None, (sight.passed_at or _sent(part, sight) for part, sight in seen)), default=None)
    lost = [crossing for crossing in crossings(stretches, log).values() if crossing.is_broken]
    audited = max(filter(None, (sight.audited_at for sight in sights)), default=None)
    if audited and (not dropped or audited > dropped):
        return Observation(Observed.AUDITED, f"audit mode let it pass, last at {clock(audited)}", audited, sights)
    if dropped and (not passed or dropped >= passed):
        return Observation(Observed.DROPPED, _drop_detail(sights, passed), dropped, sights)
    if lost:
        return _lost(lost, passed, sights)
    if passed:
        return Observation(Observed.FORWARDED, _pass_detail(sights, passed, dropped), passed, sights)
    return _nothing(stretches, log, sights)


def _sent(stretch: Stretch, sight: Sight) -> datetime | None:
    """Return when a packet last left, where nothing dropped it and no more can be seen: to pods, arrival is seen."""
    is_inside = any(place.kind is PlaceKind.POD for place in stretch.destinations)
    return None if is_inside or sight.drops else sight.sent_at


def _drop_detail(sights: tuple[Sight, ...], passed: datetime | None) -> str:
    drops = sorted((drop for sight in sights for drop in sight.drops), key=lambda drop: drop.last_at, reverse=True)
    newest = drops[0]
    count = sum(drop.count for drop in drops)
    times = f"{count} packet{'s' if count > 1 else ''} dropped as {newest.reason} on {newest.node}"
    denied_by = (ref.partition("/")[2].removeprefix("/") for ref in newest.denied_by)
    named = f", by {', '.join(denied_by)}" if newest.denied_by else ""
    before = f"; packets passed before that, last at {clock(passed)}" if passed else ""
    return f"{times}{named}, last at {clock(newest.last_at)}{before}"


def _pass_detail(sights: tuple[Sight, ...], passed: datetime, dropped: datetime | None) -> str:
    if any(sight.answered_at for sight in sights):
        what = "packets pass and answers return"
    elif any(sight.refused_at for sight in sights):
        what = "packets arrive and are answered with a reset"
    elif any(sight.delivered_at for sight in sights):
        what = "packets are delivered; no answer was seen"
    else:
        what = "packets leave; nobody sees them arrive outside the cluster"
    before = f"; drops before that, last at {clock(dropped)}" if dropped else ""
    return f"{what}, last at {clock(passed)}{before}"


def _lost(lost: list[Crossing], passed: datetime | None, sights: tuple[Sight, ...]) -> Observation:
    newest = max(lost, key=lambda crossing: str(crossing.lost_at))
    at = newest.lost_at
    before = f"; packets passed before that, last at {clock(passed)}" if passed else ""
    what = f"packets left {newest.sender}, last at {clock(at) if at else '?'}, and were not seen to arrive"
    return Observation(Observed.NO_DATA if newest.doubt else Observed.NOTHING, f"{what}{before}", at, sights)


def _nothing(stretches: tuple[Stretch, ...], log: FlowLog, sights: tuple[Sight, ...]) -> Observation:
    places = [place for stretch in stretches for place in (*stretch.sources, *stretch.destinations)]
    nodes = {place.node for place in places if place.node}
    silent = sorted(nodes - log.heard)
    if silent:
        return Observation(Observed.NO_DATA, f"nothing was seen, but {', '.join(silent)} was not heard", sights=sights)
    if not log.heard:
        return Observation(Observed.NO_DATA, "no node was heard", sights=sights)
    left = max(filter(None, (sight.sent_at for sight in sights)), default=None)
    if left:
        return Observation(
            Observed.NOTHING, f"packets left, last at {clock(left)}, and were not seen to arrive", left, sights
        )
    lost = sum(entry.count for entry in log.lost)
    doubt = f" ({lost} events were lost)" if lost else ""
    doubt += " (the answer was cut at its bound)" if log.truncated else ""
    return Observation(Observed.NOTHING, f"nobody tried while the nodes remembered{doubt}", sights=sights)


def clock(time: datetime) -> str:
    """Return a time as people read it in an incident."""
    return f"{time:%H:%M:%S} UTC"
