"""The ends of a cluster, one for each identity: pods with equal labels have one policy and are one end."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from handlers.model.labels import LabelSet, Network, Source
from handlers.model.party import Party, PartyKind
from handlers.policy.parties import party_of_host
from handlers.policy.policy_set import PolicySet
from handlers.reach.cluster import Cluster, ClusterPod, reserved_parties

MOST_OUTSIDE = 3000
"""Ends outside the cluster; beyond, the prefixes of the policies are too many to take apart."""

_WORLDS = {4: "192.0.2.1", 6: "2001:db8::1"}


@dataclass(frozen=True, slots=True)
class ClusterEnd:
    """One end of flows: an identity with the pods that bear it, an entity, or a piece of the outside."""

    party: Party
    title: str
    pods: tuple[ClusterPod, ...] = ()
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Give the title."""
        return self.title

    @property
    def namespace(self) -> str:
        """The namespace of its pods, or nothing."""
        return self.pods[0].namespace if self.pods else ""


@dataclass(frozen=True, slots=True)
class Roster:
    """All ends, numbered by position. Several rosters of one cluster under other policies number them alike."""

    ends: tuple[ClusterEnd, ...]
    is_whole: bool = True
    """False when the outside had to be left out in part."""
    number_of_pod: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def parties(self) -> tuple[Party, ...]:
        """The ends as parties."""
        return tuple(end.party for end in self.ends)


def roster(cluster: Cluster, policies: PolicySet) -> Roster:
    """Give the ends of a cluster under its policies."""
    return rosters(((cluster, policies),))[0]


def rosters(states: Sequence[tuple[Cluster, PolicySet]]) -> tuple[Roster, ...]:
    """Give the ends of several states of one cluster, numbered alike: same pods and addresses, maybe other labels.

    Pods that differ in any state are different ends in all.
    """
    columns = [_Column(cluster, policies) for cluster, policies in states]
    samples, is_whole = _samples([policies for _, policies in states], [cluster for cluster, _ in states])
    pods: dict[tuple[object, ...], list[int]] = {}
    for number, _ in enumerate(states[0][0].pods):
        parties = [column.pods[number] for column in columns]
        pods.setdefault(tuple(_likeness(party) for party in parties), []).append(number)
    addresses: dict[tuple[object, ...], list[str]] = {}
    for address in samples:
        likeness = tuple(_likeness(column.outside(address)) for column in columns)
        addresses.setdefault(likeness, []).append(address)
    return tuple(column.roster(list(pods.values()), list(addresses.values()), is_whole) for column in columns)


def _likeness(party: Party) -> tuple[object, ...]:
    """Give what two parties must share to be one end."""
    kind = party.kind
    return (
        kind,
        party.labels,
        party.managed,
        party.host_labels,
        party.local_labels,
        party.named_ports,
        party.fqdn_names if kind is PartyKind.OUTSIDE else (),
        party.missing,
    )


