"""A node as Kubernetes and Cilium tell it together."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from handlers.model.cluster import Node
from workers.sources.convert.reading import Body, labels, name_of, rows, struct, text, texts

_ADDRESSES = ("InternalIP", "ExternalIP")


@dataclass(frozen=True, slots=True)
class CiliumNode:
    """What Cilium itself says of a node."""

    name: str
    ips: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    cilium_ips: tuple[str, ...]
    health_ips: tuple[str, ...]


def node(body: Body) -> Node:
    """Read a v1 Node."""
    spec, status = struct(body, "spec"), struct(body, "status")
    ready = next((text(item, "status") for item in rows(status, "conditions") if text(item, "type") == "Ready"), None)
    pod_cidr = text(spec, "podCIDR")
    return Node(
        name=name_of(body),
        labels=labels(struct(body, "metadata"), "labels"),
        ready=None if ready is None else ready == "True",
        ips=tuple(
            address
            for item in rows(status, "addresses")
            if text(item, "type") in _ADDRESSES and (address := text(item, "address"))
        ),
        pod_cidrs=texts(spec, "podCIDRs") or ((pod_cidr,) if pod_cidr else ()),
    )


def cilium_node(body: Body) -> CiliumNode:
    """Read a cilium.io/v2 CiliumNode (Cilium, pkg/k8s/apis/cilium.io/v2/types.go, NodeSpec)."""
    spec = struct(body, "spec")
    health = struct(spec, "health")
    addresses = [(text(item, "type"), text(item, "ip")) for item in rows(spec, "addresses")]
    return CiliumNode(
        name=name_of(body),
        ips=tuple(ip for kind, ip in addresses if ip and kind in _ADDRESSES),
        pod_cidrs=texts(struct(spec, "ipam"), "podCIDRs"),
        cilium_ips=tuple(ip for kind, ip in addresses if ip and kind == "CiliumInternalIP"),
        health_ips=tuple(ip for family in ("ipv4", "ipv6") if (ip := text(health, family))),
    )


def joined(of_kubernetes: Iterable[Node], of_cilium: Iterable[CiliumNode]) -> tuple[Node, ...]:
    """Join the two by name.

    A CiliumNode without a Node is kept, with ``ready`` None: its addresses still mean a node to Cilium.
    """
    seen = {one.name: one for one in of_cilium}
    known = tuple(_with(one, seen.pop(one.name, None)) for one in of_kubernetes)
    return known + tuple(_with(Node(one.name, labels={}, ready=None, ips=one.ips), one) for one in seen.values())


def _with(node: Node, seen: CiliumNode | None) -> Node:
    if seen is None:
        return node
    return replace(
        node, pod_cidrs=seen.pod_cidrs or node.pod_cidrs, cilium_ips=seen.cilium_ips, health_ips=seen.health_ips
    )
