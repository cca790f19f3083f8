"""Addresses and ports that load balancing answers for: whose Service, or whose pod, is reached by them.

A node answers for nodePorts and hostPorts of others, and any node for external and load balancer addresses, so that
neither is an end of the connection (Cilium, Documentation/network/kubernetes/kubeproxy-free.rst).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from handlers.model.cluster import Node, Pod, PodPort, Service, ServicePort
from handlers.model.traffic import Protocol

_EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - what a hostIP may say; nothing listens here


class FrontendKind(StrEnum):
    """By what a Service or a pod is reached from outside, in Kubernetes' words."""

    NODE_PORT = "nodePort"
    HOST_PORT = "hostPort"
    BALANCER_IP = "load balancer IP"
    BALANCER_NAME = "load balancer's host name"
    """A load balancer outside that has no address in the Service's status, so that Cilium does not know it."""
    EXTERNAL_IP = "external IP"


@dataclass(frozen=True, slots=True)
class Frontend:
    """What is dialled, where that is not the Service's own address or the pod's.

    ``node`` is the node at which packets arrive, None where it can be any. ``service_port`` None means every port of
    the Service; ``pod_port`` is what a hostPort leads to.
    """

    kind: FrontendKind
    node: Node | None = None
    service: Service | None = None
    service_port: ServicePort | None = None
    pod: Pod | None = None
    pod_port: PodPort | None = None


def service_at_node(
    node: Node, addresses: Iterable[str], port: int, protocol: Protocol | None, services: Iterable[Service]
) -> Frontend | None:
    """Return the Service that a node answers for on a port at one of these addresses of its own, None for none."""
    dialled = frozenset(addresses)
    for service in services:
        if not _is_of_a_family(service, dialled):
            continue
        for entry in service.ports:
            if not _is_of(protocol, entry.protocol):
                continue
            if entry.node_port == port:
                return Frontend(FrontendKind.NODE_PORT, node, service, entry)
            kind = _kind_of(service, dialled)
            if kind is not None and entry.port == port:
                return Frontend(kind, node, service, entry)
    return None


def service_at_address(
    address: str, port: int | None, protocol: Protocol | None, services: Iterable[Service]
) -> Frontend | None:
    """Return the Service that has an external or load balancer address, preferring one with this port."""
    found = None
    for service in services:
        kind = _kind_of(service, frozenset((address,)))
        if kind is None:
            continue
        for entry in service.ports:
            if entry.port == port and _is_of(protocol, entry.protocol):
                return Frontend(kind, None, service, entry)
        # Services may share an address; one without the port answers for the address alone.
        found = found or Frontend(kind, None, service)
    return found


def outside_of(service: Service) -> Frontend | None:
    """Return how clients outside reach a Service that is asked for by its name, None where they cannot."""
    for kind, is_so in (
        (FrontendKind.BALANCER_IP, bool(service.balancer_ips)),
        (FrontendKind.EXTERNAL_IP, bool(service.external_ips)),
        (FrontendKind.NODE_PORT, any(port.node_port for port in service.ports)),
    ):
        if is_so:
            return Frontend(kind, None, service)
    return None


def pod_at_node(node: Node, port: int, protocol: Protocol | None, pods: Iterable[Pod]) -> Frontend | None:
    """Return the pod of a node that has a hostPort, None for none; one in the host's network is the node itself."""
    for pod in pods:
        if pod.node != node.name or pod.host_network or not pod.is_running:
            continue
        for entry in pod.ports:
            is_here = entry.host_ip in (*_EVERY_ADDRESS, *node.ips)
            if entry.host_port == port and is_here and _is_of(protocol, entry.protocol):
                return Frontend(FrontendKind.HOST_PORT, node, pod=pod, pod_port=entry)
    return None


def _kind_of(service: Service, addresses: frozenset[str]) -> FrontendKind | None:
    if not addresses.isdisjoint(service.balancer_ips):
        return FrontendKind.BALANCER_IP
    return None if addresses.isdisjoint(service.external_ips) else FrontendKind.EXTERNAL_IP


def _is_of_a_family(service: Service, addresses: frozenset[str]) -> bool:
    """Whether a Service is served at one of these addresses: nodes answer in the IP families that it has itself."""
    own = {":" in ip for ip in service.cluster_ips if ip and ip != "None"}
    return not own or not own.isdisjoint(":" in address for address in addresses)


def _is_of(asked: Protocol | None, protocol: str) -> bool:
    return asked is None or asked == protocol
