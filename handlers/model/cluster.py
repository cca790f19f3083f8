"""Kubernetes and Cilium objects, cut down to what triage reads, with absent values kept apart from empty ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from handlers.model.change import Change
from handlers.model.endpoint import Kind


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace and its labels."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """A node: Kubernetes' Node and Cilium's CiliumNode told together.

    ``ips`` are Kubernetes' node addresses; ``cilium_ips`` are the addresses of ``cilium_host`` (type
    CiliumInternalIP) and ``health_ips`` those of the health endpoint.
    """

    name: str
    labels: Mapping[str, str]
    ips: tuple[str, ...]
    ready: bool | None
    pod_cidrs: tuple[str, ...] = ()
    cilium_ips: tuple[str, ...] = ()
    health_ips: tuple[str, ...] = ()
    condition: "Condition | None" = None
    """What stands behind ``ready``."""
    taints: tuple[str, ...] = ()
    """``key:Effect``, or ``key=value:Effect``."""
    kubelet: str = ""
    kernel: str = ""
    tunnel_ips: tuple[str, ...] = ()
    """The addresses that Cilium sends packets for the node to: those of its CiliumNode, none where it has none."""
    ipsec_key: int | None = None
    wireguard_key: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Why a condition is as it is, and since when."""

    status: str
    reason: str = ""
    message: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastExit:
    """How a container's previous run ended. ``reason`` is kubelet's word for it: ``OOMKilled``, ``Error``."""

    container: str
    code: int | None
    reason: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class PodResolver:
    """How a pod looks names up, where its specification says more than the default.

    ``policy`` is ``ClusterFirst``, ``Default``, ``None`` or ``ClusterFirstWithHostNet``; ``ndots`` is None where the
    pod sets none (Kubernetes then writes 5).
    """

    policy: str = "ClusterFirst"
    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    ndots: int | None = None


CLUSTER_FIRST = PodResolver()
"""What a pod has that says nothing of DNS (kubernetes.io, DNS for Services and Pods)."""


@dataclass(frozen=True, slots=True)
class PodPort:
    """A port that a container declares. Nothing makes a container listen on it.

    ``host_port`` is the port of the node that leads to it, None where there is none; ``host_ip`` is the address of the
    node that it is limited to, empty for all of them.
    """

    name: str | None
    port: int
    protocol: str
    host_port: int | None = None
    host_ip: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """The workload a pod belongs to, for people: the Deployment, not its ReplicaSet."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod.

    ``ready`` is the Ready condition, None where the status has none. ``restarts`` is the sum over containers;
    ``waiting`` the reason of the first container that waits (``CrashLoopBackOff``).
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    ips: tuple[str, ...]
    node: str | None
    phase: str
    ready: bool | None
    ports: tuple[PodPort, ...]
    service_account: str
    host_network: bool
    owner: Owner | None
    images: tuple[str, ...] = ()
    restarts: int = 0
    waiting: str | None = None
    deleted: bool = False
    created_at: datetime | None = None
    last_exit: LastExit | None = None
    """The newest end of a run that one of its containers had."""
    resolver: PodResolver = CLUSTER_FIRST
    changes: tuple[Change, ...] = ()
    """What others than controllers changed after it was made, such as its labels."""
    ready_since: datetime | None = None
    """Since when ``ready`` is as it is."""

    @property
    def is_running(self) -> bool:
        """Whether the pod can own an address: not finished and not being deleted."""
        return self.phase in ("Running", "Pending", "Unknown") and not self.deleted

    def __str__(self) -> str:
        """Write ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Workload:
    """A controller of pods. ``replicas`` is what is wanted, None where the kind has no such number.

    ``updated`` counts the pods that are made of ``images``, those of the template as it is now.
    """

    kind: Kind
    namespace: str
    name: str
    replicas: int | None
    ready: int | None
    selector: Mapping[str, str]
    updated: int | None = None
    images: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    containers: tuple[str, ...] = ()
    """Names of the template's containers."""


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service; ``target`` is a number, or the name of a container port, or None (same as ``port``)."""

    name: str | None
    port: int
    protocol: str
    target: int | str | None
    node_port: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A Service. ``selector`` is None where the object has none (then its slices are written by hand).

    ``external_ips`` are addresses that somebody routes to the nodes, ``balancer_ips`` and ``balancer_names`` the
    addresses and host names of its load balancer; ``source_ranges`` are the clients that the load balancer serves,
    empty for everybody.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    selector: Mapping[str, str] | None
    type: str
    cluster_ips: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    session_affinity: str = "None"
    internal_traffic_policy: str = "Cluster"
    external_traffic_policy: str = "Cluster"
    external_ips: tuple[str, ...] = ()
    balancer_ips: tuple[str, ...] = ()
    balancer_names: tuple[str, ...] = ()
    source_ranges: tuple[str, ...] = ()
    external_name: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    publishes_unready: bool = False
    """Whether backends count as ready whatever their pods say (publishNotReadyAddresses)."""
    changes: tuple[Change, ...] = ()

    @property
    def is_headless(self) -> bool:
        """Whether names resolve to pods directly, without a virtual address."""
        return self.cluster_ips == ("None",)

    def __str__(self) -> str:
        """Write ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Backend:
    """One endpoint of an EndpointSlice. The three conditions are None where the object leaves them out."""

    addresses: tuple[str, ...]
    ready: bool | None
    serving: bool | None
    terminating: bool | None
    node: str | None
    pod: tuple[str, str] | None
    """Namespace and name of the pod behind it, if it is one."""


