"""A place as policy sees it: its labels, from what Cilium itself published where that was read."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace

from handlers.connection.addresses import known_addresses, labels_on
from handlers.connection.legs import Leg
from handlers.connection.places import Place, PlaceKind
from handlers.connection.policies import names_on, policies_of
from handlers.connection.seen_identity import seen_otherwise, was_seen_as_computed
from handlers.model.cluster import Pod
from handlers.model.endpoint import EntityName
from handlers.model.facts import Facts
from handlers.model.labels import LabelSet, Network, Source
from handlers.model.party import MissingFact, Party
from handlers.policy.parties import party_of_host_name
from handlers.policy.pods import is_published, pod_party
from handlers.policy.policy_set import PolicySet


@dataclass(frozen=True, slots=True)
class Assumed:
    """A party, and what had to be assumed to make it."""

    party: Party
    assumption: str = ""


def parties_of(leg: Leg, *, at_source: bool, learns_names: bool, facts: Facts) -> Iterator[Assumed]:
    """Yield the parties that one end of a leg can be: several for a range, or for a name with several addresses.

    ``learns_names`` tells whether the source's DNS look-ups pass the agent's proxy, so that it would learn a name that
    it has not learnt yet.
    """
    place = leg.source if at_source else leg.destination
    other = leg.destination if at_source else leg.source
    policies = policies_of(facts)
    others = seen_otherwise(leg, at_source=at_source, facts=facts)
    for seen in others:
        yield Assumed(
            seen.party, f"{seen.node} saw {seen.address} as {seen.in_words}, which outweighs what is computed"
        )
    if others and place.by_address and not was_seen_as_computed(leg, at_source=at_source, facts=facts):
        return
    match place.kind:
        case PlaceKind.POD if place.pod:
            yield _of_pod(place.pod, policies, facts)
        case PlaceKind.NODE:
            yield Assumed(policies.party_of_node_named(place.node, title=place.title, ips=place.ips))
        case PlaceKind.ENTITY if place.entity:
            for version in _ip_versions(place.entity, policies):
                yield Assumed(policies.party_of_entity(place.entity, beside=other.node, ip_version=version))
        case PlaceKind.FORWARDED:
            assumption = f"{place.title} is the world to policy: no address goes with it through the tunnel"
            for version in sorted({6 if ":" in ip else 4 for ip in place.ips} or {4}):
                yield Assumed(policies.party_of_entity(EntityName.WORLD, ip_version=version), assumption)
        case PlaceKind.HOST_NAME:
            yield from _of_name(place, leg.source.node, learns_names=learns_names, policies=policies, facts=facts)
        case _:
            for cidr in place.ips:
                for address in _samples(cidr, policies):
                    yield Assumed(_of_address(address, other.node, (), policies, facts))


def _of_pod(pod: Pod, policies: PolicySet, facts: Facts) -> Assumed:
    assumption = f"pod {pod} has no CiliumEndpoint in reach; its identity is computed from its labels"
    return Assumed(pod_party(pod, facts, policies), "" if is_published(pod, facts) else assumption)


def _ip_versions(entity: EntityName, policies: PolicySet) -> tuple[int, ...]:
    """Return the IP versions in which an entity is somebody else each time: the world's, with dual stack."""
    return (4, 6) if entity is EntityName.WORLD and policies.config.dual_stack else (4,)


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


def _of_name(
    place: Place, viewer: str | None, *, learns_names: bool, policies: PolicySet, facts: Facts
) -> Iterator[Assumed]:
    name = place.host_name
    addresses = known_addresses(place, viewer, facts)
    for address in addresses:
        learnt = (name,) if learns_names else ()
        yield Assumed(_of_address(address, viewer, learnt, policies, facts))
    for version in () if addresses else _ip_versions(EntityName.WORLD, policies):
        yield Assumed(
            party_of_host_name(
                name, policies.addresses, fqdn_names=(name,) if learns_names else (), ip_version=version
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
