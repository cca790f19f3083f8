"""Entities: names for ends that have no labels of their own (pkg/policy/api/entity.go:92-146).

One table says what each entity is and which reserved labels it bears; names, kinds and selectors follow from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from handlers.model.endpoint import EntityName
from handlers.model.labels import CLUSTER_LABEL, LabelSet, Source
from handlers.model.party import PartyKind
from handlers.model.rule import WILDCARD, LabelSelector, Operator, Requirement
from handlers.policy.selectors import cluster_selector, reserved_selector


@dataclass(frozen=True, slots=True)
class EntityIdentity:
    """What an entity is as an end of a flow, and its reserved labels; with dual stack the world bears others."""

    kind: PartyKind
    labels: LabelSet


def _bearing(kind: PartyKind, *reserved: str) -> EntityIdentity:
    return EntityIdentity(kind, LabelSet.reserved(*reserved))


ENTITIES: Mapping[EntityName, EntityIdentity] = {
    EntityName.KUBE_APISERVER: _bearing(PartyKind.KUBE_APISERVER, "kube-apiserver", "remote-node"),
    EntityName.HOST: _bearing(PartyKind.HOST, "host"),
    EntityName.REMOTE_NODE: _bearing(PartyKind.REMOTE_NODE, "remote-node"),
    EntityName.HEALTH: _bearing(PartyKind.HEALTH, "health"),
    EntityName.INGRESS: _bearing(PartyKind.INGRESS, "ingress"),
    EntityName.INIT: _bearing(PartyKind.INIT, "init"),
    EntityName.UNMANAGED: _bearing(PartyKind.UNMANAGED, "unmanaged"),
    EntityName.WORLD: _bearing(PartyKind.OUTSIDE, "world"),
}
"""The most specific first. ``kube-apiserver`` is the one on another node of the cluster: on its own node the host bears
the label too, and outside the cluster an address does (pkg/identity/identity.go:255-278)."""

IN_CLUSTER = tuple(name for name, entity in ENTITIES.items() if entity.kind is not PartyKind.OUTSIDE)
"""The entities that are part of the cluster, pods apart."""

_WORLDS = ("world", "world-ipv4", "world-ipv6")
_BY_KIND = {entity.kind: name for name, entity in ENTITIES.items()}
# What bears the API server's label beside one of these is the host, or is outside.
_TELLING = (EntityName.HOST, *_WORLDS, *ENTITIES)


def entity_of_kind(kind: PartyKind) -> EntityName | None:
    """Name the entity that a kind of end is; None for pods and particular nodes."""
    return _BY_KIND.get(kind)


def kind_of(labels: LabelSet) -> PartyKind | None:
    """Tell by its reserved labels what an end is; None where there are none, as with a pod."""
    borne = {label.key for label in labels if label.source == Source.RESERVED}
    found = next((name for name in _TELLING if name in borne), None) if borne else None
    if found is None:
        return None
    return PartyKind.OUTSIDE if found in _WORLDS else ENTITIES[EntityName(found)].kind


def telling_labels(entity: EntityName) -> tuple[str, ...]:
    """Give the labels, as flows write them, of which an end bears one if it is the entity."""
    return tuple(f"reserved:{name}" for name in (_WORLDS if entity is EntityName.WORLD else (entity,)))


@lru_cache(maxsize=16)
def entity_selectors(cluster_name: str, *, with_mesh: bool = False) -> Mapping[str, tuple[LabelSelector, ...]]:
    """Give the selectors of every entity; ``cluster`` depends on the name of the own cluster.

    ``with_mesh`` adds ``cluster-mesh``, which not every version knows (version fact ``cluster-mesh-entity``).
    """
    single = (*IN_CLUSTER, *_WORLDS, "none")
    table: dict[str, tuple[LabelSelector, ...]] = {str(name): (reserved_selector(name),) for name in single}
    table["all"] = (WILDCARD,)
    table["world"] = tuple(reserved_selector(name) for name in _WORLDS)
    table["cluster"] = (*(reserved_selector(name) for name in IN_CLUSTER), cluster_selector(cluster_name))
    if with_mesh:
        in_some_cluster = LabelSelector((Requirement(Source.ANY, CLUSTER_LABEL, Operator.EXISTS),))
        table["cluster-mesh"] = (*(reserved_selector(name) for name in IN_CLUSTER), in_some_cluster)
    return table


def entities_of(labels: LabelSet, table: Mapping[str, tuple[LabelSelector, ...]]) -> tuple[str, ...]:
    """Name the entities that select these labels, the most specific first; ``all`` goes without saying."""
    return tuple(str(name) for name in (*ENTITIES, "cluster") if any(one.matches(labels) for one in table[name]))
