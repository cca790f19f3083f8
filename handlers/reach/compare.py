"""What a change does: every pair of ends and every port class whose verdict differs before and after."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from handlers.model.decision import Verdict
from handlers.model.party import PartyKind
from handlers.model.rule import Direction, PolicyStatus, Rule
from handlers.policy.policy_set import PolicySet
from handlers.reach.access import DEMANDS, Widening, access, widening_of
from handlers.reach.bits import bit_set, everything, members
from handlers.reach.cluster import Cluster
from handlers.reach.ends import ClusterEnd
from handlers.reach.matrix import Matrix
from handlers.reach.port_classes import PortClass, port_classes
from handlers.reach.roster import rosters
from handlers.reach.sides import Row
from handlers.reach.subjects import Selection

MOST_REQUESTS_COMPARED = 20_000
"""Pairs whose application rules are compared; beyond, the comparison says that it is not whole."""

NODES = (PartyKind.HOST, PartyKind.NODE, PartyKind.REMOTE_NODE, PartyKind.KUBE_APISERVER)


class ChangeKind(StrEnum):
    """What happens to the flows of a change."""

    CUT = "cut"
    """Passed before, and does not any more."""
    OPENED = "opened"
    """Did not pass before, and does now."""
    REQUESTS = "requests"
    """Passes at the level of connections before and after; the application rules on the way differ."""
    DOUBT = "doubt"
    """Cannot be told before or after: not everything was read, or rules contradict each other."""


@dataclass(frozen=True, slots=True)
class FlowChange:
    """Flows from any of ``sources`` to any of ``destinations`` on ``ports`` whose verdict changes alike."""

    kind: ChangeKind
    before: Verdict
    after: Verdict
    sources: tuple[ClusterEnd, ...]
    destinations: tuple[ClusterEnd, ...]
    ports: tuple[PortClass, ...]

    @property
    def may_open(self) -> bool:
        """Whether something passes that did not, or may pass: where that is in doubt, it counts."""
        in_doubt = self.kind is ChangeKind.DOUBT
        passes = (Verdict.ALLOWED, Verdict.UNKNOWN)
        return self.kind is ChangeKind.OPENED or (
            in_doubt and self.before is not Verdict.ALLOWED and self.after in passes
        )

    @property
    def pairs(self) -> int:
        """How many ordered pairs of ends it is about."""
        return len(self.sources) * len(self.destinations)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two states of a cluster, compared whole.

    ``refused`` are policies of the new state that the agent would refuse and that were not refused before.
    ``gaps`` say where a bound cut the comparison short.
    """

    changes: tuple[FlowChange, ...]
    refused: tuple[PolicyStatus, ...] = ()
    gaps: tuple[str, ...] = field(default_factory=tuple)

    def of_kind(self, kind: ChangeKind) -> tuple[FlowChange, ...]:
        """Give the changes of one kind."""
        return tuple(change for change in self.changes if change.kind is kind)

    @property
    def is_nothing(self) -> bool:
        """Whether the verdicts of both states are the same, for certain."""
        return not self.changes and not self.gaps


def compare(before: Cluster, after: Cluster) -> Comparison:
    """Compare two states of one cluster: the same pods, under other policies or with other labels."""
    old, new = before.compiled(), after.compiled()
    old_roster, new_roster = rosters(((before, old), (after, new)))
    matrices = Matrix(old, old_roster.parties), Matrix(new, new_roster.parties)
    changes, gaps = flow_changes(*matrices, new_roster.ends)
    if not old_roster.is_whole:
        gaps = ("the policies name too many prefixes to compare all of the outside", *gaps)
    return Comparison(changes, tuple(_refused(old, new)), gaps)


