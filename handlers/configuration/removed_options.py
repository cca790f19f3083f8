"""Options of cilium-config that a release took away, and what takes their place.

The agent ignores an option that it does not know, so that what was set with it is silently as if it were not. Every
entry stands in the section "Removed Options" of that release's upgrade notes
(Cilium, Documentation/operations/upgrade.rst).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.policy.versions import Version


@dataclass(frozen=True, slots=True)
class Removed:
    """An option that is gone: ``since`` which minor release, and what to do ``instead``.

    ``is_idle`` tells that nothing is missing without it: what it did is always so now, or was of no use.
    """

    option: str
    since: tuple[int, int]
    instead: str = ""
    is_idle: bool = True

    @property
    def release(self) -> str:
        """The release as people write it."""
        return f"{self.since[0]}.{self.since[1]}"


_KUBE_PROXY = "Set kube-proxy-replacement=true."
_IDLE: tuple[tuple[tuple[int, int], str], ...] = (
    ((1, 14), "sockops-enable force-local-policy-eval-at-source"),
    ((1, 15), "single-cluster-route enable-k8s-event-handover cnp-status-update-interval"),
    ((1, 16), "sidecar-istio-proxy-image endpoint-status ip-allocation-timeout install-egress-gateway-routes"),
    ((1, 16), "enable-remote-node-identity"),
    ((1, 18), "enable-k8s-terminating-endpoint enable-runtime-device-detection arping-refresh-period"),
    ((1, 18), "update-ec2-adapter-limit-via-api aws-instance-limit-mapping ces-write-qps-limit ces-write-qps-burst"),
    ((1, 18), "ces-enable-dynamic-rate-limit ces-dynamic-rate-limit-nodes ces-dynamic-rate-limit-qps-limit"),
    ((1, 18), "ces-dynamic-rate-limit-qps-burst"),
    ((1, 19), "bpf-lb-proto-diff enable-session-affinity enable-internal-traffic-policy enable-svc-source-range-check"),
    ((1, 19), "enable-custom-calls enable-recorder"),
)
_MISSED: tuple[Removed, ...] = (
    Removed("tunnel", (1, 15), "Set routing-mode=native, or tunnel-protocol=vxlan|geneve.", is_idle=False),
    Removed("clustermesh-ip-identities-sync-timeout", (1, 17), "Set clustermesh-sync-timeout.", is_idle=False),
    Removed("enable-wireguard-userspace-fallback", (1, 17), "Run a kernel that has WireGuard.", is_idle=False),
    *(
        Removed(option, (1, 17), "Use the BGP control plane (enable-bgp-control-plane).", is_idle=False)
        for option in ("bgp-config-path", "bgp-announce-lb-ip", "bgp-announce-pod-cidr")
    ),
    Removed("enable-high-scale-ipcache", (1, 18), "The high-scale mode of the ipcache is gone.", is_idle=False),
    Removed("enable-node-port", (1, 19), _KUBE_PROXY, is_idle=False),
    Removed("enable-host-port", (1, 19), _KUBE_PROXY, is_idle=False),
    Removed("enable-external-ips", (1, 19), _KUBE_PROXY, is_idle=False),
    Removed("enable-ipv4-egress-gateway", (1, 19), "Set enable-egress-gateway.", is_idle=False),
)
REMOVED: Mapping[str, Removed] = {
    one.option: one
    for one in (*_MISSED, *(Removed(option, since) for since, options in _IDLE for option in options.split()))
}
"""By the option's name."""
REPLACED_BY: Mapping[str, tuple[str, ...]] = {
    "tunnel": ("routing-mode", "tunnel-protocol"),
    "clustermesh-ip-identities-sync-timeout": ("clustermesh-sync-timeout",),
    "enable-node-port": ("kube-proxy-replacement",),
    "enable-host-port": ("kube-proxy-replacement",),
    "enable-external-ips": ("kube-proxy-replacement",),
    "enable-ipv4-egress-gateway": ("enable-egress-gateway",),
}
"""Options beside which the old one is only a leftover."""
OLD_VALUES: Mapping[str, tuple[tuple[int, int], tuple[str, ...], str]] = {
    "kube-proxy-replacement": ((1, 16), ("strict", "partial", "probe", "disabled"), "true or false"),
    "ipam": ((1, 15), ("cluster-pool-v2beta",), "multi-pool"),
    "datapath-mode": ((1, 18), ("lb-only",), "veth or netkit"),
}
"""Values that a release took away: since when, which, and what is written instead. The agent ends over them."""


def removed_by(option: str, version: Version) -> Removed | None:
    """Return the entry of an option that a version no longer knows, None for every other."""
    found = REMOVED.get(option)
    return found if found and version.line >= found.since else None


def is_leftover(removed: Removed, options: Mapping[str, str]) -> bool:
    """Whether nothing is lost: the option does nothing any more, was off, or what takes its place is set."""
    is_off = options.get(removed.option, "").strip().lower() in ("", "false", "0", "disabled")
    return removed.is_idle or is_off or any(option in options for option in REPLACED_BY.get(removed.option, ()))
