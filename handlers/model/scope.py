"""What to read: how wide each part has to be for one question."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PodQuery:
    """Pods to list: of a namespace (None: all), narrowed by a label selector text, an address, or a node name."""

    namespace: str | None = None
    labels: str | None = None
    ip: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class FlowMatch:
    """Flows to keep: fields are ANDed, the values of one field ORed, an empty field keeps everything.

    Pods are ``namespace/name`` (exactly this pod) or ``namespace/`` (any pod of the namespace).
    """

    source_pods: tuple[str, ...] = ()
    source_ips: tuple[str, ...] = ()
    destination_pods: tuple[str, ...] = ()
    destination_ips: tuple[str, ...] = ()
    source_ports: tuple[int, ...] = ()
    destination_ports: tuple[int, ...] = ()
    verdicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowQuery:
    """Flows that match any of ``any_of`` (empty: all flows) between two moments, the newest ``limit`` of them."""

    any_of: tuple[FlowMatch, ...]
    since: datetime
    until: datetime
    limit: int = 20_000


@dataclass(frozen=True, slots=True)
class Scope:
    """How wide to read. A field that is None is not known yet (a later round will know), unless its text says other.

    ``namespaces`` bounds workloads, services, slices, policies and CiliumEndpoints; an empty tuple means the
    cluster-wide objects alone.
    """

    namespaces: tuple[str, ...] | None = None
    all_namespaces: bool = False
    """Read every namespace; ``namespaces`` is then ignored."""
    pods: tuple[PodQuery, ...] | None = None
    nodes: tuple[str, ...] | None = None
    """Nodes whose agents are asked."""
    flows: FlowQuery | None = None
    is_without_flows: bool = False
    """Whether it has turned out that no flows have to be read."""
    identities: tuple[int, ...] | None = None
    """Numbers of identities to read; an empty tuple means every identity of the cluster."""
    all_services: bool | None = None
    """Whether every Service has to be read because an address that is asked about may be one of its own."""
    entrances: bool | None = None
    """Whether Ingresses and Gateways have to be read because a host name that is asked about may be one of theirs."""
    policy_services: bool | None = None
    """Whether every Service has to be read because a policy's ``toServices`` may match it."""
    all_policies: bool | None = None
    """Whether the policies of every namespace have to be read, to tell what else a patch would open."""
    named_ports: bool | None = None
    """Whether the port names of every pod have to be read because an egress rule names a port."""
