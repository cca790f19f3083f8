"""All ends of a cluster under its policies, numbered: pods by identity, nodes, entities, and pieces of the outside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from handlers.model.party import Party, PartyKind
from handlers.policy.parties import party_of_host
from handlers.policy.policy_set import PolicySet
from handlers.policy.surroundings import Node
from handlers.policy.views import is_local_node
from handlers.reach.cluster import Cluster, reserved_parties
from handlers.reach.ends import ClusterEnd, PodEnds, likeness, unambiguous
from handlers.reach.outside import listed, outside_addresses, outside_title


@dataclass(frozen=True, slots=True)
class Roster:
    """All ends, numbered by position, pods first. Rosters of one cluster under other policies number them alike."""

    ends: tuple[ClusterEnd, ...]
    is_whole: bool = True
    """False when the outside had to be left out in part."""

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
    groups: dict[tuple[object, ...], list[int]] = {}
    for number in range(len(states[0][0].pods)):
        alike = tuple(likeness(cluster.pods[number].party) for cluster, _ in states)
        groups.setdefault(alike, []).append(number)
    pods = [
        PodEnds.of([cluster.pods[number] for number in numbers] for numbers in groups.values()) for cluster, _ in states
    ]
    return with_others(pods, [Surrounded(policies, cluster.learnt) for cluster, policies in states])


@dataclass(frozen=True, slots=True)
class Surrounded:
    """What tells the ends apart that are no pods: policies, and the DNS names that addresses are known by."""

    policies: PolicySet
    learnt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def outside(self, address: str) -> Party:
        """Give whom an address outside belongs to; the labels of its names stand among its labels."""
        party = self.policies.party_of_ip(address, self.learnt.get(address))
        return replace(party, labels=self.policies.labels_seen(party, party))


def with_others(
    pods: Sequence[PodEnds],
    states: Sequence[Surrounded],
    asked: Iterable[tuple[Party, ...]] = (),
) -> tuple[Roster, ...]:
    """Give the rosters of several states of one cluster: these pods, and everybody else.

    ``asked`` are further ends, each as it is in every state.
    """
    policies = [state.policies for state in states]
    caches = [state.policies.surroundings.fqdn_cache or {} for state in states]
    special = {ip: None for cache in caches for ips in cache.values() for ip in ips}
    special |= {ip: None for state in states for ip in state.learnt}
    addresses, is_whole = outside_addresses(policies, special, pods[0].addresses)
    others = _Others()
    for node in policies[0].surroundings.nodes or ():
        others.add(node.name, (_host(node, one) for one in policies))
    if not others.slots:
        others.add("", (_host(None, one) for one in policies))
    for node in policies[0].surroundings.nodes or ():
        for address in node.ips or ("",):
            # Seen from other nodes: as its own pods see it, it is the host.
            others.add(node.name, (_bare(one.party_of_node(node, address), one) for one in policies))
    for parties in zip(*(reserved_parties(one) for one in policies), strict=True):
        others.add(parties[0].name, parties)
    for address in addresses:
        others.add(address, (state.outside(address) for state in states))
    for parties in asked:
        others.add(parties[0].ips[0] if parties[0].ips else parties[0].name, parties)
    return tuple(
        Roster((*found.ends, *unambiguous(others.ends(number))), is_whole) for number, found in enumerate(pods)
    )


class _Others:
    """Ends that are no pods: those that are alike in every state are one."""

    def __init__(self) -> None:
        self.slots: dict[tuple[object, ...], tuple[tuple[Party, ...], list[str]]] = {}

    def add(self, name: str, parties: Iterable[Party]) -> None:
        found = tuple(parties)
        _, names = self.slots.setdefault(tuple(map(likeness, found)), (found, []))
        if name not in names:
            names.append(name)

    def ends(self, state: int) -> Iterator[ClusterEnd]:
        hosts = sum(parties[0].kind is PartyKind.HOST for parties, _ in self.slots.values())
        for parties, names in self.slots.values():
            party = parties[state]
            is_outside = party.kind is PartyKind.OUTSIDE
            title = names[0]
            if is_outside:
                title = party.name or outside_title(party, names)
            elif party.kind is PartyKind.HOST:
                title = "host" if hosts == 1 else f"host {listed(names)}"
            elif party.kind is PartyKind.NODE:
                title = f"node {listed(names)}"
            yield ClusterEnd(replace(party, name=title), title, addresses=tuple(names) if is_outside else ())


def _host(node: Node | None, policies: PolicySet) -> Party:
    return _bare(party_of_host(node, policies.addresses), policies)


def _bare(node: Party, policies: PolicySet) -> Party:
    """Give a node under no particular name; by which labels host policies select it matters with a host firewall."""
    own = node.host_labels if policies.config.host_firewall else None
    return replace(node, name="", ips=(), node="", host_labels=own)


def number_of(pods: PodEnds, rosters: Sequence[Roster], parties: Sequence[Party], viewer: Party) -> int | None:
    """Give the number of the end that a party is in the eyes of another; ``parties`` are it in the first rosters."""
    number = pods.find(parties[0]) if parties[0].kind is PartyKind.ENDPOINT else None
    return _other_number(rosters, parties, viewer) if number is None else number


def _other_number(rosters: Sequence[Roster], parties: Sequence[Party], viewer: Party) -> int | None:
    local = is_local_node(parties[0], viewer)
    for number, end in enumerate(rosters[0].ends):
        if (
            (end.party.kind is PartyKind.HOST) is local
            and not end.pods
            and all(
                _looks_like(roster.ends[number].party, party, local=local)
                for roster, party in zip(rosters, parties, strict=False)
            )
        ):
            return number
    return None


def _looks_like(known: Party, party: Party, *, local: bool) -> bool:
    # Without a host firewall the labels of the host itself do not matter and are not kept.
    if known.host_labels not in (None, party.host_labels):
        return False
    if local:
        return (known.local_labels or known.labels) == (party.local_labels or party.labels)
    return known.labels == party.labels and (known.fqdn_names is None) == (party.fqdn_names is None)


def as_seen_by(policies: PolicySet, party: Party, names: tuple[str, ...] = ()) -> Party:
    """Give the party as a set of policies sees it: prefixes that only they know change the identity of an address.

    ``names`` are further DNS names that the address has got by then.
    """
    known = tuple(dict.fromkeys((*(party.fqdn_names or ()), *names))) if names else party.fqdn_names
    if party.kind is PartyKind.OUTSIDE:
        seen = policies.party_of_ip(party.ips[0], known or ()) if party.ips else party
        seen = replace(seen, name=party.name, fqdn_names=known, missing=party.missing)
        return replace(seen, labels=policies.labels_seen(seen, seen))
    matches = policies.config.cidr_matches_nodes
    if matches and party.kind is PartyKind.NODE and party.ips:
        seen = policies.party_of_ip(party.ips[0], known or ())
        return replace(party, labels=seen.labels, local_labels=seen.local_labels)
    if matches and party.kind is PartyKind.HOST:
        labels = policies.addresses.local_labels(policies.node_named(party.node))
        return replace(party, labels=labels, local_labels=labels)
    return party
