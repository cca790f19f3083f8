"""The names that lists of a cluster hold, as people write them in a question, and those that fit what is typed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from handlers.model.cluster import Namespace, Node, Pod, Service, Workload

_PLAIN = re.compile(r"[a-z0-9]([a-z0-9./_-]{0,146}[a-z0-9])?")
"""Names that Kubernetes takes, joined; longer ones than a choice of a menu holds are left out."""


class NameKind(StrEnum):
    """What a name is of."""

    WORKLOAD = "workload"
    SERVICE = "service"
    NODE = "node"
    NAMESPACE = "namespace"


@dataclass(frozen=True, slots=True, order=True)
class ListedName:
    """A name as it is typed: ``shop/cart``, ``shop/svc/cart``, ``node/worker-1``, ``shop``."""

    text: str
    kind: NameKind

    @property
    def namespace(self) -> str:
        """The namespace that the name tells of, empty for a node."""
        return "" if self.kind is NameKind.NODE else self.text.partition("/")[0]


def listed(items: object) -> Iterator[ListedName]:
    """Yield the names that a list of the cluster's objects holds; of anything else, none."""
    for item in items if isinstance(items, tuple) else ():
        name = _name(item)
        if name is not None and _PLAIN.fullmatch(name.text):
            yield name


def _name(item: object) -> ListedName | None:
    match item:
        case Pod():
            return ListedName(f"{item.namespace}/{item.owner.name if item.owner else item.name}", NameKind.WORKLOAD)
        case Workload():
            return ListedName(f"{item.namespace}/{item.name}", NameKind.WORKLOAD)
        case Service():
            return ListedName(f"{item.namespace}/svc/{item.name}", NameKind.SERVICE)
        case Node():
            return ListedName(f"node/{item.name}", NameKind.NODE)
        case Namespace():
            return ListedName(item.name, NameKind.NAMESPACE)
    return None


def fitting(names: Iterable[ListedName], typed: str, most: int) -> tuple[ListedName, ...]:
    """Return the names that hold what was typed: those that begin with it first, then those whose last part does."""
    wanted = typed.strip().casefold()
    found = (name for name in names if wanted in name.text)
    return tuple(sorted(found, key=lambda name: (_distance(name.text, wanted), len(name.text), name))[:most])


def _distance(name: str, wanted: str) -> int:
    if name.startswith(wanted):
        return 0
    return 1 if name.rpartition("/")[2].startswith(wanted) else 2
