"""When the policies that concern a connection last changed, so that older flows are not taken for today's."""

from dataclasses import dataclass
from datetime import datetime

from handlers.model.facts import Facts
from handlers.model.snapshot import Known, Part


@dataclass(frozen=True, slots=True)
class Change:
    """The newest change among the policies."""

    policy: str
    at: datetime


def newest_change(facts: Facts) -> Change | None:
    """Return the newest change of any policy read, None where none is known."""
    look = facts.look(Part.POLICIES)
    if not isinstance(look, Known):
        return None
    changes = [Change(policy.ref, policy.changed_at) for policy in look.value if policy.changed_at]
    return max(changes, key=lambda change: change.at, default=None)
