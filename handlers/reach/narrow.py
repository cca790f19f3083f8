"""What a change of a few policies does, without laying out the whole cluster: what ``compare`` says, sooner.

Only subjects that a changed rule selects can have another policy than before. One of those with the same rules stands
for all, and one peer for all whom no rule of theirs tells apart. Between these few the two states are compared side by
side; what opens on a side is then compared whole, with everybody who is concerned.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from handlers.model.party import Party, PartyKind
from handlers.model.rule import Direction, LabelSelector, PeerScope, PolicyRef, Rule, SubjectKind
from handlers.policy.policy_set import PolicySet
from handlers.policy.services import UNREAD_SERVICE
from handlers.policy.views import NODE_KINDS, is_under_policy, own_labels
from handlers.reach.access import Access, Widening, access, widening_of
from handlers.reach.bits import bit_set, members, partition
from handlers.reach.compare import NODES, FlowChange, flow_changes
from handlers.reach.ends import PodEnds
from handlers.reach.matrix import Matrix
from handlers.reach.port_classes import PortClass, port_classes
from handlers.reach.roster import Roster


@dataclass(frozen=True, slots=True)
class SideChange:
    """One side that lets through something else: for each of these subjects, each of these peers (sets of ends)."""

    direction: Direction
    subjects: int
    peers: int
    ports: PortClass
    before: Access
    after: Access
    widening: Widening


def changed_rules(old: PolicySet, new: PolicySet, policies: Iterable[PolicyRef]) -> tuple[Rule, ...]:
    """Give the rules of these policies that are in only one of the two sets."""
    touched = frozenset(policies)
    before = [rule for rule in old.rules if rule.origin.policy in touched]
    after = [rule for rule in new.rules if rule.origin.policy in touched]
    return (*(rule for rule in before if rule not in after), *(rule for rule in after if rule not in before))


class Narrowed:
    """Two sets of policies over one cluster, which differ in the ``changed`` rules only.

    ``pods`` are the pods of both ``rosters``, the ends under the old and under the new policies.
    """

    def __init__(
        self, policies: tuple[PolicySet, PolicySet], pods: PodEnds, rosters: Sequence[Roster], changed: Sequence[Rule]
    ) -> None:
        self.policies = policies
        self.rosters = rosters
        self.changed = tuple(changed)
        self.pods = pods
        self._others = range(len(pods.ends), len(rosters[0].ends))

    @cached_property
    def sides(self) -> tuple[SideChange, ...]:
        """Everything that changes on one side, whatever the other side does."""
        return tuple(change for direction in Direction for change in self._of_direction(direction))

    @cached_property
    def flows(self) -> tuple[FlowChange, ...]:
        """Every flow that changes: both sides taken into account."""
        concerned = 0
        for change in self.sides:
            concerned |= change.subjects | change.peers
        numbers = members(concerned)
        matrices = self._matrices(numbers)
        changes, _ = flow_changes(*matrices, [self.rosters[1].ends[number] for number in numbers])
        return changes

    def alike(self, number: int | None) -> frozenset[int]:
        """Give all ends that no policy could tell from one: an address and its prefix, a node and its kind."""
        if number is None:
            return frozenset()
        own = self._essence(number)
        candidates = (number,) if number < len(self.pods.ends) else self._others
        return frozenset(one for one in candidates if self._essence(one) == own)

    def _essence(self, number: int) -> list[tuple[object, ...]]:
        parties = (roster.ends[number].party for roster in self.rosters)
        return [
            (
                party.kind is PartyKind.HOST,
                party.labels,
                party.host_labels,
                party.fqdn_names is None,
                party.missing,
                is_under_policy(party, self.policies[0].config),
            )
            for party in parties
        ]

    def touches(self, direction: Direction, source: int, destination: int) -> bool:
        """Tell whether one side of a pair lets through something else."""
        subject, peer = (source, destination) if direction is Direction.EGRESS else (destination, source)
        return any(
            change.subjects >> subject & change.peers >> peer & 1
            for change in self.sides
            if change.direction is direction
        )

    def _parties(self, numbers: Sequence[int]) -> tuple[list[Party], list[Party]]:
        old, new = ([roster.ends[number].party for number in numbers] for roster in self.rosters)
        return old, new

    def _matrices(self, numbers: Sequence[int]) -> tuple[Matrix, Matrix]:
        """Compile both sets of policies for these ends alone."""
        sides = zip(self.policies, self._parties(numbers), strict=True)
        old, new = (Matrix(policies, parties, _selecting(policies, parties)) for policies, parties in sides)
        return old, new

    def subjects(self, direction: Direction) -> int:
        """Give the ends whose policy changes in a direction."""
        rules = [rule for rule in self.changed if rule.direction is direction]
        found = 0
        for selector in {rule.subject.selector for rule in rules if rule.subject.kind is SubjectKind.ENDPOINTS}:
            found |= self.pods.index.selected(selector)
        for number in self._others:
            party = self.rosters[0].ends[number].party
            kind = SubjectKind.NODES if party.kind in NODE_KINDS else SubjectKind.ENDPOINTS
            labels = own_labels(party)
            if any(rule.subject.kind is kind and rule.subject.selector.matches(labels) for rule in rules):
                found |= 1 << number
        config, ends = self.policies[0].config, self.rosters[0].ends
        return bit_set(number for number in members(found) if is_under_policy(ends[number].party, config))

    def _of_direction(self, direction: Direction) -> Iterator[SideChange]:
        ends = self.rosters[0].ends
        groups: dict[tuple[object, ...], list[int]] = {}
        rules: dict[int, Rule] = {}
        for number in members(self.subjects(direction)):
            party = ends[number].party
            mine = [one.rules_selecting(party, direction) for one in self.policies]
            rules |= {id(rule): rule for found in mine for rule in found}
            kind = party.kind if number in self._others else None
            alike = (*(tuple(map(id, found)) for found in mine), party.named_ports, kind)
            groups.setdefault(alike, []).append(number)
        if not groups:
            return
        peers = self._peers(direction, [found[0] for found in groups.values()], tuple(rules.values()))
        numbers = sorted({*(found[0] for found in groups.values()), *peers})
        subjects = {numbers.index(found[0]): bit_set(found) for found in groups.values()}
        before, after = self._matrices(numbers)
        suspicious = any(rule.authentication is not None for rule in rules.values())
        for ports in port_classes(before, after, by_request=True):
            for subject, peer in _differing(
                before, after, direction, ports, bit_set(list(subjects)), suspicious=suspicious
            ):
                if numbers[peer] not in peers or _is_one_node(before.parties[subject], before.parties[peer]):
                    continue
                was, becomes = (
                    access(one.policies, direction, one.parties[subject], one.parties[peer], ports.sample)
                    for one in (before, after)
                )
                widening = widening_of(was, becomes)
                if widening is not Widening.SAME:
                    yield SideChange(direction, subjects[subject], peers[numbers[peer]], ports, was, becomes, widening)

    def _peers(self, direction: Direction, subjects: Sequence[int], rules: tuple[Rule, ...]) -> dict[int, int]:
        """Give one peer for each set of those whom the rules do not tell apart; nobody whom the change spares."""
        selectors = tuple(
            dict.fromkeys(
                (
                    *(selector for rule in rules for peer in rule.peers for selector in peer.selectors),
                    *(LabelSelector((one,)) for rule in rules for one in rule.requires),
                )
            )
        )
        relevant = self._relevant(direction, subjects, rules)
        within = self.pods.index.everybody
        if relevant is not None:
            within = 0
            for selector in relevant:
                within |= self.pods.index.selected(selector)
        found = {
            (group & -group).bit_length() - 1: group
            for group in partition(within, map(self.pods.index.selected, selectors))
        }
        for number in self._others:
            parties = [roster.ends[number].party for roster in self.rosters]
            seen = [one.labels_seen(party, party) for one, party in zip(self.policies, parties, strict=True)]
            is_doubtful = any(party.missing or party.fqdn_names is None for party in parties)
            if relevant is None or is_doubtful or any(one.matches(labels) for one in relevant for labels in seen):
                found[number] = 1 << number
        return found

    def _relevant(
        self, direction: Direction, subjects: Sequence[int], rules: tuple[Rule, ...]
    ) -> tuple[LabelSelector, ...] | None:
        """Give the selectors of the peers that the change can be about; None where it can be about everybody."""
        parties = [self.rosters[0].ends[number].party for number in subjects]
        postures = ([one.posture(party, direction) for one in self.policies] for party in parties)
        if any((old.enforced, old.default_deny) != (new.enforced, new.default_deny) for old, new in postures):
            return None
        changed = [rule for rule in self.changed if rule.direction is direction]
        if any(rule.scope is PeerScope.UNRESTRICTED or rule.requires for rule in changed):
            return None
        if any(_depends_on_others(rule) for rule in rules):
            return None
        selectors = tuple(selector for rule in changed for peer in rule.peers for selector in peer.selectors)
        unread = (one.source == UNREAD_SERVICE for selector in selectors for one in selector.requirements)
        return None if any(unread) else selectors


def _differing(
    before: Matrix, after: Matrix, direction: Direction, ports: PortClass, subjects: int, *, suspicious: bool
) -> Iterator[tuple[int, int]]:
    """Give the subjects and peers for whom something can differ on some ports."""
    outgoing = direction is Direction.EGRESS
    earlier, later = before.at(ports.sample), after.at(ports.sample)
    rows = zip(
        earlier.egress if outgoing else earlier.ingress, later.egress if outgoing else later.ingress, strict=True
    )
    for source, (was, becomes) in enumerate(rows):
        if outgoing and not subjects >> source & 1:
            continue
        differing = was.unknown | becomes.unknown
        for one, other in zip(was, becomes, strict=True):
            differing |= one ^ other
        both = was.allowed & becomes.allowed
        differing |= both if suspicious else both & (was.redirected | becomes.redirected)
        for destination in members(differing if outgoing else differing & subjects):
            yield (source, destination) if outgoing else (destination, source)


def _is_one_node(subject: Party, peer: Party) -> bool:
    """Tell whether the peer is "the node of the other end": no node talks to it under that name."""
    return subject.kind in NODES and peer.kind is PartyKind.HOST


def _depends_on_others(rule: Rule) -> bool:
    """Tell whether what a rule allows can depend on rules about other peers: a proxy is in the way."""
    return (rule.authentication is not None or rule.may_be_void) or any(
        one.l7
        or one.listener
        or one.server_names
        or one.terminating_tls
        or one.originating_tls
        or any(port.name and port.end_port for port in one.ports)
        for one in rule.ports
    )


def _selecting(policies: PolicySet, parties: Iterable[Party]) -> tuple[Rule, ...]:
    found = {
        id(rule): rule
        for party in parties
        if is_under_policy(party, policies.config)
        for direction in Direction
        for rule in policies.rules_selecting(party, direction)
    }
    return tuple(found.values())
