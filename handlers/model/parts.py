"""Every part of a snapshot, declared once: its name, what it holds, and what of a scope widens it."""

from typing import TypeVar

from handlers.model import agent, change, cluster, entrance, event, flow, log
from handlers.model import width as wide
from handlers.model.snapshot import AnyPart, PartOf, PerNode

T = TypeVar("T")


def _part(name: str, holds: type[T], width: wide.Width = wide.WHOLE) -> PartOf[T]:
    return PartOf(name, holds, width)


def _per_node(name: str, holds: type[T]) -> PartOf[PerNode[T]]:
    return PartOf(name, holds, is_per_node=True)


class Part:
    """The parts by name. A list is whole, for as much of it as was asked, or the part is Missing."""

    CONFIG = _part("config", cluster.CiliumConfig)
    """Cilium's ConfigMap, with the version in the image of its agents."""
    NODE_CONFIGS = _part("node_configs", tuple[cluster.NodeConfig, ...])
    """What CiliumNodeConfigs set on some nodes, over Cilium's ConfigMap."""
    NAMESPACES = _part("namespaces", tuple[cluster.Namespace, ...])
    NODES = _part("nodes", tuple[cluster.Node, ...])
    API_SERVER = _part("api_server", tuple[str, ...])
    """Addresses of the Kubernetes API server."""
    PODS = _part("pods", tuple[cluster.Pod, ...], wide.OF_PODS)
    CILIUM_PODS = _part("cilium_pods", tuple[cluster.Pod, ...])
    """Cilium's own pods: agents, operator, relay, Envoy."""
    KUBE_PROXIES = _part("kube_proxies", tuple[cluster.Pod, ...])
    """Pods of kube-proxy: what some distributions run inside kubelet or as a service of the node is none."""
    SYSTEM_WORKLOADS = _part("system_workloads", tuple[cluster.Workload, ...])
    """Deployments and DaemonSets of the namespaces of Cilium and of the system; an archive keeps some of them."""
    WORKLOADS = _part("workloads", tuple[cluster.Workload, ...], wide.IN_NAMESPACES)
    SERVICES = _part("services", tuple[cluster.Service, ...], wide.IN_NAMESPACES)
    ENDPOINT_SLICES = _part("endpoint_slices", tuple[cluster.EndpointSlice, ...], wide.IN_NAMESPACES)
    CLUSTER_DNS = _part("cluster_dns", cluster.ClusterDns)
    """The cluster's own DNS, wherever the question is about."""
    POLICIES = _part("policies", tuple[cluster.PolicyObject, ...], wide.IN_NAMESPACES)
    """Policies of the namespaces asked for, and every cluster-wide one."""
    ALL_POLICIES = _part("all_policies", tuple[cluster.PolicyObject, ...], wide.IF_ALL_POLICIES_MATTER)
    ALL_SERVICES = _part("all_services", tuple[cluster.Service, ...], wide.IF_ADDRESSES_MATTER)
    """Every Service of the cluster, to tell whose an address or a node's port is."""
    POLICY_SERVICES = _part(
        "policy_services",
        tuple[tuple[cluster.Service, ...], tuple[cluster.EndpointSlice, ...]],
        wide.IF_SERVICES_MATTER,
    )
    """Every Service and EndpointSlice of the cluster."""
    ENTRANCES = _part("entrances", entrance.Entrances, wide.IF_HOST_NAMES_MATTER)
    """Host names of Ingresses and Gateways, and where requests for them go."""
    CIDR_GROUPS = _part("cidr_groups", tuple[cluster.PolicyObject, ...])
    FOREIGN_POLICIES = _part("foreign_policies", cluster.ForeignPolicies)
    """Policies of other makers, and of kinds to come."""
    EGRESS_GATEWAYS = _part("egress_gateways", tuple[cluster.PolicyObject, ...])
    CILIUM_ENDPOINTS = _part("cilium_endpoints", tuple[cluster.CiliumEndpoint, ...], wide.IN_NAMESPACES)
    IDENTITIES = _part("identities", tuple[cluster.CiliumIdentity, ...], wide.OF_IDENTITIES)
    NAMED_PORTS = _part("named_ports", tuple[cluster.PodPort, ...], wide.IF_PORT_NAMES_MATTER)
    """Every port name that some CiliumEndpoint has."""
    EVENTS = _part("events", tuple[event.Event, ...], wide.IN_NAMESPACES)
    """Warnings about objects of the namespaces asked for; those about nodes belong to the namespace ``default``."""
    CHANGES = _part("changes", change.Changes, wide.IN_NAMESPACES)
    """Who changed workloads, Services, policies, namespaces, nodes and Cilium's ConfigMap, and when; pods tell it
    themselves."""
    OPERATOR_LOGS = _part("operator_logs", tuple[log.PodLog, ...])
    DNS_LOGS = _part("dns_logs", tuple[log.PodLog, ...])
    """Logs of the cluster's DNS servers."""
    FLOWS = _part("flows", flow.FlowLog, wide.OF_FLOWS)
    RELAY = _part("relay", flow.RelayStatus)
    AGENT_STATUS = _per_node("agent_status", agent.AgentStatus)
    AGENT_ENDPOINTS = _per_node("agent_endpoints", tuple[agent.AgentEndpoint, ...])
    AGENT_IDENTITIES = _per_node("agent_identities", tuple[agent.AgentIdentity, ...])
    AGENT_ADDRESSES = _per_node("agent_addresses", tuple[agent.AddressIdentity, ...])
    AGENT_NAMES = _per_node("agent_names", tuple[agent.LearntName, ...])
    AGENT_POLICY_MAP = _per_node("agent_policy_map", tuple[agent.PolicyMapEntry, ...])
    AGENT_EGRESS = _per_node("agent_egress", tuple[agent.EgressGatewayEntry, ...])
    AGENT_SERVICES = _per_node("agent_services", tuple[agent.LoadBalancerEntry, ...])
    AGENT_LOG = _per_node("agent_log", log.PodLog)
    AGENT_NODES = _per_node("agent_nodes", tuple[agent.KnownNode, ...])
    AGENT_CONFIG = _per_node("agent_config", agent.AgentConfig)
    AGENT_METRICS = _per_node("agent_metrics", tuple[agent.Metric, ...])


PARTS: tuple[AnyPart, ...] = tuple(part for part in vars(Part).values() if isinstance(part, PartOf))
"""Every part, in the order of declaration."""