class _Column:
    """One state of the cluster."""

    def __init__(self, cluster: Cluster, policies: PolicySet) -> None:
        self._cluster = cluster
        self._policies = policies
        self.pods = [_anywhere(pod.party) for pod in cluster.pods]

    def outside(self, address: str) -> Party:
        return self._policies.party_of_ip(address, self._cluster.learnt.get(address))

    def roster(self, pods: list[list[int]], addresses: list[list[str]], is_whole: bool) -> Roster:
        ends = [self._pod_end(numbers) for numbers in pods]
        ends.extend(self._nodes())
        ends.extend(ClusterEnd(party, party.name) for party in reserved_parties(self._policies))
        ends.extend(self._outside_end(group) for group in addresses)
        titled = tuple(_unambiguous(ends))
        number_of_pod = {str(pod): number for number, end in enumerate(titled) for pod in end.pods}
        return Roster(titled, is_whole, number_of_pod)

    def _pod_end(self, numbers: list[int]) -> ClusterEnd:
        pods = tuple(self._cluster.pods[number] for number in numbers)
        first = pods[0]
        name = first.name if len(pods) == 1 else first.workload or first.app or first.name
        title = f"{first.namespace}/{name}"
        if first.host_network:
            title = f"{title} (host network)"
        return ClusterEnd(replace(self.pods[numbers[0]], name=title, ips=()), title, pods)

    def _nodes(self) -> Iterator[ClusterEnd]:
        """Give each kind of host as its own pods see it, and each node that others see with labels of its own."""
        book = self._policies.addresses
        hosts: dict[tuple[LabelSet | None, LabelSet | None], Party] = {}
        names: dict[tuple[LabelSet | None, LabelSet | None], list[str]] = {}
        remote: dict[LabelSet, list[Party]] = {}
        for node in self._cluster.surroundings.nodes or ():
            party = self._policies.party_of_node(node)
            if party.managed:
                key = (party.local_labels, party.host_labels)
                hosts.setdefault(key, party_of_host(node, book))
                names.setdefault(key, []).append(node.name)
            remote.setdefault(party.labels, []).append(party)
        if not hosts:
            yield ClusterEnd(party_of_host(None, book), "host")
        for key, party in hosts.items():
            title = "host" if len(hosts) == 1 else f"host {_listed(names[key])}"
            yield ClusterEnd(replace(party, name=title, node=""), title)
        for parties in remote.values():
            title = f"node {_listed([party.name for party in parties])}"
            # Seen from other nodes: as its own pods see it, it is the host.
            yield ClusterEnd(replace(parties[0], name=title, ips=(), node="", managed=False), title)

    def _outside_end(self, group: list[str]) -> ClusterEnd:
        party = self.outside(group[0])
        title = _outside_title(party, group)
        return ClusterEnd(replace(party, name=title), title, addresses=tuple(group))


def _anywhere(party: Party) -> Party:
    """Give the party without the node that it runs on: an identity may run on any."""
    return replace(party, node="", ips=(), identity=None, unfiltered=party.unfiltered)


def _outside_title(party: Party, group: list[str]) -> str:
    if party.fqdn_names:
        return _listed(party.fqdn_names)
    prefixes = sorted(label.key for label in party.labels if label.source == Source.CIDR)
    groups = sorted(label.key.rpartition("/")[2] for label in party.labels if label.source == Source.CIDR_GROUP)
    if party.labels.has_reserved("kube-apiserver"):
        return f"kube-apiserver {group[0]}"
    if prefixes:
        return prefixes[-1].replace("-", ":") + (f" (group {groups[0]})" if groups else "")
    return "world" if "." in group[0] else "world over IPv6"


def _listed(names: Iterable[str], most: int = 2) -> str:
    found = list(names)
    shown = ", ".join(found[:most])
    return shown if len(found) <= most else f"{shown} and {len(found) - most} more"


def _unambiguous(ends: Iterable[ClusterEnd]) -> Iterator[ClusterEnd]:
    """Tell ends of one title apart by a number."""
    seen: dict[str, int] = {}
    for end in ends:
        seen[end.title] = seen.get(end.title, 0) + 1
        count = seen[end.title]
        title = end.title if count == 1 else f"{end.title} #{count}"
        yield end if count == 1 else replace(end, title=title, party=replace(end.party, name=title))


def _samples(sets: Sequence[PolicySet], clusters: Sequence[Cluster]) -> tuple[list[str], bool]:
    """Give an address for each piece into which the known prefixes cut the outside, and those with known names."""
    taken = {ip for cluster in clusters for pod in cluster.pods for ip in pod.party.ips}
    networks: dict[tuple[int, int, int], Network] = {}
    for policies in sets:
        networks.update(policies.addresses.prefixes)
    versions = [4, 6] if any(policies.config.ipv6 for policies in sets) else [4]
    found: dict[str, None] = {_WORLDS[version]: None for version in versions}
    for network in networks.values():
        last = int(network.broadcast_address)
        kind = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
        for number in (int(network.network_address), last + 1):
            if number < 1 << network.max_prefixlen:
                found[str(kind(number))] = None
    for cluster in clusters:
        found.update(dict.fromkeys(cluster.learnt))
        found.update(dict.fromkeys(cluster.surroundings.kube_apiserver or ()))
        for addresses in (cluster.surroundings.fqdn_cache or {}).values():
            found.update(dict.fromkeys(addresses))
    nodes = {ip for cluster in clusters for node in cluster.surroundings.nodes or () for ip in node.ips}
    kept = [address for address in found if address not in taken and address not in nodes and _is_address(address)]
    return kept[:MOST_OUTSIDE], len(kept) <= MOST_OUTSIDE


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
