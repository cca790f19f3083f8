"""One direction for all pairs: whom each subject's policy lets pass, on one port.

The same entries are summed in two ways. Egress goes by subject: the sum over a class's entries is its row of peers.
Ingress goes by peer: each entry adds the subjects that have it to the rows of the peers that it selects, which gives
the table the other way round, ready to be laid over the first.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

from handlers.model.decision import NamedPortFault
from handlers.model.party import Party
from handlers.model.rule import WILDCARD, Direction
from handlers.model.traffic import Traffic
from handlers.policy.policy_set import PolicySet
from handlers.policy.versions import LOCALHOST_NEEDS_A_RULE, NAMED_PORTS_PER_PEER
from handlers.reach.entries import WHOLE, Aspect, Entry, Ports
from handlers.reach.peer_labels import STRANGER
from handlers.reach.peers import Peers
from handlers.reach.subjects import Subjects

_ASPECTS = len(Aspect)


class Row(NamedTuple):
    """Who passes, who passes through a proxy, of whom it cannot be told, and for whom the rules contradict each other.

    Everybody else is denied.
    """

    allowed: int
    redirected: int
    unknown: int
    conflicting: int


class _Charge(NamedTuple):
    """One entry with its port name resolved and its selector numbered; ``doubt`` names what it hangs on."""

    ports: Ports
    aspect: Aspect
    peers: int
    doubt: tuple[object, ...] = ()


class _Entered(NamedTuple):
    """Entries that were booked: their sums for each port, and what they hang on where a fact was not read."""

    sums: dict[Ports, list[int]]
    doubts: list[tuple[Aspect, object]]


_DEFAULT_ALLOW = Entry(WHOLE, "", WILDCARD, Aspect.ALLOW)

Content = frozenset[tuple[Aspect, int, int]]
"""What all policies say about some ports: aspect, set of peers, set of subjects."""


class Side:
    """All policy maps of one direction, as sets."""

    def __init__(self, policies: PolicySet, subjects: Subjects, peers: Peers) -> None:
        self._policies = policies
        self._subjects = subjects
        self._peers = peers
        self._charges: dict[Entry, tuple[_Charge, ...]] = {}
        self._ledger: dict[Ports, dict[tuple[Aspect, int], int]] = defaultdict(lambda: defaultdict(int))
        self._sums: list[dict[Ports, list[int]]] = []
        self._base: _Scattered | None = None
        self._names_per_peer = policies.config.holds(NAMED_PORTS_PER_PEER)
        self.undecided = 0
        """The subjects of whom an unread fact can both allow and deny the same flow: only trying tells."""
        groups = [self._enter(group.entries, group.members, None) for group in subjects.groups]
        for one in subjects.classes:
            entered = [groups[number] for number in one.groups]
            if one.entries:
                entered.append(self._enter(one.entries, one.members, one.sample))
            if one.default_allow:
                entered.append(self._enter((_DEFAULT_ALLOW,), one.members, None))
            doubts = [one_doubt for part in entered for one_doubt in part.doubts]
            allowing = {name for aspect, name in doubts if aspect is Aspect.MAY_ALLOW}
            if any(name in allowing for aspect, name in doubts if aspect is Aspect.MAY_DENY):
                self.undecided |= one.members
            if subjects.direction is Direction.EGRESS:
                self._sums.append(_joined([part.sums for part in entered]))

    @property
    def ports(self) -> tuple[Ports, ...]:
        """The ports that some entry names."""
        return tuple(self._ledger)

    def content(self, ports: Ports) -> Content:
        """Give what the policies say about some ports; what is equal there cannot be told apart."""
        of_ports = self._ledger.get(ports)
        if of_ports is None:
            return frozenset()
        return frozenset((aspect, peers, subjects) for (aspect, peers), subjects in of_ports.items())

    def _enter(self, entries: Sequence[Entry], subjects: int, sample: Party | None) -> "_Entered":
        """Book entries for the subjects that have them, and sum them up."""
        sums: dict[Ports, list[int]] = {}
        doubts: list[tuple[Aspect, object]] = []
        for entry in entries if subjects else ():
            for charge in self._charges_of(entry, sample):
                self._ledger[charge.ports][charge.aspect, charge.peers] |= subjects
                of_ports = sums.get(charge.ports)
                if of_ports is None:
                    of_ports = sums[charge.ports] = [0] * _ASPECTS
                of_ports[charge.aspect] |= self._peers.sets[charge.peers]
                doubts.extend((charge.aspect, name) for name in charge.doubt)
        return _Entered(sums, doubts)

    def _charges_of(self, entry: Entry, sample: Party | None) -> tuple[_Charge, ...]:
        if entry.name and self._subjects.direction is Direction.INGRESS:
            return self._charge(entry, sample)
        charges = self._charges.get(entry)
        if charges is None:
            charges = self._charges[entry] = self._charge(entry, sample)
        return charges

    def _charge(self, entry: Entry, sample: Party | None) -> tuple[_Charge, ...]:
        certain, doubtful = self._peers.sets_of(entry.selector)
        if entry.name and self._subjects.direction is Direction.EGRESS and self._names_per_peer:
            return tuple(self._charges_per_peer(entry, certain, doubtful))
        ports, is_unread = self._resolved(entry, sample)
        return self._booked(entry, ports, certain, doubtful, is_unread=is_unread) if ports is not None else ()

    def _charges_per_peer(self, entry: Entry, certain: int | None, doubtful: int | None) -> Iterator[_Charge]:
        """Resolve a port name by each peer's own ports: one charge for each number (``named-ports-per-peer``)."""
        protocol = entry.ports.protocol
        for number, bits in self._peers.resolving(self._policies, entry.name, protocol).items():
            ports = Ports(protocol, number or 0, entry.ports.end_port if number else 0)
            among = (self._peers.within(one, bits) for one in (certain, doubtful))
            yield from self._booked(entry, ports, *among, is_unread=number is None)

    def _booked(
        self, entry: Entry, ports: Ports, certain: int | None, doubtful: int | None, *, is_unread: bool
    ) -> tuple[_Charge, ...]:
        charges = []
        name = ((entry.name, entry.ports.protocol),) if is_unread else ()
        if certain is not None and not is_unread:
            charges.append(_Charge(ports, entry.aspect, certain))
        if entry.aspect is not Aspect.REDIRECT:
            if certain is not None and is_unread:
                charges.append(_Charge(ports, entry.aspect.in_doubt, certain, name))
            if doubtful is not None:
                charges.append(_Charge(ports, entry.aspect.in_doubt, doubtful, (entry.selector, *name)))
        return tuple(charges)

    def _resolved(self, entry: Entry, sample: Party | None) -> tuple[Ports | None, bool]:
        """Resolve a port name; where names were not read it may be any port of the protocol.

        Ingress looks at the ports of the subject, egress at those of all pods, whoever asks.
        """
        if not entry.name:
            return entry.ports, False
        direction, protocol = self._subjects.direction, entry.ports.protocol
        subject = sample or STRANGER
        known = subject.named_ports if direction is Direction.INGRESS else self._policies.surroundings.named_ports
        if known is None:
            return Ports(protocol, 0, 0), True
        number = self._policies.resolve_name(direction, subject, entry.name, protocol)
        if isinstance(number, NamedPortFault):
            return None, False
        return Ports(protocol, number, entry.ports.end_port), False

    def by_subject(self, traffic: Traffic) -> list[Row]:
        """Give the row of each class of subjects: sets of sightings."""
        covering = {ports for ports in self._ledger if ports.cover(traffic)}
        everybody = self._peers.sets[Peers.EVERYBODY]
        rows = []
        for one, sums in zip(self._subjects.classes, self._sums, strict=True):
            if not one.enforced:
                rows.append(Row(everybody, 0, 0, 0))
                continue
            if one.conflicting:
                rows.append(Row(0, 0, 0, everybody))
                continue
            parts = [of_ports for ports, of_ports in sums.items() if ports in covering]
            rows.append(_row(*map(_union, zip(*parts, strict=True))) if parts else _NOBODY)
        return rows

    def by_peer(self, traffic: Traffic, *, local: int, pods: int, subjects: int) -> list[Row]:
        """Give the row of each sighting: sets of subjects.

        ``local`` are the sightings of one's own node, which always passes unless allow-localhost is off; to ``pods``,
        that is, not to itself (pkg/policy/resolve.go:348-350), and in newer versions only to those whom a rule selects.
        ``subjects`` are all ends.
        """
        size = self._peers.sets[Peers.EVERYBODY].bit_length()
        if self._base is None:
            self._base = _Scattered(size)
            self._base.add(self._ledger.get(WHOLE, {}), self._peers)
        sums_of = self._base.copy()
        for ports, content in self._ledger.items():
            if ports != WHOLE and ports.cover(traffic):
                sums_of.add(content, self._peers)
        free = conflicting = selected = 0
        for one in self._subjects.classes:
            if not one.enforced:
                free |= one.members
            elif one.conflicting:
                conflicting |= one.members
            if one.selected:
                selected |= one.members
        held = subjects & ~free & ~conflicting
        config = self._policies.config
        localhost = pods if config.always_allow_localhost else 0
        if config.holds(LOCALHOST_NEEDS_A_RULE):
            localhost &= selected
        rows = []
        for number in range(size):
            allow, deny, redirect, may_allow, may_deny = sums_of.at(number)
            if local >> number & 1:
                allow |= localhost
            row = _row(allow & held, deny, redirect, may_allow & held, may_deny)
            rows.append(Row(row.allowed | free, row.redirected, row.unknown, conflicting))
        return rows


