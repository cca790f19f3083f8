"""A place as policy sees it: its labels, from what Cilium itself published where that was read."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace

from handlers.connection.addresses import labels_on
from handlers.connection.endpoints import agent_endpoint_of_pod, endpoint_of_pod
from handlers.connection.legs import Leg, Place, PlaceKind
from handlers.connection.outside import known_addresses
from handlers.connection.policies import names_on, policies_of, policy_node
from handlers.connection.seen import is_at
from handlers.model.cluster import Node, Pod
from handlers.model.endpoint import EntityName
from handlers.model.facts import Facts
from handlers.model.flow import EventType, Flow, FlowDirection, FlowVerdict
from handlers.model.labels import LabelSet, Network, Source, pod_identity_labels
from handlers.model.parts import Part
from handlers.model.party import MissingFact, NamedPort, Party, PartyKind
from handlers.model.snapshot import Known
from handlers.policy.policy_set import PolicySet


@dataclass(frozen=True, slots=True)
class Assumed:
    """A party, and what had to be assumed to make it."""

    party: Party
    assumption: str = ""


_ENTITIES: dict[EntityName, tuple[PartyKind, tuple[str, ...]]] = {
    EntityName.WORLD: (PartyKind.OUTSIDE, ("world",)),
    EntityName.HOST: (PartyKind.HOST, ("host",)),
    EntityName.REMOTE_NODE: (PartyKind.REMOTE_NODE, ("remote-node",)),
    EntityName.KUBE_APISERVER: (PartyKind.KUBE_APISERVER, ("kube-apiserver", "remote-node")),
    EntityName.HEALTH: (PartyKind.HEALTH, ("health",)),
    EntityName.INIT: (PartyKind.INIT, ("init",)),
    EntityName.INGRESS: (PartyKind.INGRESS, ("ingress",)),
    EntityName.UNMANAGED: (PartyKind.UNMANAGED, ("unmanaged",)),
}


def parties_of(leg: Leg, *, at_source: bool, learns_names: bool, facts: Facts) -> Iterator[Assumed]:
    """Yield the parties that one end of a leg can be: several for a range, or for a name with several addresses.

    ``learns_names`` tells whether the source's DNS look-ups pass the agent's proxy, so that it would learn a name that
    it has not learnt yet.
    """
    place = leg.source if at_source else leg.destination
    other = leg.destination if at_source else leg.source
    policies = policies_of(facts)
    match place.kind:
        case PlaceKind.POD if place.pod:
            yield _of_pod(place, place.pod, policies, facts)
        case PlaceKind.NODE:
            yield Assumed(_of_node(place, policies, facts))
        case PlaceKind.ENTITY if place.entity:
            yield Assumed(_of_entity(place.entity))
        case PlaceKind.HOST_NAME:
            yield from _of_name(leg, learns_names=learns_names, policies=policies, facts=facts)
        case _:
            for cidr in place.ips:
                for address in _samples(cidr, policies):
                    yield Assumed(_of_address(address, other.node, (), policies, facts))


def _of_pod(place: Place, pod: Pod, policies: PolicySet, facts: Facts) -> Assumed:
    endpoint = endpoint_of_pod(place.pod, facts)
    ports = tuple(NamedPort(port.name, port.port, port.protocol) for port in pod.ports if port.name)
    if endpoint is not None and endpoint.labels:
        labels, assumption = LabelSet.parse(endpoint.labels), ""
    else:
        labels = _computed_labels(pod, policies, facts)
        assumption = f"pod {pod} has no CiliumEndpoint in reach; its identity is computed from its labels"
    kind = PartyKind.INIT if labels.has_reserved("init") else PartyKind.ENDPOINT
    party = Party(
        kind=kind,
        labels=labels,
        name=str(pod),
        ips=pod.ips,
        node=pod.node or "",
        named_ports=ports,
        identity=endpoint.identity if endpoint else None,
        unfiltered=tuple(sorted(pod.labels.items())),
        audit=_audit(place, facts),
    )
    return Assumed(party, assumption)


def _computed_labels(pod: Pod, policies: PolicySet, facts: Facts) -> LabelSet:
    space = next((space for space in facts.namespaces if space.name == pod.namespace), None)
    return pod_identity_labels(
        pod_labels=pod.labels,
        namespace=pod.namespace,
        namespace_labels=space.labels if space else {},
        service_account=pod.service_account,
        cluster=policies.config.cluster_name,
        label_filter=policies.config.label_filter,
    )


def _audit(place: Place, facts: Facts) -> bool | None:
    """Return whether the endpoint audits instead of enforcing: its agent says so, or its own verdict events do."""
    endpoint = agent_endpoint_of_pod(place.pod, facts)
    if endpoint and endpoint.audit is not None:
        return endpoint.audit
    look = facts.look(Part.FLOWS)
    if not isinstance(look, Known):
        return None
    flows: tuple[Flow, ...] = look.value.flows
    verdicts = [flow for flow in flows if _is_verdict_of(flow, place) and flow.verdict in _DENIALS]
    newest = max(verdicts, key=lambda flow: flow.time, default=None)
    return None if newest is None else newest.verdict is FlowVerdict.AUDIT


_DENIALS = (FlowVerdict.AUDIT, FlowVerdict.DROPPED)


def _is_verdict_of(flow: Flow, place: Place) -> bool:
    subject = flow.source if flow.direction is FlowDirection.EGRESS else flow.destination
    return flow.event_type == EventType.POLICY_VERDICT and is_at(subject, place)


def _of_node(place: Place, policies: PolicySet, facts: Facts) -> Party:
    node: Node | None = next((node for node in facts.nodes if node.name == place.node), None)
    if node is None:
        return Party(PartyKind.REMOTE_NODE, LabelSet.reserved("remote-node"), name=place.title, ips=place.ips)
    return policies.party_of_node(policy_node(node))


def _of_entity(entity: EntityName) -> Party:
    kind, labels = _ENTITIES[entity]
    return Party(
        kind=kind,
        labels=LabelSet.reserved(*labels),
        name=str(entity),
        managed=kind in (PartyKind.HEALTH, PartyKind.INIT, PartyKind.INGRESS),
        host_labels=LabelSet.reserved("host") if kind is PartyKind.HOST else None,
    )


def _of_address(address: str, viewer: str | None, learnt: tuple[str, ...], policies: PolicySet, facts: Facts) -> Party:
    """Return the party of an address outside in the eyes of one node.

    Where that node's own labels for it are known, they settle which DNS rules and CIDR groups mean it.
    """
    labels = labels_on(viewer, address, facts)
    if labels is None:
        names = names_on(viewer, address, facts)
        return policies.party_of_ip(address, None if names is None and not learnt else (*(names or ()), *learnt))
    party = policies.party_of_ip(address, learnt)
    settled = [label for label in LabelSet.parse(labels) if label.source in (Source.FQDN, Source.CIDR_GROUP)]
    return replace(
        party,
        labels=party.labels.with_labels(settled),
        missing=party.missing - {MissingFact.CIDR_GROUPS, MissingFact.DNS_NAMES},
    )


def _of_name(leg: Leg, *, learns_names: bool, policies: PolicySet, facts: Facts) -> Iterator[Assumed]:
    name = leg.destination.host_name
    addresses = known_addresses(leg, facts)
    for address in addresses:
        learnt = (name,) if learns_names else ()
        yield Assumed(_of_address(address, leg.source.node, learnt, policies, facts))
    if not addresses:
        yield Assumed(
            Party(
                kind=PartyKind.OUTSIDE,
                labels=LabelSet.reserved("world"),
                name=name,
                managed=False,
                fqdn_names=(name,) if learns_names else (),
                missing=frozenset({MissingFact.ADDRESS, MissingFact.CIDR_GROUPS}),
            ),
            f"the address of {name} is not known; only rules by name and by entity can be judged",
        )


def _samples(cidr: str, policies: PolicySet) -> Iterator[str]:
    """Yield addresses of a range that stand for all of it: one for each piece into which policies' prefixes cut it."""
    network: Network = ipaddress.ip_network(cidr, strict=False)
    found = {int(network.network_address)}
    for prefix in policies.addresses.prefixes.values():
        if prefix.version == network.version and prefix.subnet_of(network):  # type: ignore[arg-type]
            found |= {int(prefix.network_address), int(prefix.broadcast_address) + 1}
    last = int(network.broadcast_address)
    kind = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
    yield from (str(kind(number)) for number in sorted(found) if number <= last)
