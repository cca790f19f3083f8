"""Hubble's drop reasons: what each means for the person who asks, and what to do.

Names and numbers: Cilium, api/v1/flow/flow.proto, enum DropReason. Reasons that are missing here are shown by name.
"""

from dataclasses import dataclass

from handlers.model.finding import Hop


@dataclass(frozen=True, slots=True)
class DropReason:
    """A reason in words. ``is_policy`` reasons are explained by the policy hops."""

    meaning: str
    remedy: str
    hop: Hop = Hop.AGENTS
    is_policy: bool = False


DROP_REASONS: dict[str, DropReason] = {
    "POLICY_DENIED": DropReason(
        "no rule allows it under a default deny", "Allow the flow.", Hop.INGRESS_POLICY, is_policy=True
    ),
    "POLICY_DENY": DropReason("a deny rule matches", "Narrow the deny rule.", Hop.INGRESS_POLICY, is_policy=True),
    "AUTH_REQUIRED": DropReason(
        "the policy demands mutual authentication, and it has not succeeded yet",
        "The first packets drop until the handshake is done; if it lasts, look at SPIRE and the agents' auth logs.",
        Hop.INGRESS_POLICY,
        is_policy=True,
    ),
    "NO_EGRESS_GATEWAY": DropReason(
        "an egress gateway policy selects it, and no gateway node was found",
        "Make the policy's nodeSelector match a ready node.",
        Hop.EGRESS_GATEWAY,
    ),
    "DROP_NO_EGRESS_IP": DropReason(
        "the gateway node has no address to send it from",
        "Give the gateway node the policy's egressIP or interface.",
        Hop.EGRESS_GATEWAY,
    ),
    "SERVICE_BACKEND_NOT_FOUND": DropReason(
        "the Service has no backend in the datapath", "Look at the Service's EndpointSlices.", Hop.SERVICE
    ),
    "DENIED_BY_LB_SRC_RANGE_CHECK": DropReason(
        "the client is outside the Service's loadBalancerSourceRanges", "Add the client's range.", Hop.SERVICE
    ),
    "IS_A_CLUSTERIP": DropReason(
        "it was sent to a ClusterIP from outside", "Use a LoadBalancer or NodePort Service.", Hop.SERVICE
    ),
    "INVALID_IDENTITY": DropReason(
        "the sender's identity is not usable", "Check that identities are allocated: health.", Hop.IDENTITY
    ),
    "UNKNOWN_SENDER": DropReason(
        "the node does not know who sends", "Wait for the ipcache to converge, then look at the agents.", Hop.IDENTITY
    ),
    "DROP_HOST_NOT_READY": DropReason("the node's datapath is still starting", "Wait for the agent to be ready."),
    "DROP_EP_NOT_READY": DropReason("the endpoint's datapath is still starting", "Wait for the endpoint to be ready."),
    "STALE_OR_UNROUTABLE_IP": DropReason(
        "the address belongs to no endpoint any more", "The client may hold an old address; look the name up again."
    ),
    "INVALID_SOURCE_IP": DropReason(
        "the source address is not the pod's own", "Look for address spoofing, or extra addresses inside the pod."
    ),
    "INVALID_SOURCE_MAC": DropReason("the source MAC is not the pod's own", "Look for bridging inside the pod."),
    "CT_MAP_INSERTION_FAILED": DropReason(
        "the connection tracking table is full", "Raise bpf-ct-global-tcp-max or bpf-map-dynamic-size-ratio."
    ),
    "NO_MAPPING_FOR_NAT_MASQUERADE": DropReason(
        "no source port was free for masquerading", "Raise bpf-nat-global-max, or spread the connections."
    ),
    "SNAT_NO_MAP_FOUND": DropReason("the NAT table of the node is missing", "Restart the agent of the node."),
    "NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT": DropReason(
        "the node does not know the other node's tunnel", "Check CiliumNode of the other node and the agents' health."
    ),
    "FIB_LOOKUP_FAILED": DropReason("the node has no route", "Look at the node's routing table."),
    "LOCAL_HOST_IS_UNREACHABLE": DropReason("the node cannot hand it to its own stack", "Look at the agent's log."),
    "ENCAPSULATION_TRAFFIC_IS_PROHIBITED": DropReason(
        "a pod sent to the tunnel port", "Pods may not send to the cluster's tunnel port."
    ),
    "UNENCRYPTED_TRAFFIC": DropReason(
        "strict encryption is on and the packet was not encrypted", "Check WireGuard or IPsec on both nodes."
    ),
    "IP_FRAGMENTATION_NOT_SUPPORTED": DropReason(
        "it is a fragment and fragment tracking is off", "Lower the MTU, or turn on fragment tracking."
    ),
    "FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND": DropReason(
        "a fragment came without its first one", "Look for loss and MTU trouble between the nodes."
    ),
    "FAILED_TO_INSERT_INTO_PROXYMAP": DropReason("the proxy could not take it over", "Look at the agent.", Hop.L7),
    "PROXY_REDIRECTION_NOT_SUPPORTED_FOR_PROTOCOL": DropReason(
        "an L7 rule is on a protocol that the proxy cannot take", "Take the L7 rule off that port.", Hop.L7
    ),
    "MISSED_TAIL_CALL": DropReason(
        "the datapath program of the endpoint is incomplete, as during an upgrade", "Wait, or restart the agent."
    ),
    "DROP_RATE_LIMITED": DropReason("a rate limit of the datapath was hit", "Look for a flood from this source."),
    "REACHED_EDT_RATE_LIMITING_DROP_HORIZON": DropReason(
        "the pod exceeds its bandwidth annotation", "Raise kubernetes.io/egress-bandwidth, or send less."
    ),
    "TTL_EXCEEDED": DropReason("the packet went round in circles", "Look for a routing loop."),
    "CT_TRUNCATED_OR_INVALID_HEADER": DropReason("the packet's header is broken", "Look at who sends it."),
    "UNSUPPORTED_L3_PROTOCOL": DropReason(
        "the datapath does not carry this protocol (often IPv6 neighbour noise)", "Usually harmless."
    ),
    "UNKNOWN_L4_PROTOCOL": DropReason("the datapath does not carry this protocol", "Use TCP, UDP, SCTP or ICMP."),
    "VLAN_FILTERED": DropReason("the VLAN is not allowed", "Add it to vlan-bpf-bypass."),
}


def drop_reason(name: str) -> DropReason:
    """Return what is known of a reason; an unknown one speaks for itself."""
    spoken = name.lower().replace("_", " ")
    return DROP_REASONS.get(name) or DropReason(spoken, "Look the reason up in Cilium's documentation.")
