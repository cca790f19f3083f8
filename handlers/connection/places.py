"""The places of a connection: the concrete ends between which packets go."""

from dataclasses import dataclass
from enum import StrEnum

from handlers.model.cluster import Pod
from handlers.model.endpoint import EntityName


class PlaceKind(StrEnum):
    """What a place is to Cilium."""

    POD = "pod"
    NODE = "node"
    OUTSIDE = "outside"
    HOST_NAME = "host-name"
    ENTITY = "entity"
    FORWARDED = "forwarded"
    """A client outside after a node has forwarded its packets: the world, whatever its address was."""


@dataclass(frozen=True, slots=True)
class Place:
    """One concrete end of a leg.

    A pod on the host network is the NODE it runs on, since it has no identity of its own (Cilium,
    Documentation/security/policy/language.rst:255-263).
    """

    kind: PlaceKind
    title: str
    ips: tuple[str, ...] = ()
    pod: Pod | None = None
    node: str | None = None
    host_name: str = ""
    entity: EntityName | None = None
    by_address: bool = False
    """Whether the asker gave an address, so that whoever was seen to bear it is meant."""
