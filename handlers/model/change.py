"""Who changed which object, and when, as its managed fields tell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

_CONTROLLERS = (
    "kube-controller-manager",
    "kube-scheduler",
    "kube-apiserver",
    "kubelet",
    "cloud-controller-manager",
    "cilium-agent",
    "cilium-operator",
    "clustermesh-apiserver",
)
"""Managers whose names begin so carry out what others want; ``cilium-operator-generic`` is one."""
_WANTED_BY_A_CONTROLLER = "spec.replicas"
_APPEARANCE = ("metadata.annotations", "metadata.ownerReferences", "metadata.finalizers")
"""Fields that say nothing of what an object does."""
"""What an autoscaler within the controller manager decides by itself."""


@dataclass(frozen=True, slots=True)
class Change:
    """The last change that one manager made to an object (Kubernetes, meta/v1, ManagedFieldsEntry).

    Only the newest change of each manager is known, and which fields it owns since, not what they were before.
    """

    kind: str
    namespace: str
    name: str
    manager: str
    """Who: ``argocd-controller``, ``helm``, ``kubectl-edit``; empty where only the creation is known."""
    at: datetime
    is_creation: bool = False
    """Whether the object came to be at that moment."""
    fields: tuple[str, ...] = ()
    """Paths of the fields that the manager owns, such as ``spec.egress`` or ``metadata.labels.tier``, bounded."""

    @property
    def ref(self) -> str:
        """Write ``Kind/namespace/name``."""
        return f"{self.kind}/{self.namespace}/{self.name}"

    @property
    def is_own_will(self) -> bool:
        """Whether somebody decided it, rather than a controller that carries out what an object says already."""
        return not self.manager.startswith(_CONTROLLERS) or _WANTED_BY_A_CONTROLLER in self.fields

    @property
    def telling(self) -> tuple[str, ...]:
        """The fields that say what the object does."""
        return tuple(field for field in self.fields if not field.startswith(_APPEARANCE))

    @property
    def is_of_substance(self) -> bool:
        """Whether it may have changed what the object does: it came to be, or more than its appearance was written."""
        return self.is_creation or not self.fields or bool(self.telling)


def newest(changes: Iterable[Change], before: datetime | None = None) -> Change | None:
    """Return the newest change that somebody decided, up to a moment; None where there is none."""
    told = [change for change in changes if change.is_own_will and (before is None or change.at <= before)]
    return max(told, key=lambda change: change.at, default=None)


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of the objects that were read. ``unread`` are kinds that could not be listed, each with the reason."""

    found: tuple[Change, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
