"""When the policies that concern a connection last changed, so that older flows are not taken for today's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known


@dataclass(frozen=True, slots=True)
class Change:
    """The newest change among the policies."""

    policy: str
    at: datetime


def newest_change(facts: Facts, among: Collection[str] | None = None) -> Change | None:
    """Return the newest change of the policies ``among`` these (``Kind/namespace/name``; None: any), None for none."""
    look = facts.look(Part.POLICIES)
    if not isinstance(look, Known):
        return None
    changes = [
        Change(policy.ref, policy.changed_at)
        for policy in look.value
        if policy.changed_at and (among is None or policy.ref in among)
    ]
    return max(changes, key=lambda change: change.at, default=None)
