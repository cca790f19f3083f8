"""What somebody may read, as far as it was asked; whatever was not asked, or not answered, is not allowed."""

from collections.abc import Iterable
from dataclasses import dataclass

from handlers.model.ownership import Content, Owner
from handlers.model.report import Report
from handlers.rights.owners import owner_of_ref


@dataclass(frozen=True, slots=True)
class Allowed:
    """What of which namespace may be read; ``everywhere`` holds what may be read in all of them.

    Without anything it allows nothing: that is what a review that failed comes to.
    """

    owners: frozenset[Owner] = frozenset()
    everywhere: frozenset[Content] = frozenset()

    def reads(self, owner: Owner) -> bool:
        """Say whether this may be read."""
        if owner.content is Content.NAMESPACES:
            return bool(self.everywhere - _OF_CLUSTER) or any(one.namespace == owner.namespace for one in self.owners)
        return owner.content in self.everywhere or owner in self.owners

    def reads_any(self, owners: Iterable[Owner]) -> bool:
        """Say whether any of these may be read."""
        return any(map(self.reads, owners))

    def __and__(self, other: "Allowed") -> "Allowed":
        """Return what both may read."""
        mine = {owner for owner in self.owners if other.reads(owner)}
        theirs = {owner for owner in other.owners if self.reads(owner)}
        return Allowed(frozenset(mine | theirs), self.everywhere & other.everywhere)


NOTHING = Allowed()
EVERYTHING = Allowed(everywhere=frozenset(Content))

_OF_CLUSTER = frozenset(content for content in Content if content.is_of_cluster)


def shown_by(report: Report) -> frozenset[Owner]:
    """Return everything that a report shows a part of: what has to be allowed, to see all of it."""
    of_words = (owner for name in report.ownership or () for owner in name.owners)
    of_refs = (owner_of_ref(item.ref) for finding in report.findings for item in finding.evidence)
    of_patches = (owner_of_ref(patch.policy) for patch in report.patches)
    return frozenset(filter(None, (*of_words, *of_refs, *of_patches)))


def reviewed(owners: Iterable[Owner]) -> frozenset[Owner]:
    """Return what to ask about some owners: whether a namespace may be known is told by its pods."""
    return frozenset(
        Owner(Content.PODS, owner.namespace) if owner.content is Content.NAMESPACES else owner for owner in owners
    )
