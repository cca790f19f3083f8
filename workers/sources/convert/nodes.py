"""A node as Kubernetes and Cilium tell it together."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from handlers.model.cluster import Condition, Node
from workers.sources.convert.reading import Body, labels, moment, name_of, number, rows, struct, text, texts

_ADDRESSES = ("InternalIP", "ExternalIP")
_WIREGUARD_KEY = "network.cilium.io/wg-pub-key"
"""The annotation of a CiliumNode with its public key (Cilium, pkg/annotation)."""


@dataclass(frozen=True, slots=True)
class CiliumNode:
    """What Cilium itself says of a node."""

    name: str
    ips: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    cilium_ips: tuple[str, ...]
    health_ips: tuple[str, ...]
    ipsec_key: int | None = None
    wireguard_key: str = ""


def node(body: Body) -> Node:
    """Read a v1 Node."""
    spec, status = struct(body, "spec"), struct(body, "status")
    ready = next((item for item in rows(status, "conditions") if text(item, "type") == "Ready"), None)
    pod_cidr, versions = text(spec, "podCIDR"), struct(status, "nodeInfo")
    return Node(
        name=name_of(body),
        labels=labels(struct(body, "metadata"), "labels"),
        ready=None if ready is None else text(ready, "status") == "True",
        ips=tuple(
            address
            for item in rows(status, "addresses")
            if text(item, "type") in _ADDRESSES and (address := text(item, "address"))
        ),
        pod_cidrs=texts(spec, "podCIDRs") or ((pod_cidr,) if pod_cidr else ()),
        condition=None if ready is None else _condition(ready),
        taints=tuple(map(_taint, rows(spec, "taints"))),
        kubelet=text(versions, "kubeletVersion") or "",
        kernel=text(versions, "kernelVersion") or "",
    )


def _condition(body: Body) -> Condition:
    return Condition(
        status=text(body, "status") or "Unknown",
        reason=text(body, "reason") or "",
        message=text(body, "message") or "",
        since=moment(body, "lastTransitionTime"),
    )


def _taint(body: Body) -> str:
    value = text(body, "value")
    return f"{text(body, 'key') or ''}{f'={value}' if value else ''}:{text(body, 'effect') or ''}"


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
        ipsec_key=number(struct(spec, "encryption"), "key") or None,
        wireguard_key=labels(struct(body, "metadata"), "annotations").get(_WIREGUARD_KEY, ""),
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
        node,
        pod_cidrs=seen.pod_cidrs or node.pod_cidrs,
        cilium_ips=seen.cilium_ips,
        health_ips=seen.health_ips,
        tunnel_ips=seen.ips,
        ipsec_key=seen.ipsec_key,
        wireguard_key=seen.wireguard_key,
    )
