"""Policies that are none of Cilium's kinds: which there are, and of which kinds nothing tells."""

from handlers.model.cluster import ForeignPolicies
from handlers.model.snapshot import Gap
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.resources import FOREIGN_POLICIES, Resource
from workers.sources.unread import UnreadError


def foreign_policies(lists: Lists, groups: frozenset[str] | None) -> ForeignPolicies:
    """List every foreign kind whose API group is among ``groups``; where those are not told, whatever was kept."""
    found: list[tuple[str, str, str]] = []
    unlisted: dict[str, str] = {}
    untold: list[str] = []
    for resource in FOREIGN_POLICIES:
        if groups is not None and resource.group not in groups:
            continue
        title = _title(resource)
        try:
            found.extend((title, policy.namespace, policy.name) for policy in lists.every(resource))
        except UnreadError as error:
            if groups is None and error.missing.gap is Gap.NOT_IN_DUMP:
                untold.append(title)
            else:
                unlisted[title] = error.missing.detail
    return ForeignPolicies(tuple(found), unlisted, tuple(untold))


def _title(resource: Resource[object]) -> str:
    """Name a kind; with its group where another maker has one of that name."""
    is_known = resource.group in ("policy.networking.k8s.io", "networking.gke.io", "isovalent.com")
    return resource.kind if is_known else f"{resource.kind} ({resource.group})"
