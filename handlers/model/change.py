"""Who changed which object, and when, as its managed fields tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of the objects that were read. ``unread`` are kinds that could not be listed, each with the reason."""

    found: tuple[Change, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
