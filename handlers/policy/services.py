"""Resolving ``toServices``: the Services it names, as selectors and prefixes (pkg/policy/k8s/service.go)."""

from collections.abc import Iterable, Mapping

from handlers.model.rule import LabelSelector, Operator, Peer, PeerKind, PolicyRef, Requirement
from handlers.policy.cidr import cidr_selectors, network_of
from handlers.policy.config import PolicyConfig
from handlers.policy.selectors import RawRequirement, read_selector, service_selector
from handlers.policy.shapes import as_mapping, optional_mapping, text_of
from handlers.policy.surroundings import Service
from handlers.policy.syntax import label_key_fault, label_value_fault
from handlers.policy.versions import SERVICE_SELECTOR_LOSES_DOTS, SERVICE_SELECTORS

UNREAD_SERVICE = "service"
"""The source of requirements that stand in for Services that were not read; no label has it."""


def _selects(raw: tuple[RawRequirement, ...], labels: Mapping[str, str]) -> bool:
    """Match a Service's labels by their plain keys; a selector that cannot be compiled matches nothing."""
    for one in raw:
        if label_key_fault(one.key) or any(label_value_fault(value) for value in one.values):
            return False
        has, value = one.key in labels, labels.get(one.key)
        if one.operator is Operator.EXISTS:
            matched = has
        elif one.operator is Operator.DOES_NOT_EXIST:
            matched = not has
        elif one.operator is Operator.NOT_IN:
            matched = not has or value not in one.values
        else:
            matched = has and value in one.values
        if not matched:
            return False
    return True


class ServiceReference:
    """One entry of ``toServices``."""

    __slots__ = ("name", "namespace", "pointer", "selector")

    def __init__(self, item: object, pointer: str) -> None:
        """Read the entry; raises PolicyError. A label selector takes precedence over a name, as in the agent."""
        entry = as_mapping(item, pointer)
        self.pointer = pointer
        self.name = self.namespace = ""
        self.selector: tuple[RawRequirement, ...] | None = None
        by_selector = optional_mapping(entry, "k8sServiceSelector", pointer)
        by_name = optional_mapping(entry, "k8sService", pointer)
        if by_selector is not None:
            self.namespace = text_of(by_selector, "namespace", f"{pointer}/k8sServiceSelector")
            self.selector = read_selector(by_selector.get("selector"), f"{pointer}/k8sServiceSelector/selector")
        elif by_name is not None:
            self.namespace = text_of(by_name, "namespace", f"{pointer}/k8sService")
            self.name = text_of(by_name, "serviceName", f"{pointer}/k8sService")

    def __str__(self) -> str:
        """Write ``namespace/name``, or the labels that are asked for."""
        what = self.name if self.selector is None else f"services with {_written(self.selector)}"
        return f"{self.namespace}/{what}" if self.namespace else what

    def names(self, service: Service) -> bool:
        """Tell whether this Service is meant; an empty namespace means any."""
        if self.namespace and self.namespace != service.namespace:
            return False
        if self.selector is not None:
            return _selects(self.selector, service.labels)
        return bool(self.name) and self.name == service.name


def _written(raw: tuple[RawRequirement, ...]) -> str:
    return ",".join(f"{one.key}={one.values[0]}" if one.values else one.key for one in raw) or "any labels"


def unread_service_peer(reference: ServiceReference, policy: PolicyRef) -> Peer:
    """Stand in for a Service while the Services were not read: a requirement that is neither met nor missed."""
    requirement = Requirement(UNREAD_SERVICE, f"{policy}#{reference.pointer}", Operator.EXISTS)
    return Peer(PeerKind.SERVICE, (LabelSelector((requirement,)),), reference.pointer, str(reference))


def resolve(references: Iterable[ServiceReference], services: Iterable[Service], *, config: PolicyConfig) -> list[Peer]:
    """Give the peers that the references stand for: pods by the Service's selector, else its endpoints' addresses.

    Nothing resolved means no peer part at all, so that such a rule with ports is open to everybody (cilium#20067).
    """
    known = list(services)
    peers = []
    for reference in references:
        for service in known:
            if not reference.names(service):
                continue
            if service.selector and not config.holds(SERVICE_SELECTORS):
                continue
            if service.selector:
                selectors = (
                    service_selector(
                        service.selector,
                        namespace=service.namespace,
                        cluster=config.selector_cluster,
                        loses_dots=config.holds(SERVICE_SELECTOR_LOSES_DOTS),
                        pointer=reference.pointer,
                    ),
                )
                peers.append(
                    Peer(PeerKind.SERVICE, selectors, reference.pointer, f"{service.namespace}/{service.name}")
                )
                continue
            for address in service.endpoints:
                network = network_of(address)
                if network is not None:
                    peers.append(
                        Peer(
                            PeerKind.SERVICE,
                            cidr_selectors(network, (), config),
                            reference.pointer,
                            f"{service.namespace}/{service.name}",
                            cidr=str(network),
                        )
                    )
    return peers