@dataclass(frozen=True, slots=True)
class SlicePort:
    """A port of an EndpointSlice; ``port`` None means every port."""

    name: str | None
    port: int | None
    protocol: str


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    """An EndpointSlice of a Service."""

    namespace: str
    name: str
    service: str
    ports: tuple[SlicePort, ...]
    backends: tuple[Backend, ...]


@dataclass(frozen=True, slots=True)
class ClusterDns:
    """The cluster's own DNS: the Services before it, what they list, and who changed the Services and the servers."""

    services: tuple[Service, ...]
    slices: tuple[EndpointSlice, ...]
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyObject:
    """A policy as it stands in the cluster, its manifest untouched so that ``[]`` and absent stay apart.

    ``changed_at`` is the newest time that the object's metadata shows (creation or a managed field).
    """

    kind: str
    namespace: str
    name: str
    manifest: Mapping[str, Any]
    changed_at: datetime | None
    changes: tuple[Change, ...] = ()
    """Who made that change and others, each manager's newest."""

    @property
    def ref(self) -> str:
        """Write ``Kind/namespace/name``, ``Kind//name`` where cluster-wide."""
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class ForeignPolicies:
    """Policies of kinds that are none of Cilium's three, and whose meaning is therefore not known.

    ``found`` are those there, as kind, namespace (empty for cluster-wide) and name. ``unlisted`` are kinds that the
    cluster serves and that could not be listed, with the reason; ``untold`` those of which nothing tells whether they
    exist at all, as in archives that keep no list of them.
    """

    found: tuple[tuple[str, str, str], ...] = ()
    unlisted: Mapping[str, str] = field(default_factory=dict)
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CiliumEndpoint:
    """A CiliumEndpoint, or its core in a CiliumEndpointSlice (then ``id`` and ``state`` may be None).

    ``id`` is the endpoint's number on its own node. ``ingress_enforcing`` and ``egress_enforcing`` are None where the
    agent does not publish policy status.
    """

    namespace: str
    name: str
    id: int | None
    identity: int | None
    labels: tuple[str, ...]
    ips: tuple[str, ...]
    node_ip: str | None
    named_ports: tuple[PodPort, ...]
    state: str | None
    ingress_enforcing: bool | None = None
    egress_enforcing: bool | None = None


@dataclass(frozen=True, slots=True)
class CiliumIdentity:
    """A cluster-wide identity: its number and its ``source:key=value`` labels."""

    number: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """A CiliumNodeConfig: settings of the nodes that its selector selects, over those of the ConfigMap."""

    namespace: str
    name: str
    node_selector: Mapping[str, Any]
    """As it stands in the object."""
    options: Mapping[str, str]

    @property
    def ref(self) -> str:
        """Write ``Kind/namespace/name``."""
        return f"CiliumNodeConfig/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class CiliumConfig:
    """The ``cilium-config`` ConfigMap and the agents' version, such as ``1.19.0-dev`` (None where not known).

    ``versions`` is the version of each node's agent by its name, as far as the images tell.
    """

    options: Mapping[str, str]
    version: str | None
    versions: Mapping[str, str] = field(default_factory=dict)
    is_chosen: bool = False
    """Whether who asks named the version, whatever runs."""
    changes: tuple[Change, ...] = ()
    """Who changed the ConfigMap, each manager's newest change."""

    @property
    def cluster_name(self) -> str:
        """The cluster's name; Cilium's default is ``default``."""
        return self.options.get("cluster-name", "default")
