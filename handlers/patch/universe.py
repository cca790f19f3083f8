"""Everybody whose flows a patch could change: pods by identity, nodes, entities, and classes of outside addresses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from handlers.model.endpoint import EntityName
from handlers.model.party import Party, PartyKind
from handlers.patch.ground import Ground
from handlers.patch.known import KnownIdentity
from handlers.patch.outside import Outside
from handlers.policy.entities import IN_CLUSTER
from handlers.policy.parties import party_of_host
from handlers.policy.policy_set import PolicySet
from handlers.policy.views import is_local_node


@dataclass(frozen=True, slots=True)
class Member:
    """One identity, as the old and as the new policies see it: a new prefix gives an address another identity."""

    title: str
    before: Party
    after: Party
    count: int = 1
    samples: tuple[str, ...] = ()

    @property
    def is_pod(self) -> bool:
        """Whether it is an ordinary pod, of which there can be several."""
        return self.before.kind is PartyKind.ENDPOINT

    @property
    def is_own_node(self) -> bool:
        """Whether it is "the node of the other end": nobody but pods talks to it under that name."""
        return self.before.kind is PartyKind.HOST

    @property
    def is_node(self) -> bool:
        """Whether it is a node, under whatever name."""
        return self.before.kind in (PartyKind.HOST, PartyKind.NODE, PartyKind.REMOTE_NODE, PartyKind.KUBE_APISERVER)


class Universe:
    """The members: pods first, in the order of the ground's bits, then everybody else."""

    def __init__(self, ground: Ground, others: Iterable[Member], old: PolicySet) -> None:
        """Number the members; ``old`` are the policies as they are."""
        self.ground = ground
        self._old = old
        self.others = tuple(others)
        self._pods: dict[int, Member] = {}

    @property
    def first_other(self) -> int:
        """The number of the first member that is no pod."""
        return len(self.ground.identities)

    def __len__(self) -> int:
        return self.first_other + len(self.others)

    def __getitem__(self, number: int) -> Member:
        if number >= self.first_other:
            return self.others[number - self.first_other]
        found = self._pods.get(number)
        if found is None:
            identity = self.ground.identities[number]
            party = identity.party
            found = self._pods[number] = Member("", party, party, identity.count, identity.samples)
        return found

    def find(self, party: Party, other: Party, after: Party | None = None) -> int | None:
        """Give the member that a party is in the eyes of the other end.

        ``after`` is the party as the new policies see it: a new prefix tells apart what was one identity before.
        """
        if party.kind is PartyKind.ENDPOINT:
            return self.ground.position_of(party.labels, _identity(party))
        local = is_local_node(party, other)
        if party.kind is PartyKind.OUTSIDE:
            party = as_seen_by(self._old, party)
        best: tuple[bool, int] | None = None
        for number, member in enumerate(self.others, self.first_other):
            if member.is_own_node != local or not _looks_alike(member, party, after, local=local):
                continue
            # Without a host firewall the labels of the host itself do not matter and are not kept.
            exact = member.before.host_labels == party.host_labels
            if member.before.host_labels in (None, party.host_labels) and (best is None or exact > best[0]):
                best = (exact, number)
        return best[1] if best else None


def _looks_alike(member: Member, party: Party, after: Party | None, *, local: bool) -> bool:
    before = member.before
    if local:
        return (before.local_labels or before.labels) == (party.local_labels or party.labels)
    return before.labels == party.labels and (after is None or member.after.labels == after.labels)


def _identity(party: Party) -> KnownIdentity:
    return KnownIdentity(party.labels, 1, (party.name,), party.named_ports, party.managed)


def ground_of(identities: Iterable[KnownIdentity], asked: Iterable[Party]) -> Ground:
    """Index the identities in use, and the asked pods where they are not among them."""
    ground = Ground(identities)
    for party in asked:
        if party.kind is PartyKind.ENDPOINT and ground.position_of(party.labels, _identity(party)) is None:
            ground = Ground((*ground.identities, _identity(party)))
    return ground


