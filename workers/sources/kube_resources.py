"""Which kinds are read, where the API serves them, and what it means when it does not."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object. ``optional``: a cluster whose API does not know the kind has no such objects, and is fine."""

    kind: str
    group: str
    version: str
    plural: str
    namespaced: bool = True
    optional: bool = False

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


NAMESPACES = Resource("Namespace", "", "v1", "namespaces", namespaced=False)
NODES = Resource("Node", "", "v1", "nodes", namespaced=False)
PODS = Resource("Pod", "", "v1", "pods")
SERVICES = Resource("Service", "", "v1", "services")
CONFIG_MAPS = Resource("ConfigMap", "", "v1", "configmaps")
ENDPOINT_SLICES = Resource("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices")
NETWORK_POLICIES = Resource("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies")
CILIUM_POLICIES = Resource("CiliumNetworkPolicy", "cilium.io", "v2", "ciliumnetworkpolicies")
CLUSTERWIDE_POLICIES = Resource(
    "CiliumClusterwideNetworkPolicy", "cilium.io", "v2", "ciliumclusterwidenetworkpolicies", namespaced=False
)
CILIUM_ENDPOINTS = Resource("CiliumEndpoint", "cilium.io", "v2", "ciliumendpoints")
CILIUM_IDENTITIES = Resource("CiliumIdentity", "cilium.io", "v2", "ciliumidentities", namespaced=False)
CILIUM_NODES = Resource("CiliumNode", "cilium.io", "v2", "ciliumnodes", namespaced=False)
ENDPOINT_SLICES_OF_CILIUM = Resource(
    "CiliumEndpointSlice", "cilium.io", "v2alpha1", "ciliumendpointslices", namespaced=False, optional=True
)
EGRESS_GATEWAYS = Resource(
    "CiliumEgressGatewayPolicy", "cilium.io", "v2", "ciliumegressgatewaypolicies", namespaced=False, optional=True
)
CIDR_GROUPS = Resource("CiliumCIDRGroup", "cilium.io", "v2", "ciliumcidrgroups", namespaced=False, optional=True)
CIDR_GROUPS_BEFORE_1_18 = Resource(
    "CiliumCIDRGroup", "cilium.io", "v2alpha1", "ciliumcidrgroups", namespaced=False, optional=True
)

WORKLOADS = (
    Resource("Deployment", "apps", "v1", "deployments", optional=True),
    Resource("StatefulSet", "apps", "v1", "statefulsets", optional=True),
    Resource("DaemonSet", "apps", "v1", "daemonsets", optional=True),
    Resource("Job", "batch", "v1", "jobs", optional=True),
    Resource("CronJob", "batch", "v1", "cronjobs", optional=True),
)
"""Optional, since an API that serves no such kind runs no such workloads."""
