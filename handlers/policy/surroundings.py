"""What policies refer to and that is no policy: Services, CIDR groups, nodes, addresses, DNS names, port names."""

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.model.labels import LabelSet
from handlers.model.party import NamedPort


@dataclass(frozen=True, slots=True)
class Service:
    """A Service as ``toServices`` sees it: its selector, or without one the addresses of its endpoints."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    selector: Mapping[str, str]
    endpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CidrGroup:
    """A CiliumCIDRGroup."""

    name: str
    labels: Mapping[str, str]
    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A node: of this cluster unless ``cluster`` says otherwise."""

    name: str
    ips: tuple[str, ...]
    labels: Mapping[str, str]
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The facts around the policies. None means not read, which is something else than none there.

    ``named_ports`` are those of every pod that the agents know; ``ports_of`` are the same by the identity that has
    them, where that was read. ``identities`` are those of all pods, when they are known; they
    only matter to one corner of the proxy's behaviour and to lints.
    """

    services: tuple[Service, ...] | None = None
    cidr_groups: tuple[CidrGroup, ...] | None = None
    nodes: tuple[Node, ...] | None = None
    kube_apiserver: tuple[str, ...] | None = None
    fqdn_cache: Mapping[str, tuple[str, ...]] | None = None
    named_ports: tuple[NamedPort, ...] | None = None
    ports_of: Mapping[LabelSet, tuple[NamedPort, ...]] | None = None
    identities: tuple[LabelSet, ...] | None = None
