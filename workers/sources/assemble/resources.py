"""Which kinds are read: where the API serves them, what reads one object, and what it means when one is not served."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar, cast
from urllib.parse import quote

from handlers.model.change import Change
from handlers.model.cluster import PolicyObject, Workload
from handlers.model.endpoint import Kind
from workers.sources.convert import cilium, entrances, events, kubernetes, nodes
from workers.sources.convert.changes import changes
from workers.sources.convert.policies import policy_object
from workers.sources.convert.reading import Body, name_of

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Resource(Generic[T_co]):
    """A kind of object. ``optional``: a cluster whose API does not know the kind has no such objects, and is fine."""

    kind: str
    group: str
    version: str
    plural: str
    read: Callable[[Body], T_co]
    """Reads one object; raises MalformedError."""
    optional: bool = False
    older: str = ""
    """The version in which older clusters serve it, where that is another."""
    namespaced: bool = True
    is_listed: bool = True
    """Whether lists of it are read; else only objects by their names."""
    by_name: bool = False
    """Whether single objects are read by their names."""
    is_vital: bool = False
    """Whether discovery alone may tell that the kind is not served: one unseen object could flip an answer."""
    may_be_cut: bool = False
    """Whether a part of the list is worth having, since nothing is ever told by what is not in it."""

    @property
    def api_version(self) -> str:
        """Return the version as objects write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def api_path(self) -> str:
        """Return the path of the group and version, where discovery lists what is served."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the path of a list, or of one object."""
        within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        return f"{self.api_path}{within}/{self.plural}{f'/{quote(name, safe=str())}' if name else ''}"

    def __str__(self) -> str:
        """Write it as RBAC does: ``pods`` or ``ciliumendpoints.cilium.io``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, slots=True)
class Select:
    """Which objects of a kind are wanted, as the API server narrows lists.

    A source may give more, never fewer; only an archive gives those of other namespaces.
    """

    namespace: str | None = None
    labels: str | None = None
    """A label selector."""
    fields: str | None = None
    """A field selector."""
    name: str | None = None
    """The one object of this name, none if it does not exist."""


EVERY = Select()


def _policies(kind: str, group: str, version: str, plural: str, *, optional: bool = False) -> Resource[PolicyObject]:
    read = partial(policy_object, kind, f"{group}/{version}")
    return Resource(kind, group, version, plural, read, optional)


def _workloads(kind: Kind, group: str, plural: str) -> Resource[Workload]:
    # Optional, since an API that serves no such kind runs no such workloads.
    return Resource(kind.value, group, "v1", plural, partial(kubernetes.workload, kind), optional=True)


NAMESPACES = Resource("Namespace", "", "v1", "namespaces", kubernetes.namespace, namespaced=False)
NODES = Resource("Node", "", "v1", "nodes", nodes.node, namespaced=False)
PODS = Resource("Pod", "", "v1", "pods", kubernetes.pod)
SERVICES = Resource("Service", "", "v1", "services", kubernetes.service, by_name=True)
CONFIG_MAPS = Resource("ConfigMap", "", "v1", "configmaps", cilium.config_map, is_listed=False, by_name=True)
SECRETS = Resource("Secret", "", "v1", "secrets", name_of, is_listed=False, by_name=True)
"""Of which one is ever read, by its name: the client's certificate beside relay."""
ENDPOINT_SLICES = Resource("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices", kubernetes.endpoint_slice)
WORKLOADS = (
    _workloads(Kind.DEPLOYMENT, "apps", "deployments"),
    _workloads(Kind.STATEFUL_SET, "apps", "statefulsets"),
    _workloads(Kind.DAEMON_SET, "apps", "daemonsets"),
    _workloads(Kind.JOB, "batch", "jobs"),
    _workloads(Kind.CRON_JOB, "batch", "cronjobs"),
)
SYSTEM_WORKLOADS = tuple(replace(WORKLOADS[index], may_be_cut=True) for index in (0, 2))
"""Deployments and DaemonSets of Cilium and of the system, of which an archive keeps some."""
EVENTS = Resource("Event", "", "v1", "events", events.warning, may_be_cut=True)
NETWORK_POLICIES = _policies("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies")
CILIUM_POLICIES = _policies("CiliumNetworkPolicy", "cilium.io", "v2", "ciliumnetworkpolicies")
CLUSTERWIDE_POLICIES = _policies(
    "CiliumClusterwideNetworkPolicy", "cilium.io", "v2", "ciliumclusterwidenetworkpolicies"
)
EGRESS_GATEWAYS = _policies(
    "CiliumEgressGatewayPolicy", "cilium.io", "v2", "ciliumegressgatewaypolicies", optional=True
)
CIDR_GROUPS = replace(
    _policies("CiliumCIDRGroup", "cilium.io", "v2", "ciliumcidrgroups", optional=True), older="v2alpha1"
)
FOREIGN_POLICIES = (
    _policies("ClusterNetworkPolicy", "policy.networking.k8s.io", "v1alpha2", "clusternetworkpolicies", optional=True),
    _policies("AdminNetworkPolicy", "policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies", optional=True),
    _policies(
        "BaselineAdminNetworkPolicy",
        "policy.networking.k8s.io",
        "v1alpha1",
        "baselineadminnetworkpolicies",
        optional=True,
    ),
    _policies("FQDNNetworkPolicy", "networking.gke.io", "v1alpha1", "fqdnnetworkpolicies", optional=True),
    _policies("IsovalentNetworkPolicy", "isovalent.com", "v1", "isovalentnetworkpolicies", optional=True),
    _policies(
        "IsovalentClusterwideNetworkPolicy", "isovalent.com", "v1", "isovalentclusterwidenetworkpolicies", optional=True
    ),
    _policies("NetworkPolicy", "crd.projectcalico.org", "v1", "networkpolicies", optional=True),
    _policies("GlobalNetworkPolicy", "crd.projectcalico.org", "v1", "globalnetworkpolicies", optional=True),
    _policies("NetworkPolicy", "crd.antrea.io", "v1beta1", "networkpolicies", optional=True),
    _policies("ClusterNetworkPolicy", "crd.antrea.io", "v1beta1", "clusternetworkpolicies", optional=True),
)
"""Policies that other agents enforce, or that Cilium will; they are only named, never judged."""
CILIUM_NODES = Resource("CiliumNode", "cilium.io", "v2", "ciliumnodes", nodes.cilium_node)
NODE_CONFIGS = Resource(
    "CiliumNodeConfig", "cilium.io", "v2", "ciliumnodeconfigs", cilium.node_config, optional=True, older="v2alpha1"
)
CILIUM_IDENTITIES = Resource(
    "CiliumIdentity", "cilium.io", "v2", "ciliumidentities", cilium.cilium_identity, by_name=True
)
CILIUM_ENDPOINTS = Resource("CiliumEndpoint", "cilium.io", "v2", "ciliumendpoints", cilium.cilium_endpoint)
CILIUM_ENDPOINT_SLICES = Resource(
    "CiliumEndpointSlice", "cilium.io", "v2alpha1", "ciliumendpointslices", cilium.endpoints_of_slice, optional=True
)
INGRESSES = Resource("Ingress", "networking.k8s.io", "v1", "ingresses", entrances.ingress, optional=True)
INGRESS_CLASSES = Resource(
    "IngressClass", "networking.k8s.io", "v1", "ingressclasses", entrances.class_of_entrances, optional=True
)
_GATEWAY_API = "gateway.networking.k8s.io"
GATEWAYS = Resource("Gateway", _GATEWAY_API, "v1", "gateways", entrances.gateway, optional=True)
GATEWAY_CLASSES = Resource(
    "GatewayClass", _GATEWAY_API, "v1", "gatewayclasses", entrances.class_of_entrances, optional=True
)
ROUTES = (
    Resource("HTTPRoute", _GATEWAY_API, "v1", "httproutes", entrances.route, optional=True),
    Resource("GRPCRoute", _GATEWAY_API, "v1", "grpcroutes", entrances.route, optional=True),
    Resource("TLSRoute", _GATEWAY_API, "v1alpha2", "tlsroutes", entrances.route, optional=True),
)
"""Routes of the Gateway API that have host names."""


def _with_changes(resource: Resource[object]) -> Resource[tuple[Change, ...]]:
    return replace(cast("Resource[tuple[Change, ...]]", resource), read=partial(changes, resource.kind))


WITH_CHANGES: tuple[Resource[tuple[Change, ...]], ...] = tuple(
    map(
        _with_changes,
        (
            *(SERVICES, *WORKLOADS[:3], NETWORK_POLICIES, CILIUM_POLICIES),
            *(CLUSTERWIDE_POLICIES, EGRESS_GATEWAYS, NAMESPACES, NODES, CONFIG_MAPS),
        ),
    )
)
"""The kinds that are read to tell who changed them; pods, of which there are most, tell it anyway."""


def every_kind() -> tuple[Resource[object], ...]:
    """Return every kind that this file declares, each once: all that is ever read through the API."""
    declared = [one for value in globals().values() for one in (value if isinstance(value, tuple) else (value,))]
    kinds = [one for one in declared if isinstance(one, Resource)]
    return tuple({(kind.group, kind.plural): kind for kind in reversed(kinds)}.values())[::-1]
