"""Patches: the smallest change of policy that is proven to open a blocked flow, and everything else that it opens."""

from handlers.patch.deny import DenyExplanation
from handlers.patch.dns import DnsSide
from handlers.patch.manifest import reference_of
from handlers.patch.patched import with_changed
from handlers.patch.propose import NOT_BLOCKED, Opening, Proposal, propose

__all__ = [
    "NOT_BLOCKED",
    "DenyExplanation",
    "DnsSide",
    "Opening",
    "Proposal",
    "propose",
    "reference_of",
    "with_changed",
]
