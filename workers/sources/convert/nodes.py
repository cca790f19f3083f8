"""A node as Kubernetes and Cilium tell it together."""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.model.cluster import Node
from workers.sources.convert.reading import Body, each, labels, name_of, rows, struct, text, texts


def nodes(of_kubernetes: Iterable[Any], of_cilium: Iterable[Any]) -> tuple[Node, ...]:
    """Join v1 Nodes and cilium.io/v2 CiliumNodes by name.

    A CiliumNode without a Node is kept, with ``ready`` None: its addresses still mean a node to Cilium.

    Raises:
        MalformedError: naming the object.
    """
    seen_by_cilium = dict(each("CiliumNode", of_cilium, lambda body: (name_of(body), _cilium_side(body))))
    found = each("Node", of_kubernetes, lambda body: _node(body, seen_by_cilium))
    known = {node.name for node in found}
    return found + tuple(
        Node(name=name, labels={}, ready=None, **side) for name, side in seen_by_cilium.items() if name not in known
    )


def _node(body: Body, seen_by_cilium: Mapping[str, Mapping[str, Any]]) -> Node:
    spec, status = struct(body, "spec"), struct(body, "status")
    ready = next((text(item, "status") for item in rows(status, "conditions") if text(item, "type") == "Ready"), None)
    side = dict(seen_by_cilium.get(name_of(body), {"pod_cidrs": ()}))
    pod_cidr = text(spec, "podCIDR")
    side["pod_cidrs"] = side["pod_cidrs"] or texts(spec, "podCIDRs") or ((pod_cidr,) if pod_cidr else ())
    side["ips"] = tuple(
        address
        for item in rows(status, "addresses")
        if text(item, "type") in ("InternalIP", "ExternalIP") and (address := text(item, "address"))
    )
    return Node(
        name=name_of(body),
        labels=labels(struct(body, "metadata"), "labels"),
        ready=None if ready is None else ready == "True",
        **side,
    )


def _cilium_side(body: Body) -> dict[str, Any]:
    """Return the fields of Node that a CiliumNode knows (Cilium, pkg/k8s/apis/cilium.io/v2/types.go, NodeSpec)."""
    spec = struct(body, "spec")
    health = struct(spec, "health")
    addresses = [(text(item, "type"), text(item, "ip")) for item in rows(spec, "addresses")]
    return {
        "ips": tuple(ip for kind, ip in addresses if ip and kind in ("InternalIP", "ExternalIP")),
        "pod_cidrs": texts(struct(spec, "ipam"), "podCIDRs"),
        "cilium_ips": tuple(ip for kind, ip in addresses if ip and kind == "CiliumInternalIP"),
        "health_ips": tuple(ip for family in ("ipv4", "ipv6") if (ip := text(health, family))),
    }
