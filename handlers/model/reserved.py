"""Identities whose numbers are fixed (Cilium, pkg/identity/numericidentity.go:74-135)."""

RESERVED_IDENTITIES: dict[int, tuple[str, str]] = {
    0: ("unknown", "the agent did not know who it was"),
    1: ("host", "the node's own host, and pods in its network"),
    2: ("world", "anything outside the cluster that no policy names"),
    3: ("unmanaged", "a pod that Cilium does not manage"),
    4: ("health", "the health endpoint of a node"),
    5: ("init", "an endpoint whose labels are not known yet"),
    6: ("remote-node", "another node of the cluster, and pods in its network"),
    7: ("kube-apiserver", "the API server on another node"),
    8: ("ingress", "the proxy of Ingress and Gateway API"),
    9: ("world-ipv4", "anything outside the cluster over IPv4"),
    10: ("world-ipv6", "anything outside the cluster over IPv6"),
    11: ("overlay", "encrypted overlay traffic"),
}
"""Number to label (without ``reserved:``) and meaning."""

FIRST_WELL_KNOWN = 100
FIRST_ALLOCATED = 256
"""Between the two: well-known identities from 100, user-reserved ones from 128; the cluster allocates from 256."""
LOCAL_SCOPE = 1 << 24
"""Identities from here on have a meaning on one node only (same file, IdentityScopeLocal)."""
