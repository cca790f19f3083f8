"""One end of a flow, as policy sees it."""

from dataclasses import dataclass
from enum import StrEnum

from handlers.model.labels import LabelSet


class PartyKind(StrEnum):
    """What an end of a flow is. Which identity a node has depends on who looks: see ``NODE``."""

    ENDPOINT = "endpoint"
    """A pod with its own identity."""
    NODE = "node"
    """A node, or a pod in its network: the host for pods of the same node, a remote node for everybody else."""
    HOST = "host"
    """The node of the other end, whichever that is."""
    REMOTE_NODE = "remote-node"
    """Some other node."""
    KUBE_APISERVER = "kube-apiserver"
    HEALTH = "health"
    INIT = "init"
    """An endpoint that has no labels yet."""
    INGRESS = "ingress"
    """The proxy of Ingress and Gateway API."""
    UNMANAGED = "unmanaged"
    OUTSIDE = "outside"
    """An address that belongs to nothing in the cluster."""


class MissingFact(StrEnum):
    """Something that a decision could depend on and that was not read."""

    SERVICES = "services"
    CIDR_GROUPS = "cidr-groups"
    DNS_NAMES = "dns-names"
    """Which names the node's DNS cache has for the address."""
    ADDRESS = "address"
    """The address of an outside party that was given by name only."""
    KUBE_APISERVER = "kube-apiserver-addresses"
    NAMED_PORTS = "named-ports"
    NODES = "nodes"
    """The labels of a node."""
    LABELS = "labels-of-its-identity"
    VERSION = "the-version-of-cilium-on-its-node"
    EXPRESSIONS = "the-meaning-of-expressions-without-re2"
    """Whether the agent accepts the expressions of HTTP rules, and what they match."""


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A container port with a name."""

    name: str
    port: int
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a flow.

    ``labels`` are what a remote observer's policy sees. Nodes have two more sets: ``local_labels``, what the pods on
    the node see, and ``host_labels``, by which host policies select it. ``managed`` is False for ends whose own policy
    is enforced elsewhere or not at all (pods of another cluster, outside addresses). None for ``named_ports`` and
    ``fqdn_names`` means not read; an empty tuple means none. ``unfiltered`` holds the pod labels of the Kubernetes
    object, identity or not, so that an explanation can tell a label that is missing from one that Cilium dropped.
    """

    kind: PartyKind
    labels: LabelSet
    name: str = ""
    ips: tuple[str, ...] = ()
    node: str = ""
    managed: bool = True
    host_labels: LabelSet | None = None
    local_labels: LabelSet | None = None
    named_ports: tuple[NamedPort, ...] | None = ()
    fqdn_names: tuple[str, ...] | None = ()
    identity: int | None = None
    unfiltered: tuple[tuple[str, str], ...] = ()
    audit: bool | None = None
    """The endpoint's own audit option, when it was read; None means the global setting holds."""
    missing: frozenset[MissingFact] = frozenset()

    def __str__(self) -> str:
        """Give the name, or failing that an address, or the kind."""
        return self.name or (self.ips[0] if self.ips else str(self.kind))

    @property
    def is_outside(self) -> bool:
        """Whether CIDR and DNS rules can select it: it is no pod, node, health or ingress endpoint."""
        return self.kind is PartyKind.OUTSIDE
