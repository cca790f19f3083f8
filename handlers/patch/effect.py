"""What a change of policies does to one direction: which peers, of which subjects, on which ports.

Only subjects that a changed rule selects are looked at, and peers that no selector tells apart are decided once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from handlers.model.party import Party
from handlers.model.rule import Direction, LabelSelector, PeerScope, PolicyRef, Rule, SubjectKind
from handlers.patch.access import UNPOLICED, Access, Change, access_of, change_of
from handlers.patch.ground import bits, partition
from handlers.patch.ports import PortRange, ranges_named, ranges_of
from handlers.patch.universe import Universe
from handlers.policy.policy_set import PolicySet
from handlers.policy.views import is_under_policy, own_labels


@dataclass(frozen=True, slots=True)
class SideChange:
    """One change: for each of these subjects, each of these peers (members' numbers), on one range of ports."""

    direction: Direction
    subjects: tuple[int, ...]
    peers: tuple[int, ...]
    ports: PortRange
    before: Access
    after: Access
    change: Change


def changed_rules(old: PolicySet, new: PolicySet, policies: Iterable[PolicyRef]) -> tuple[Rule, ...]:
    """Give the rules of these policies that are in only one of the two sets."""
    touched = frozenset(policies)
    before = [rule for rule in old.rules if rule.origin.policy in touched]
    after = [rule for rule in new.rules if rule.origin.policy in touched]
    return (*(rule for rule in before if rule not in after), *(rule for rule in after if rule not in before))


class Comparison:
    """Two sets of policies over one universe."""

    def __init__(self, old: PolicySet, new: PolicySet, universe: Universe, changed: Iterable[Rule]) -> None:
        """Compare the sets, which differ in the changed rules only."""
        self.old = old
        self.new = new
        self.universe = universe
        self.changed = tuple(changed)
        self._known: dict[tuple[bool, Direction, int, int, PortRange], Access] = {}

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions that the changed rules are about."""
        return tuple(dict.fromkeys(rule.direction for rule in self.changed))

    def subjects(self, direction: Direction) -> tuple[int, ...]:
        """Give the members whose policy changes in a direction."""
        rules = [rule for rule in self.changed if rule.direction is direction]
        pods = 0
        for rule in rules:
            if rule.subject.kind is SubjectKind.ENDPOINTS:
                pods |= self.universe.ground.mask(rule.subject.selector)
        found = [number for number in bits(pods) if self._is_subject(number)]
        for number, member in enumerate(self.universe.others, self.universe.first_other):
            kind = SubjectKind.NODES if member.is_node else SubjectKind.ENDPOINTS
            labels = own_labels(member.before)
            if self._is_subject(number) and any(
                rule.subject.kind is kind and rule.subject.selector.matches(labels) for rule in rules
            ):
                found.append(number)
        return tuple(found)

    def _is_subject(self, number: int) -> bool:
        return is_under_policy(self.universe[number].before, self.old.config)

    def side(self, direction: Direction) -> Iterator[SideChange]:
        """Go through everything that changes in one direction."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for number in self.subjects(direction):
            subject = self.universe[number].before
            rules = tuple(id(rule) for rule in self.old.rules_selecting(subject, direction))
            changed = tuple(id(rule) for rule in self.new.rules_selecting(subject, direction))
            kind = subject.kind if number >= self.universe.first_other else None
            alike = (rules, changed, subject.named_ports, kind)
            groups.setdefault(alike, []).append(number)
        for subjects in groups.values():
            yield from self._of_subjects(direction, tuple(subjects))

    def _of_subjects(self, direction: Direction, subjects: tuple[int, ...]) -> Iterator[SideChange]:
        subject = self.universe[subjects[0]]
        old, new = self.old.posture(subject.before, direction), self.new.posture(subject.after, direction)
        rules = (*old.rules, *new.rules)
        resolve = partial(self.old.resolve_name, direction, subject.before)
        ranges = ranges_of(rules, resolve)
        mine = [rule for rule in rules if rule in self.changed]
        flips = (old.enforced, old.default_deny) != (new.enforced, new.default_deny)
        if not flips and not any(rule.requires for rule in mine):
            # A rule decides nothing on ports that it does not name.
            touched = ranges_named(mine, ranges, resolve)
            ranges = tuple(one for one in ranges if one in touched)
        everybody = (
            flips
            or any(rule.scope is PeerScope.UNRESTRICTED or rule.requires for rule in mine)
            or any(_meets_proxy(rule) for rule in rules)
        )
        relevant = None if everybody else tuple(one for rule in mine for peer in rule.peers for one in peer.selectors)
        for peers in self._peer_groups(rules, relevant, subject.before):
            if subject.is_node and self.universe[peers[0]].is_own_node:
                continue
            yield from self._of_peers(direction, subjects, peers, ranges)

    def _peer_groups(
        self, rules: tuple[Rule, ...], relevant: tuple[LabelSelector, ...] | None, subject: Party
    ) -> Iterator[tuple[int, ...]]:
        ground = self.universe.ground
        selectors = tuple(
            dict.fromkeys(
                (
                    *(selector for rule in rules for peer in rule.peers for selector in peer.selectors),
                    *(LabelSelector((one,)) for rule in rules for one in rule.requires),
                )
            )
        )
        masks = [ground.mask(selector) for selector in selectors]
        within = ground.everybody
        if relevant is not None:
            within = 0
            for selector in relevant:
                within |= ground.mask(selector)
        for group in partition(within, masks):
            yield tuple(bits(group))
        others: dict[tuple[object, ...], list[int]] = {}
        for number, member in enumerate(self.universe.others, self.universe.first_other):
            before = self.old.labels_seen(member.before, subject)
            after = self.new.labels_seen(member.after, subject)
            if relevant is not None and not any(one.matches(before) or one.matches(after) for one in relevant):
                continue
            seen = tuple((selector.matches(before), selector.matches(after)) for selector in selectors)
            unread = member.before.missing or member.before.fqdn_names is None
            others.setdefault((member.is_own_node, seen, number if unread else None), []).append(number)
        yield from map(tuple, others.values())

    def _of_peers(
        self, direction: Direction, subjects: tuple[int, ...], peers: tuple[int, ...], ranges: tuple[PortRange, ...]
    ) -> Iterator[SideChange]:
        running: SideChange | None = None
        for ports in ranges:
            before, after = (
                self.access(direction, subjects[0], peers[0], ports, after=later) for later in (False, True)
            )
            change = change_of(before, after)
            if (
                running is not None
                and (running.before, running.after) == (before, after)
                and running.ports.protocol is ports.protocol
                and running.ports.last + 1 == ports.first
            ):
                running = replace(running, ports=PortRange(ports.protocol, running.ports.first, ports.last))
                continue
            if running is not None and running.change is not Change.SAME:
                yield running
            running = SideChange(direction, subjects, peers, ports, before, after, change)
        if running is not None and running.change is not Change.SAME:
            yield running

    def access(self, direction: Direction, subject: int, peer: int, ports: PortRange, *, after: bool) -> Access:
        """Give what one side lets through, before or after the change."""
        key = (after, direction, subject, peer, ports)
        found = self._known.get(key)
        if found is None:
            policies = self.new if after else self.old
            ends = (self.universe[subject], self.universe[peer])
            mine, theirs = (member.after if after else member.before for member in ends)
            if is_under_policy(mine, policies.config):
                found = access_of(*policies.outcome(direction, mine, theirs, ports.sample))
            else:
                found = UNPOLICED
            self._known[key] = found
        return found


def _meets_proxy(rule: Rule) -> bool:
    return rule.authentication is not None or any(
        one.l7 or one.listener or one.server_names or one.terminating_tls or one.originating_tls for one in rule.ports
    )