class _Scattered:
    """For each aspect and sighting, the subjects that have an entry about it; entries about everybody are kept once."""

    __slots__ = ("_alike", "_apart", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._alike = [0] * _ASPECTS
        self._apart: list[list[int]] = [[] for _ in Aspect]

    def copy(self) -> "_Scattered":
        """Give one to add more to."""
        made = _Scattered(self._size)
        made._alike = list(self._alike)
        made._apart = [list(rows) for rows in self._apart]
        return made

    def add(self, content: Mapping[tuple[Aspect, int], int], peers: Peers) -> None:
        """Add the subjects of each entry to the rows of its peers."""
        for (aspect, number), subjects in content.items():
            if number == Peers.EVERYBODY:
                self._alike[aspect] |= subjects
                continue
            rows = self._apart[aspect]
            if not rows:
                rows.extend([0] * self._size)
            for sighting in peers.members(number):
                rows[sighting] |= subjects

    def at(self, sighting: int) -> list[int]:
        """Give the subjects with an entry about this sighting, by aspect."""
        return [alike | rows[sighting] if rows else alike for alike, rows in zip(self._alike, self._apart, strict=True)]


_NOBODY = Row(0, 0, 0, 0)


def _joined(parts: Sequence[dict[Ports, list[int]]]) -> dict[Ports, list[int]]:
    """Add sums up, port by port."""
    if len(parts) == 1:
        return parts[0]
    joined: dict[Ports, list[int]] = {}
    for part in parts:
        for ports, sums in part.items():
            known = joined.get(ports)
            joined[ports] = sums if known is None else list(map(or_, known, sums))
    return joined


def _union(sets: Sequence[int]) -> int:
    return reduce(or_, sets)


def _row(allow: int, deny: int, redirect: int, may_allow: int, may_deny: int) -> Row:
    """Weigh the sums: a deny beats every allow, and what is in doubt on the way to the outcome makes it unknown."""
    if not (may_allow or may_deny):
        allowed = allow & ~deny
        return Row(allowed, redirect & allowed, 0, 0)
    allowed = allow & ~deny & ~may_deny
    unknown = (allow | may_allow) & ~deny & ~allowed
    return Row(allowed, redirect & allowed, unknown, 0)
