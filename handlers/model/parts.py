"""The type of every part's value, for recordings and for the engine's typed view."""

from typing import Any

from handlers.model import agent, cluster, flow
from handlers.model.snapshot import Part

PART_TYPES: dict[Part, Any] = {
    Part.CONFIG: cluster.CiliumConfig,
    Part.NAMESPACES: tuple[cluster.Namespace, ...],
    Part.NODES: tuple[cluster.Node, ...],
    Part.API_SERVER: tuple[str, ...],
    Part.PODS: tuple[cluster.Pod, ...],
    Part.CILIUM_PODS: tuple[cluster.Pod, ...],
    Part.WORKLOADS: tuple[cluster.Workload, ...],
    Part.SERVICES: tuple[cluster.Service, ...],
    Part.ENDPOINT_SLICES: tuple[cluster.EndpointSlice, ...],
    Part.POLICIES: tuple[cluster.PolicyObject, ...],
    Part.ALL_POLICIES: tuple[cluster.PolicyObject, ...],
    Part.POLICY_SERVICES: tuple[tuple[cluster.Service, ...], tuple[cluster.EndpointSlice, ...]],
    Part.CIDR_GROUPS: tuple[cluster.PolicyObject, ...],
    Part.EGRESS_GATEWAYS: tuple[cluster.PolicyObject, ...],
    Part.CILIUM_ENDPOINTS: tuple[cluster.CiliumEndpoint, ...],
    Part.IDENTITIES: tuple[cluster.CiliumIdentity, ...],
    Part.NAMED_PORTS: tuple[cluster.PodPort, ...],
    Part.FLOWS: flow.FlowLog,
    Part.RELAY: flow.RelayStatus,
    Part.AGENT_STATUS: agent.AgentStatus,
    Part.AGENT_ENDPOINTS: tuple[agent.AgentEndpoint, ...],
    Part.AGENT_IDENTITIES: tuple[agent.AgentIdentity, ...],
    Part.AGENT_ADDRESSES: tuple[agent.AddressIdentity, ...],
    Part.AGENT_NAMES: tuple[agent.LearntName, ...],
    Part.AGENT_POLICY_MAP: tuple[agent.PolicyMapEntry, ...],
    Part.AGENT_EGRESS: tuple[agent.EgressGatewayEntry, ...],
    Part.AGENT_SERVICES: tuple[agent.LoadBalancerEntry, ...],
    Part.AGENT_METRICS: tuple[agent.Metric, ...],
}
"""What ``Known.value`` holds for each part; for a per-node part, what one node's answer holds."""
