"""Labels that mean a workload: few, its own, and part of its identity."""

from collections.abc import Iterable
from itertools import combinations

from handlers.model.labels import (
    CILIUM_LABEL_PREFIX,
    NAMESPACE_LABEL,
    SERVICE_ACCOUNT_LABEL,
    Label,
    LabelSet,
    Source,
)
from handlers.reach.bits import members
from handlers.reach.ends import PodEnds

_NAMES = (
    "app",
    "app.kubernetes.io/name",
    "k8s-app",
    "name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "component",
    "service",
    "role",
    "tier",
)
_VOLATILE_WORDS = ("hash", "version", "revision", "generation", "chart", "managed-by", "uid", "index", "pod-name")
_VOLATILE = ("release", "track", "track-id", "canary", "stage", "date", "commit", "build", "job-name", "controller")
_PLACE = ("zone", "region", "hostname", "node", "nodename", "rack", "host")
"""Labels that say where a pod runs: one workload has several of them."""
_MOST_KEYS = 8
_MOST_TOGETHER = 3


def is_volatile(key: str) -> bool:
    """Tell whether a label changes while the workload stays the same: a hash, a version, a release, where it runs."""
    name = key.rpartition("/")[2].lower()
    if key.startswith("topology.") or name in _PLACE:
        return True
    return name in _VOLATILE or any(word in name for word in _VOLATILE_WORDS)


def own_workload_labels(labels: LabelSet) -> tuple[Label, ...]:
    """Give the labels that an author could select the workload by, the best first."""
    usable = [label for label in labels if _is_usable(label)]

    def rank(label: Label) -> tuple[bool, int, str]:
        place = _NAMES.index(label.key) if label.key in _NAMES else len(_NAMES)
        return is_volatile(label.key), place, label.key

    return tuple(sorted(usable, key=rank))


def _is_usable(label: Label) -> bool:
    if label.source != Source.K8S or label.key.startswith((CILIUM_LABEL_PREFIX, "io.kubernetes")):
        return False
    return ":" not in label.key and not label.key.startswith(("$", "reserved."))


def labels_meaning(labels: LabelSet, pods: PodEnds, *, complete: bool) -> tuple[Label, ...]:
    """Choose the smallest set of labels that tells the workload from the others of its namespace.

    The label by which people know it is always among them. Identities that differ only in volatile labels are one
    workload. Without knowledge of all identities (``complete`` False) every label that lasts is taken, since any could
    be what tells it apart.
    """
    usable = own_workload_labels(labels)
    lasting = tuple(label for label in usable if not is_volatile(label.key))
    if not complete:
        return lasting or usable or _account(labels)
    neighbours = pods.index.bearing((Label(NAMESPACE_LABEL, Source.K8S, labels.namespace),))
    mine = _profile(labels)
    strangers = 0
    for position in members(neighbours):
        if _profile(pods.ends[position].party.labels) != mine:
            strangers |= 1 << position
    candidates = (lasting or usable)[:_MOST_KEYS]
    best: tuple[int, tuple[Label, ...]] | None = None
    for more in range(min(_MOST_TOGETHER, len(candidates))):
        for others in combinations(candidates[1:], more):
            chosen = (candidates[0], *others)
            wrong = (strangers & pods.index.bearing(chosen)).bit_count()
            if not wrong:
                return chosen
            if best is None or wrong < best[0]:
                best = (wrong, chosen)
    account = _account(labels)
    if best is None:
        return account
    with_account = (*best[1], *account)
    if account and (strangers & pods.index.bearing(with_account)).bit_count() < best[0]:
        return with_account
    return best[1]


def _profile(labels: LabelSet) -> frozenset[Label]:
    return frozenset(label for label in labels if _is_usable(label) and not is_volatile(label.key))


def _account(labels: LabelSet) -> tuple[Label, ...]:
    """A service account can stand in for labels, unless it is the one that everybody has."""
    found = labels.find(Source.K8S, SERVICE_ACCOUNT_LABEL)
    return (found,) if found is not None and found.value not in ("", "default") else ()


def written(labels: Iterable[Label]) -> dict[str, str]:
    """Write labels as ``matchLabels`` of a Cilium policy."""
    return {
        f"k8s:{label.key}" if label.key == SERVICE_ACCOUNT_LABEL else label.key: label.value
        for label in sorted(labels, key=lambda one: one.key)
    }
