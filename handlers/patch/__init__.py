"""Patches: the smallest change of policy that is proven to open a blocked flow, and everything else that it opens."""

from handlers.patch.deny import DenyExplanation
from handlers.patch.dns import DnsSide
from handlers.patch.propose import Opening, Proposal, propose

__all__ = ["DenyExplanation", "DnsSide", "Opening", "Proposal", "propose"]
