"""Whose flows a question means: those of pods, of addresses, names or entities, those on one node, or all."""

from collections.abc import Iterable
from dataclasses import dataclass

from handlers.connection.backends import selected_pods
from handlers.model.cluster import Node
from handlers.model.endpoint import Address, EndpointName, Entity, HostName, Kind, Named
from handlers.model.facts import Facts
from handlers.model.flow import Flow, FlowEnd
from handlers.model.scope import FlowMatch
from handlers.names.resolve import End as Side
from handlers.names.resolve import resolve
from handlers.policy.cidr import network_of, parse_address
from handlers.policy.entities import telling_labels

_MOST_PODS = 40


@dataclass(frozen=True, slots=True)
class About:
    """An end of flows, by any of these; everybody where all are empty. With ``node``, what that node saw.

    Pods are ``namespace/name``, or ``namespace/`` for all of a namespace.
    """

    pods: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    node: str = ""
    names: tuple[str, ...] = ()
    """DNS names that agents list for an address."""
    labels: tuple[str, ...] = ()
    """Labels that tell an entity."""

    @classmethod
    def of_node(cls, name: str, nodes: Iterable[Node]) -> "About | None":
        """Return what a node saw, None where there is no such node."""
        return cls(node=name) if any(node.name == name for node in nodes) else None

    def seen_by(self, nodes: Iterable[Node]) -> tuple[str, ...]:
        """Return the nodes that would have seen such flows: all that may carry the other end, too."""
        return (self.node,) if self.node else tuple(node.name for node in nodes)

    @property
    def is_everybody(self) -> bool:
        """Whether every end is meant."""
        return not (self.pods or self.ips or self.names or self.labels)

    def matches(self, verdicts: tuple[str, ...] = (), other: "About | None" = None) -> tuple[FlowMatch, ...]:
        """Return what a source is asked for: flows at this end either way, with ``other`` at their other end.

        More than is meant where the end is told by names or labels: see ``means``.
        """
        here, there = self.asked_for, other.asked_for if other else ((), ())
        if not any((*here, *there)):
            return (FlowMatch(verdicts=verdicts),) if verdicts else ()
        return (
            FlowMatch(here[0], here[1], there[0], there[1], verdicts=verdicts),
            FlowMatch(there[0], there[1], here[0], here[1], verdicts=verdicts),
        )

    def means(self, flow: Flow, other: "About | None" = None) -> bool:
        """Whether a flow has this end, and ``other`` at its other end."""
        if self.node not in ("", flow.node):
            return False
        return any(
            self.is_at(one) and (other is None or other.is_at(another))
            for one, another in ((flow.source, flow.destination), (flow.destination, flow.source))
        )

    def is_at(self, end: FlowEnd) -> bool:
        """Whether an end of a flow is this one."""
        return (
            self.is_everybody
            or f"{end.namespace}/{end.pod}" in self.pods
            or (bool(end.namespace) and f"{end.namespace}/" in self.pods)
            or end.ip in self.ips
            or any(_lies_in(end.ip, network) for network in self.ips if "/" in network)
            or not {name.rstrip(".") for name in end.names}.isdisjoint(self.names)
            or not set(end.labels).isdisjoint(self.labels)
        )

    @property
    def asked_for(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return pods and addresses that a source can narrow by, none where one end may be told otherwise.

        Fields of a match are ANDed, so an end that pods or addresses may tell is asked for by its pods alone.
        """
        if self.names or self.labels:
            return (), ()
        return (self.pods, ()) if self.pods else ((), self.ips)


def about_of(endpoint: EndpointName | None, namespace: str | None, so_far: Facts, side: Side) -> About | None:
    """Return whose flows are meant, None for a name that means nothing of which flows can be told.

    A node is an endpoint like others, or a word that is the name of no namespace; both None mean everybody.

    Raises:
        PartMissingError: if a part that tells the name was not read.
    """
    match endpoint:
        case None if namespace is None:
            return About()
        case None:
            if any(space.name == namespace for space in so_far.namespaces):
                return About(pods=(f"{namespace}/",))
            return About.of_node(str(namespace), so_far.nodes)
        case Named(kind=Kind.NODE, name=name):
            return About.of_node(name, so_far.nodes)
        case Address(cidr=cidr) if "/" in cidr:
            return About(ips=(cidr,))
        case Entity(name=name):
            return About(labels=telling_labels(name))
    found = resolve(endpoint, so_far, side, None, None)
    pods = selected_pods(found.service, so_far.pods) if found.service else found.pods
    # The address of a pod of the host's network is its node's.
    names = tuple(str(pod) for pod in pods if not pod.host_network)[:_MOST_PODS]
    addresses = (*found.addresses, *(found.node.cilium_ips if found.node else ()))
    if found.obstacle is not None:
        return None
    if names or addresses:
        return About(names, () if names else addresses)
    return About(names=(endpoint.name,)) if isinstance(endpoint, HostName) else None


def _lies_in(ip: str, cidr: str) -> bool:
    address, network = parse_address(ip), network_of(cidr)
    return address is not None and network is not None and address in network
