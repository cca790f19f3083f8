"""The nodes through which a policy leads packets out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.egress.choice import network_of
from handlers.egress.policy import EgressPolicy, Gateway
from handlers.egress.selectors import selector_matches
from handlers.model.cluster import Node


@dataclass(frozen=True, slots=True)
class WayOut:
    """A gateway of a policy with the node that it comes to, None where its selector matches none."""

    gateway: Gateway
    node: Node | None

    @property
    def source(self) -> str:
        """What packets bear as their source behind it, as far as the policy says: an address, or whose it is."""
        if self.gateway.egress_ip:
            return self.gateway.egress_ip
        of = f"interface {self.gateway.interface}" if self.gateway.interface else "the interface with the default route"
        return f"the first address of {of}"


def ways_out(policy: EgressPolicy, nodes: Iterable[Node], version: int = 4) -> tuple[WayOut, ...]:
    """Return the policy's gateways.

    The first node by name that the selector matches is taken, ready or not: nobody watches whether it lives. Of several
    gateways each pod is given one (Cilium, pkg/egressgateway/policy.go, regenerateGatewayConfig and
    forEachEndpointAndCIDR).
    """
    ordered = sorted(nodes, key=lambda node: node.name)
    return tuple(WayOut(gateway, _first(gateway, ordered, version)) for gateway in policy.gateways)


def _first(gateway: Gateway, nodes: Sequence[Node], version: int) -> Node | None:
    matching = (node for node in nodes if selector_matches(gateway.node_selector, node.labels))
    return next((node for node in matching if any(_is_of(ip, version) for ip in node.ips)), None)


def _is_of(address: str, version: int) -> bool:
    network = network_of(address)
    return network is not None and network.version == version
