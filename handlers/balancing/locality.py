"""What a traffic policy Local leaves on each node: nodes that answer for a Service and have no backend of their own."""

from collections.abc import Iterable
from dataclasses import dataclass

from handlers.connection.backends import Target
from handlers.model.cluster import Node, Service


@dataclass(frozen=True, slots=True)
class Lonely:
    """Nodes on which a traffic policy of a Service leaves nobody, beside those on which it leaves a ready backend."""

    without: tuple[str, ...]
    having: tuple[str, ...]


def nodes_left_out(targets: Iterable[Target], nodes: Iterable[Node]) -> Lonely:
    """Return which nodes run a ready backend, and which do not."""
    own = {target.node for target in targets if target.ready}
    names = sorted(node.name for node in nodes)
    return Lonely(tuple(name for name in names if name not in own), tuple(name for name in names if name in own))


def is_reached_from_outside(service: Service) -> bool:
    """Whether nodes answer for the Service towards clients outside."""
    return bool(any(port.node_port for port in service.ports) or service.balancer_ips or service.external_ips)