def flow_changes(
    before: Matrix, after: Matrix, ends: Sequence[ClusterEnd]
) -> tuple[tuple[FlowChange, ...], tuple[str, ...]]:
    """Give every flow between these ends whose verdict differs, and where a bound cut the comparison short."""
    requests = _Requests(before, after)
    scopes = _scopes(after)
    classes = port_classes(before, after, by_request=True)
    of_source: list[list[_Difference]] = [[] for _ in ends]
    for number, ports in enumerate(classes):
        earlier, later = before.at(ports.sample), after.at(ports.sample)
        for source, (was, becomes) in enumerate(zip(earlier.both, later.both, strict=True)):
            differing = requests.differing(source, was, becomes, ports)
            for turn, destinations in _differences(was, becomes, differing):
                if destinations & scopes[source]:
                    of_source[source].append((turn, number, destinations & scopes[source]))
    changes = tuple(
        FlowChange(
            *turn, _ends(sources, ends), _ends(destinations, ends), tuple(classes[number] for number in sorted(numbers))
        )
        for sources, destinations, turn, numbers in _grouped(of_source)
    )
    gap = "too many pairs have application rules to compare all of them"
    return changes, (gap,) if requests.is_cut_short else ()


def _scopes(matrix: Matrix) -> list[int]:
    """Give whom each end talks to at all: the node of the other end is no other node's peer under that name."""
    everybody = everything(len(matrix.parties))
    of_kind = {
        kinds: bit_set(number for number, party in enumerate(matrix.parties) if party.kind in kinds)
        for kinds in ((PartyKind.HOST,), NODES)
    }
    hosts, nodes = of_kind.values()
    return [
        everybody & ~(nodes if hosts >> number & 1 else hosts if nodes >> number & 1 else 0)
        for number in range(len(matrix.parties))
    ]


_Turn = tuple[ChangeKind, Verdict, Verdict]
_Difference = tuple[_Turn, int, int]
"""How a verdict turns, on which port class, towards which destinations."""


def _grouped(of_source: Sequence[Sequence[_Difference]]) -> Iterator[tuple[int, int, _Turn, list[int]]]:
    """Join pairs whose verdicts turn alike on the same ports: sources, destinations, the turn, and the port classes."""
    alike: dict[tuple[_Difference, ...], int] = {}
    for source, differences in enumerate(of_source):
        if differences:
            key = tuple(differences)
            alike[key] = alike.get(key, 0) | 1 << source
    joined: dict[tuple[int, frozenset[tuple[_Turn, int]]], int] = {}
    for differences, sources in alike.items():
        for destinations, turns in _regions(differences):
            joined[destinations, turns] = joined.get((destinations, turns), 0) | sources
    for (destinations, turns), sources in joined.items():
        by_turn: dict[_Turn, list[int]] = {}
        for turn, number in turns:
            by_turn.setdefault(turn, []).append(number)
        for turn, numbers in by_turn.items():
            yield sources, destinations, turn, numbers


def _regions(differences: Sequence[_Difference]) -> Iterator[tuple[int, frozenset[tuple[_Turn, int]]]]:
    """Cut the destinations into parts for each of which the same differs."""
    regions: dict[frozenset[tuple[_Turn, int]], int] = {}
    for turn, number, destinations in differences:
        left, cut = destinations, dict[frozenset[tuple[_Turn, int]], int]()
        for turns, region in regions.items():
            inside, outside = region & destinations, region & ~destinations
            if inside:
                cut[turns | {(turn, number)}] = inside
            if outside:
                cut[turns] = outside
            left &= ~region
        if left:
            cut[frozenset({(turn, number)})] = left
        regions = cut
    yield from ((region, turns) for turns, region in regions.items())


def _ends(bits: int, ends: Sequence[ClusterEnd]) -> tuple[ClusterEnd, ...]:
    return tuple(ends[number] for number in members(bits))


def _differences(was: Row, becomes: Row, requests: int) -> Iterator[tuple[_Turn, int]]:
    if requests:
        yield (ChangeKind.REQUESTS, Verdict.ALLOWED, Verdict.ALLOWED), requests
    if was == becomes:
        return
    before, after = _by_verdict(was), _by_verdict(becomes)
    denied_before, denied_after = ~_union(before.values()), ~_union(after.values())
    for first, earlier in (*before.items(), (Verdict.DENIED, denied_before)):
        for second, later in (*after.items(), (Verdict.DENIED, denied_after)):
            destinations = earlier & later
            if first is not second and destinations > 0:
                yield (_kind(first, second), first, second), destinations


