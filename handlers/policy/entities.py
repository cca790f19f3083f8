"""Entities: names for ends that have no labels of their own (pkg/policy/api/entity.go:92-146)."""

from collections.abc import Mapping
from functools import lru_cache

from handlers.model.labels import LabelSet
from handlers.model.rule import WILDCARD, LabelSelector
from handlers.policy.selectors import cluster_selector, reserved_selector

_SINGLE = (
    "world-ipv4",
    "world-ipv6",
    "host",
    "init",
    "ingress",
    "remote-node",
    "health",
    "unmanaged",
    "none",
    "kube-apiserver",
)
_IN_CLUSTER = ("host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver")


@lru_cache(maxsize=16)
def entity_selectors(cluster_name: str) -> Mapping[str, tuple[LabelSelector, ...]]:
    """Give the selectors of every entity; ``cluster`` depends on the name of the own cluster."""
    table: dict[str, tuple[LabelSelector, ...]] = {name: (reserved_selector(name),) for name in _SINGLE}
    table["all"] = (WILDCARD,)
    table["world"] = tuple(reserved_selector(name) for name in ("world", "world-ipv4", "world-ipv6"))
    table["cluster"] = (*(reserved_selector(name) for name in _IN_CLUSTER), cluster_selector(cluster_name))
    return table


_SPECIFIC_FIRST = (
    "kube-apiserver",
    "host",
    "remote-node",
    "health",
    "ingress",
    "init",
    "unmanaged",
    "world",
    "cluster",
)


def entities_of(labels: LabelSet, table: Mapping[str, tuple[LabelSelector, ...]]) -> tuple[str, ...]:
    """Name the entities that select these labels, the most specific first; ``all`` goes without saying."""
    return tuple(name for name in _SPECIFIC_FIRST if any(one.matches(labels) for one in table[name]))
