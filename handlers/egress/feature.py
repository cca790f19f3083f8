"""Whether Cilium has the egress gateway on, and what it needs."""

from dataclasses import dataclass

from handlers.model.cluster import CiliumConfig

SWITCHES = ("enable-egress-gateway", "enable-ipv4-egress-gateway")
"""The option, and the name that it had before IPv6."""
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
"""What Go takes for true (strconv.ParseBool)."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Whether it is on, and the options that it needs and that are otherwise, each as ``key=value``.

    ``masquerades`` tells whether packets that leave from a pod's own node bear that node's address.
    """

    is_on: bool
    needs: tuple[str, ...] = ()
    masquerades: bool = True


def feature_of(config: CiliumConfig) -> Feature:
    """Read the options (Cilium, pkg/egressgateway/manager.go; Documentation/network/egress-gateway).

    Without BPF masquerading an agent with the egress gateway refuses to start.
    """
    options = config.options
    is_on = any(options.get(switch, "").strip() in _TRUE for switch in SWITCHES)
    needed = {
        "enable-bpf-masquerade": options.get("enable-bpf-masquerade", "").strip() in _TRUE,
        "enable-ipv4-masquerade": options.get("enable-ipv4-masquerade", "true").strip() in _TRUE,
        "kube-proxy-replacement": options.get("kube-proxy-replacement", "").strip() in (*_TRUE, "strict"),
    }
    lacking = [f"{key}=true" for key, is_met in needed.items() if not is_met]
    if options.get("identity-allocation-mode", "crd").strip() != "crd":
        lacking.append("identity-allocation-mode=crd")
    return Feature(is_on, tuple(lacking) if is_on else (), needed["enable-ipv4-masquerade"])
