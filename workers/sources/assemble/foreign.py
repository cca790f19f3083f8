"""Policies that are none of Cilium's kinds: which there are, and of which kinds nothing tells."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from handlers.model.cluster import ForeignPolicies
from handlers.model.snapshot import Gap
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.resources import FOREIGN_POLICIES, Resource
from workers.sources.unread import UnreadError

T = TypeVar("T")


def foreign_policies(lists: Lists, groups: Mapping[str, tuple[str, ...]] | None) -> ForeignPolicies:
    """List every foreign kind whose API group is among ``groups``; where those are not told, whatever was kept.

    ``groups`` names the versions that each group serves: a kind is looked for in all of them where the version that is
    known here is not among them.
    """
    found: list[tuple[str, str, str]] = []
    unlisted: dict[str, str] = {}
    untold: list[str] = []
    for resource in FOREIGN_POLICIES:
        if groups is not None and resource.group not in groups:
            continue
        title = _title(resource)
        try:
            for served in as_served(resource, groups):
                found.extend((title, policy.namespace, policy.name) for policy in lists.every(served))
        except UnreadError as error:
            if groups is None and error.missing.gap is Gap.NOT_IN_DUMP:
                untold.append(title)
            else:
                unlisted[title] = error.missing.detail
    return ForeignPolicies(tuple(found), unlisted, tuple(untold))


def as_served(resource: Resource[T], groups: Mapping[str, tuple[str, ...]] | None) -> Iterator[Resource[T]]:
    """Yield a kind in the version that is known here, or where its group serves others only, in each of those."""
    versions = groups.get(resource.group, ()) if groups is not None else ()
    if not versions or resource.version in versions:
        yield resource
    else:
        yield from (replace(resource, version=version) for version in versions)


def _title(resource: Resource[object]) -> str:
    """Name a kind; with its group where another maker has one of that name."""
    is_known = resource.group in ("policy.networking.k8s.io", "networking.gke.io", "isovalent.com")
    return resource.kind if is_known else f"{resource.kind} ({resource.group})"
