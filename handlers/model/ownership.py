"""Whose the names in an answer are: what of which namespace one has to be allowed to read, to see them."""

from dataclasses import dataclass
from enum import StrEnum


class Content(StrEnum):
    """What of a cluster somebody may be allowed to read, or not."""

    NAMESPACES = "namespaces"
    """That a namespace exists: known to everybody who may read anything in it."""
    PODS = "pods"
    """Pods, the workloads they belong to, their endpoints and identities, and what events say of them."""
    SERVICES = "services"
    """Services, what stands behind them, and the Ingresses and Gateways before them."""
    NETWORK_POLICIES = "network-policies"
    CILIUM_POLICIES = "cilium-policies"
    FLOWS = "flows"
    """What pods sent and received."""
    CLUSTER_POLICIES = "cluster-policies"
    """Policies of the whole cluster."""
    NODES = "nodes"
    """Nodes, and what the agents on them say of themselves."""

    OBJECTS = "objects"
    """Whatever else there is in a namespace."""

    @property
    def is_of_cluster(self) -> bool:
        """Whether it is in no namespace."""
        return self in (Content.CLUSTER_POLICIES, Content.NODES)


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """A kind of content in one namespace; ``namespace`` is empty for what is the cluster's."""

    content: Content
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class OwnedName:
    """A word of an answer that the cluster supplied, and whose it is: any of the owners may tell it.

    ``is_name`` is True where it names an object, or is its address or number: then ``owners`` are those of objects that
    are called so. Else it is a word that stands in an object: a label's value, a path of a rule.
    """

    text: str
    owners: tuple[Owner, ...]
    is_name: bool


Ownership = tuple[OwnedName, ...]
"""Every word of an answer that belongs to somebody."""
