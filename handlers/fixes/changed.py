"""What became different between two looks at a connection: who changed which object, and which policy is gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from handlers.model.change import Change
from handlers.model.report import Report
from handlers.model.standing import Standing

_SKEW = timedelta(seconds=60)
"""How far the clocks of who changes objects and of who asks may be apart."""
_POD, _SERVICE = "Pod", "Service"


@dataclass(frozen=True, slots=True)
class Changed:
    """What touches the connection and is new, what concerns it most first. ``gone`` are policies that were deleted."""

    changes: tuple[Change, ...] = ()
    gone: tuple[str, ...] = ()
    new_pods: tuple[str, ...] = ()
    is_known: bool = True
    """Whether all policies were read both times, so that nothing else can have changed among them."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is known to have changed."""
        return not (self.changes or self.gone or self.new_pods)


def changed_between(before: Report, after: Report) -> Changed:
    """Return what of the second look was not there at the first.

    Managed fields tell each manager's newest write alone, and of what was deleted not who did it.
    """
    was, now = before.standing or Standing(), after.standing or Standing()
    blamed = blamed_by(before)
    concerned = {*blamed, *was.selecting, *now.selecting}
    new = [
        change
        for change in now.changes
        # What came into reach meanwhile may have been changed long ago.
        if change not in was.changes
        and change.at >= before.taken_at - _SKEW
        and (change.ref in concerned or change.kind in (_POD, _SERVICE))
    ]
    are_both_whole = was.is_whole and now.is_whole
    gone = sorted({*blamed, *was.selecting} & {*was.policies} - {*now.policies}) if are_both_whole else []
    return Changed(
        changes=tuple(sorted(new, key=lambda one: (_rank(one, blamed), -one.at.timestamp(), one.ref))),
        gone=tuple(sorted(gone, key=lambda ref: (ref not in blamed, ref))),
        new_pods=tuple(sorted({*now.pods} - {*was.pods})) if was.pods else (),
        is_known=are_both_whole,
    )


def blamed_by(report: Report) -> frozenset[str]:
    """Return what a report blames, and what it would have changed: objects as ``Kind/namespace/name``."""
    return frozenset((*_evidence_of(report), *(patch.policy for patch in report.patches)))


def _evidence_of(report: Report) -> Iterable[str]:
    return (one.ref for finding in report.blockers() for one in finding.evidence if one.source == "kubernetes")


def _rank(change: Change, blamed: frozenset[str]) -> int:
    if change.ref in blamed:
        return 0
    return {_POD: 2, _SERVICE: 3}.get(change.kind, 1)