def _by_verdict(row: Row) -> dict[Verdict, int]:
    return {Verdict.ALLOWED: row.allowed, Verdict.UNKNOWN: row.unknown, Verdict.ERROR: row.conflicting}


def _union(sets: Iterable[int]) -> int:
    total = 0
    for one in sets:
        total |= one
    return total


def _kind(before: Verdict, after: Verdict) -> ChangeKind:
    if {before, after} == {Verdict.ALLOWED, Verdict.DENIED}:
        return ChangeKind.OPENED if after is Verdict.ALLOWED else ChangeKind.CUT
    return ChangeKind.DOUBT


class _Requests:
    """Compares the application rules on both sides of pairs that pass before and after.

    Only those can differ of which one end is another than before, or is selected by a rule that is.
    """

    def __init__(self, before: Matrix, after: Matrix) -> None:
        self._states = (before, after)
        self._left = MOST_REQUESTS_COMPARED
        self.is_cut_short = False
        moved = bit_set(
            number
            for number, (was, becomes) in enumerate(zip(before.parties, after.parties, strict=True))
            if was.labels != becomes.labels or was.local_labels != becomes.local_labels
        )
        touched = dict.fromkeys(Direction, moved)
        self._demanding = dict.fromkeys(Direction, 0)
        for matrix, rules in self._turned(before, after):
            selection = Selection(matrix.policies, matrix.parties)
            for rule in rules:
                touched[rule.direction] |= selection.subjects_of(rule)
            for rule in matrix.rules:
                if rule.authentication in DEMANDS:
                    self._demanding[rule.direction] |= selection.subjects_of(rule)
        self._sources, self._destinations = touched[Direction.EGRESS], touched[Direction.INGRESS]

    @staticmethod
    def _turned(before: Matrix, after: Matrix) -> Iterator[tuple[Matrix, list[Rule]]]:
        """Give the rules that only one of the two states has."""
        known = [set(map(_said, matrix.rules)) for matrix in (before, after)]
        for matrix, others in ((before, known[1]), (after, known[0])):
            yield matrix, [rule for rule in matrix.rules if _said(rule) not in others]

    def differing(self, source: int, was: Row, becomes: Row, ports: PortClass) -> int:
        """Give the destinations for which what the proxy lets pass differs, or whether a handshake is demanded."""
        suspects = was.allowed & becomes.allowed
        if not self._demanding[Direction.EGRESS] >> source & 1:
            suspects &= was.redirected | becomes.redirected | self._demanding[Direction.INGRESS]
        if not self._sources >> source & 1:
            suspects &= self._destinations
        found = 0
        for destination in members(suspects) if suspects else ():
            if self._left == 0:
                self.is_cut_short = True
                break
            self._left -= 1
            if any(self._turns(direction, source, destination, ports) for direction in Direction):
                found |= 1 << destination
        return found

    def _turns(self, direction: Direction, source: int, destination: int, ports: PortClass) -> bool:
        subject, peer = (source, destination) if direction is Direction.EGRESS else (destination, source)
        before, after = (
            access(one.policies, direction, one.parties[subject], one.parties[peer], ports.sample)
            for one in self._states
        )
        return widening_of(before, after) is not Widening.SAME


def _said(rule: Rule) -> tuple[object, ...]:
    """Give everything that a rule says, wherever it stands."""
    peers = tuple((peer.kind, peer.selectors) for peer in rule.peers)
    ports = tuple(
        (
            tuple((port.port, port.end_port, port.name, port.protocol) for port in one.ports),
            one.l7,
            one.listener,
            one.server_names,
            one.terminating_tls,
            one.originating_tls,
        )
        for one in rule.ports
    )
    subject = (rule.subject.kind, rule.subject.namespace, rule.subject.selector)
    more = (rule.scope, rule.default_deny, rule.authentication, rule.requires, rule.may_be_void)
    return rule.direction, rule.effect, subject, peers, ports, more


def _refused(old: PolicySet, new: PolicySet) -> Iterator[PolicyStatus]:
    known = {(status.policy, status.reason) for status in old.statuses if not status.valid}
    for status in new.statuses:
        if not status.valid and (status.policy, status.reason) not in known:
            yield status
