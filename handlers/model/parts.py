"""Every part of a snapshot, declared once: its name, what it holds, and what of a scope widens it."""

from typing import TypeVar

from handlers.model.agent import (
    AddressIdentity,
    AgentEndpoint,
    AgentIdentity,
    AgentStatus,
    EgressGatewayEntry,
    LearntName,
    LoadBalancerEntry,
    Metric,
    PolicyMapEntry,
)
from handlers.model.cluster import (
    CiliumConfig,
    CiliumEndpoint,
    CiliumIdentity,
    EndpointSlice,
    Namespace,
    Node,
    Pod,
    PodPort,
    PolicyObject,
    Service,
    Workload,
)
from handlers.model.flow import FlowLog, RelayStatus
from handlers.model.snapshot import AnyPart, PartOf, PerNode
from handlers.model.width import (
    IF_ALL_POLICIES_MATTER,
    IF_PORT_NAMES_MATTER,
    IF_SERVICES_MATTER,
    IN_NAMESPACES,
    OF_FLOWS,
    OF_IDENTITIES,
    OF_PODS,
    WHOLE,
    Width,
)

T = TypeVar("T")


def _part(name: str, holds: type[T], width: Width = WHOLE) -> PartOf[T]:
    return PartOf(name, holds, width)


def _per_node(name: str, holds: type[T]) -> PartOf[PerNode[T]]:
    return PartOf(name, holds, is_per_node=True)


class Part:
    """The parts by name. A list is whole, for as much of it as was asked, or the part is Missing."""

    CONFIG = _part("config", CiliumConfig)
    """Cilium's ConfigMap, with the version in the image of its agents."""
    NAMESPACES = _part("namespaces", tuple[Namespace, ...])
    NODES = _part("nodes", tuple[Node, ...])
    API_SERVER = _part("api_server", tuple[str, ...])
    """Addresses of the Kubernetes API server."""
    PODS = _part("pods", tuple[Pod, ...], OF_PODS)
    CILIUM_PODS = _part("cilium_pods", tuple[Pod, ...])
    """Cilium's own pods: agents, operator, relay, Envoy."""
    WORKLOADS = _part("workloads", tuple[Workload, ...], IN_NAMESPACES)
    SERVICES = _part("services", tuple[Service, ...], IN_NAMESPACES)
    ENDPOINT_SLICES = _part("endpoint_slices", tuple[EndpointSlice, ...], IN_NAMESPACES)
    POLICIES = _part("policies", tuple[PolicyObject, ...], IN_NAMESPACES)
    """Policies of the namespaces asked for, and every cluster-wide one."""
    ALL_POLICIES = _part("all_policies", tuple[PolicyObject, ...], IF_ALL_POLICIES_MATTER)
    POLICY_SERVICES = _part(
        "policy_services", tuple[tuple[Service, ...], tuple[EndpointSlice, ...]], IF_SERVICES_MATTER
    )
    """Every Service and EndpointSlice of the cluster."""
    CIDR_GROUPS = _part("cidr_groups", tuple[PolicyObject, ...])
    EGRESS_GATEWAYS = _part("egress_gateways", tuple[PolicyObject, ...])
    CILIUM_ENDPOINTS = _part("cilium_endpoints", tuple[CiliumEndpoint, ...], IN_NAMESPACES)
    IDENTITIES = _part("identities", tuple[CiliumIdentity, ...], OF_IDENTITIES)
    NAMED_PORTS = _part("named_ports", tuple[PodPort, ...], IF_PORT_NAMES_MATTER)
    """Every port name that some CiliumEndpoint has."""
    FLOWS = _part("flows", FlowLog, OF_FLOWS)
    RELAY = _part("relay", RelayStatus)
    AGENT_STATUS = _per_node("agent_status", AgentStatus)
    AGENT_ENDPOINTS = _per_node("agent_endpoints", tuple[AgentEndpoint, ...])
    AGENT_IDENTITIES = _per_node("agent_identities", tuple[AgentIdentity, ...])
    AGENT_ADDRESSES = _per_node("agent_addresses", tuple[AddressIdentity, ...])
    AGENT_NAMES = _per_node("agent_names", tuple[LearntName, ...])
    AGENT_POLICY_MAP = _per_node("agent_policy_map", tuple[PolicyMapEntry, ...])
    AGENT_EGRESS = _per_node("agent_egress", tuple[EgressGatewayEntry, ...])
    AGENT_SERVICES = _per_node("agent_services", tuple[LoadBalancerEntry, ...])
    AGENT_METRICS = _per_node("agent_metrics", tuple[Metric, ...])


PARTS: tuple[AnyPart, ...] = tuple(part for part in vars(Part).values() if isinstance(part, PartOf))
"""Every part, in the order of declaration."""