class Scene:
    """What surrounds one asked flow: everything of the universe that no edit of policies changes."""

    def __init__(self, ground: Ground, old: PolicySet, ends: tuple[Party, Party], outside: Iterable[Party]) -> None:
        """Prepare the universe of an asked flow; ``outside`` are further addresses with their DNS names."""
        self.ground = ground
        self._old = old
        self._ends = ends
        self._named = tuple(party for party in outside if party.kind is PartyKind.OUTSIDE and party.ips)
        asked = [ip for end in ends if end.kind is PartyKind.OUTSIDE for ip in end.ips]
        self._outside = Outside(old, asked)
        self._fixed = (*_entities(ends, old), *(() if old.config.cidr_matches_nodes else _nodes(old, old)))

    def universe(self, new: PolicySet, ends: tuple[Party, Party]) -> Universe:
        """Gather the members for a change to new policies; ``ends`` are the asked ones as those see them."""
        addresses = [
            Member(str(before), as_seen_by(self._old, before), after)
            for before, after in zip(self._ends, ends, strict=True)
            if before.kind is PartyKind.OUTSIDE
        ]
        found: dict[tuple[object, ...], Member] = {}
        for member in (
            *addresses,
            *(_nodes(self._old, new) if self._old.config.cidr_matches_nodes else ()),
            *self._fixed,
            *(Member(str(party), as_seen_by(self._old, party), as_seen_by(new, party)) for party in self._named),
            *(Member(*one) for one in self._outside.classes(new)),
        ):
            found.setdefault(_essence(member), member)
        universe = Universe(self.ground, found.values(), self._old)
        source, destination = self._ends
        missing = [
            Member(str(end), as_seen_by(self._old, end), after)
            for end, other, after in ((source, destination, ends[0]), (destination, source, ends[1]))
            if end.kind is not PartyKind.ENDPOINT and universe.find(end, other) is None
        ]
        return Universe(self.ground, (*universe.others, *missing), self._old) if missing else universe


def _essence(member: Member) -> tuple[object, ...]:
    """Give what policy can see of a member; whose policy a node is under matters only with the host firewall."""
    seen = [
        (party.labels, party.local_labels if member.is_own_node else None, party.fqdn_names is None, party.missing)
        for party in (member.before, member.after)
    ]
    managed = member.before.host_labels is not None if member.is_node else member.before.managed
    return (member.is_own_node, member.before.host_labels, managed, *seen)


def _entities(ends: tuple[Party, Party], policies: PolicySet) -> Iterator[Member]:
    """Give what is no pod and no address; an asked end says itself whether it is under policy here."""
    for name in IN_CLUSTER:
        if name is not EntityName.HOST:
            party = policies.party_of_entity(name)
            asked = next((end for end in ends if end.kind is party.kind), party)
            party = replace(party, managed=asked.managed)
            yield Member(name, party, party)


def _nodes(old: PolicySet, new: PolicySet) -> Iterator[Member]:
    nodes = tuple(old.surroundings.nodes or ())
    for node in (*nodes, None):
        if node is not None and node.cluster not in ("", old.config.cluster_name):
            continue
        hosts = (replace(party_of_host(node, one.addresses), node="") for one in (old, new))
        before, after = (host if old.config.host_firewall else replace(host, host_labels=None) for host in hosts)
        if node is not None or not nodes:
            yield Member("host", before, after)
    for node in nodes:
        for address in node.ips or ("",):
            seen = (policies.party_of_node(node, address) for policies in (old, new))
            before, after = (_without_host_labels(party, old) for party in seen)
            yield Member(f"node {node.name}", before, after)


def _without_host_labels(party: Party, policies: PolicySet) -> Party:
    """Labels of the host matter only where the host firewall is on; without them like nodes are one member."""
    return party if policies.config.host_firewall else replace(party, host_labels=None, local_labels=None)


def as_seen_by(policies: PolicySet, party: Party, names: tuple[str, ...] | None = None) -> Party:
    """Give the party as a set of policies sees it: prefixes that only they know change the identity of an address.

    ``names`` are further DNS names that the address has got by then.
    """
    known = party.fqdn_names
    if names:
        known = tuple(dict.fromkeys((*(known or ()), *names)))
    if party.kind is PartyKind.OUTSIDE:
        seen = policies.party_of_ip(party.ips[0], known or ()) if party.ips else party
        seen = replace(seen, name=party.name, fqdn_names=known, missing=party.missing)
        # The labels of its names stand among its labels, so that equal labels are one identity.
        return replace(seen, labels=policies.labels_seen(seen, seen))
    if party.kind is PartyKind.NODE and policies.config.cidr_matches_nodes and party.ips:
        seen = policies.party_of_ip(party.ips[0], known or ())
        return replace(party, labels=seen.labels, local_labels=seen.local_labels)
    if party.kind is PartyKind.HOST and policies.config.cidr_matches_nodes:
        node = next((one for one in policies.surroundings.nodes or () if one.name == party.node), None)
        seen_labels = policies.addresses.local_labels(node)
        return replace(party, labels=seen_labels, local_labels=seen_labels)
    return party
