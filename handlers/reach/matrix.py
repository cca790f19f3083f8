"""All pairs: for each port class, whom every end reaches, exactly as deciding both sides of each pair would say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.model.decision import Verdict
from handlers.model.party import Party
from handlers.model.rule import Direction, Effect, Rule
from handlers.model.traffic import Traffic
from handlers.policy.decide import Outcome
from handlers.policy.policy_set import PolicySet
from handlers.policy.versions import REDIRECT_FIRST
from handlers.reach.bits import bit_set, members
from handlers.reach.peer_labels import PeerLabels
from handlers.reach.peers import Peers
from handlers.reach.sides import Row, Side
from handlers.reach.subjects import Selection, conflicting_ends


@dataclass(frozen=True, slots=True)
class Reachability:
    """Who reaches whom with one kind of traffic. Rows are by source, their bits the destinations.

    ``egress`` and ``ingress`` are the two sides, both with rows by source; ``both`` is what comes of them. A row says
    who passes, who passes through a proxy, of whom it is not known, and where rules contradict each other; everybody
    else is denied.
    """

    traffic: Traffic
    parties: tuple[Party, ...]
    egress: tuple[Row, ...]
    ingress: tuple[Row, ...]
    both: tuple[Row, ...]

    def verdict(self, source: int, destination: int) -> Verdict:
        """Give the verdict for one pair of ends, by their numbers."""
        return _verdict(self.both[source], destination)

    def side_verdict(self, direction: Direction, source: int, destination: int) -> Verdict:
        """Give the verdict of one side of a pair; an end under nobody's policy lets everything pass."""
        rows = self.egress if direction is Direction.EGRESS else self.ingress
        return _verdict(rows[source], destination)

    def goes_through_proxy(self, source: int, destination: int) -> bool:
        """Tell whether a proxy looks at what passes, on either side."""
        return bool(self.both[source].redirected >> destination & 1)

    @property
    def allowed_pairs(self) -> int:
        """How many ordered pairs of ends are open, each end with itself included."""
        return sum(row.allowed.bit_count() for row in self.both)


def _verdict(row: Row, destination: int) -> Verdict:
    bit = 1 << destination
    if row.allowed & bit:
        return Verdict.ALLOWED
    if row.conflicting & bit:
        return Verdict.ERROR
    return Verdict.UNKNOWN if row.unknown & bit else Verdict.DENIED


class Matrix:
    """The policies of a cluster, compiled for all pairs of its ends.

    ``parties`` are the ends; one for each identity is enough (see ``handlers.reach.roster``). Numbers in rows are
    positions in it.
    """

    def __init__(self, policies: PolicySet, parties: Sequence[Party], rules: Iterable[Rule] | None = None) -> None:
        """Compile the policies; ``rules`` are those that select any of the ends, where that is known already."""
        self.policies = policies
        self._seen = PeerLabels.of(policies, parties)
        self.parties = self._seen.parties
        peers = Peers(self._seen)
        selection = Selection(policies, self.parties)
        self.rules = policies.rules if rules is None else tuple(rules)
        subjects = {direction: selection.subjects(direction, self.rules) for direction in Direction}
        egress, ingress = subjects[Direction.EGRESS], subjects[Direction.INGRESS]
        # A contradiction in one direction spoils the other, where policy is enforced there (repository.go:320-345).
        conflicting = 0
        for found in conflicting_ends(subjects.values()):
            conflicting |= found
        if conflicting:
            egress, ingress = egress.spoiled(conflicting), ingress.spoiled(conflicting)
        self.sides = {
            Direction.EGRESS: Side(policies, egress, peers),
            Direction.INGRESS: Side(policies, ingress, peers),
        }
        self._in_doubt = self._void(selection, conflicting)
        for direction, found in self._in_doubt.items():
            self.sides[direction].undecided |= found
        self._egress_class = egress.class_of
        self._known: dict[int, int] = {}

    def _void(self, selection: Selection, conflicting: int) -> dict[Direction, int]:
        """Give the ends, by direction, whose verdicts hang on rules of policies that the agent may have refused."""
        found, denying = dict.fromkeys(Direction, 0), dict.fromkeys(Direction, 0)
        for rule in self.rules:
            if rule.may_be_void:
                subjects = selection.subjects_of(rule)
                found[rule.direction] |= subjects
                denying[rule.direction] |= subjects if rule.effect is Effect.DENY else subjects & conflicting
        egress, ingress = Direction.EGRESS, Direction.INGRESS
        return {egress: found[egress] | denying[ingress], ingress: found[ingress] | denying[egress]}

    def at(self, traffic: Traffic) -> Reachability:
        """Work out who reaches whom with this traffic. Requests inside it are not judged: see ``PolicySet.combine``."""
        ends = self._seen.ends
        by_class = self.sides[Direction.EGRESS].by_subject(traffic)
        by_sighting = self.sides[Direction.INGRESS].by_peer(
            traffic, local=self._seen.local, pods=self._seen.pods, subjects=ends
        )
        shared = {number: self._as_ends(row, "") for number, row in enumerate(by_class)}
        is_open = not self.policies.config.holds(REDIRECT_FIRST) or any(side.undecided for side in self.sides.values())
        egress, ingress, both = [], [], []
        for source, party in enumerate(self.parties):
            number = self._egress_class[source]
            out = self._as_ends(by_class[number], party.node) if self._has_neighbours(party) else shared[number]
            into = self._from_all_nodes(by_sighting, source)
            out = _doubted(out, self._seen.ends if self._in_doubt[Direction.EGRESS] >> source & 1 else 0)
            into = _doubted(into, self._in_doubt[Direction.INGRESS])
            if is_open:
                out = self._decided(Direction.EGRESS, source, out, traffic)
                into = self._decided(Direction.INGRESS, source, into, traffic)
            egress.append(out)
            ingress.append(into)
            both.append(self._shared_row(_combined(out, into)))
        return Reachability(traffic, self.parties, tuple(egress), tuple(ingress), tuple(both))

    def _has_neighbours(self, party: Party) -> bool:
        return party.node in self._seen.neighbours

    def _as_ends(self, row: Row, node: str) -> Row:
        return Row(*(self._seen.as_seen_from(node, bits) for bits in row))

    def _from_all_nodes(self, by_sighting: Sequence[Row], source: int) -> Row:
        """Put the row of a node together: what runs on it sees it as the host, everybody else as a remote node."""
        row, party = by_sighting[source], self.parties[source]
        for end, sighting in self._seen.neighbours.get(party.node, ()) if party.node else ():
            if end == source:
                here = self._seen.on_node[party.node]
                row = Row(*(far & ~here | near & here for far, near in zip(row, by_sighting[sighting], strict=True)))
        return row

    def _decided(self, direction: Direction, source: int, row: Row, traffic: Traffic) -> Row:
        """Decide one by one what sets cannot tell.

        That is a fact not read that both allows and denies the same flow, and which of several entries decided in
        agents before 1.17, where a redirect does not always win.
        """
        undecided = self.sides[direction].undecided
        if undecided and row.unknown:
            if direction is Direction.INGRESS:
                open_questions = row.unknown & undecided
            else:
                open_questions = row.unknown if undecided >> source & 1 else 0
            for destination in members(open_questions):
                verdict = self._outcome(direction, source, destination, traffic).verdict
                if verdict is not Verdict.UNKNOWN:
                    bit = 1 << destination
                    allowed = row.allowed | (bit if verdict is Verdict.ALLOWED else 0)
                    row = row._replace(allowed=allowed, unknown=row.unknown & ~bit)
        if row.redirected and not self.policies.config.holds(REDIRECT_FIRST):
            through = [
                destination
                for destination in members(row.redirected)
                if self._outcome(direction, source, destination, traffic).redirect is not None
            ]
            row = row._replace(redirected=bit_set(through))
        return row

    def _outcome(self, direction: Direction, source: int, destination: int, traffic: Traffic) -> Outcome:
        subject, peer = self.parties[source], self.parties[destination]
        if direction is Direction.INGRESS:
            subject, peer = peer, subject
        return self.policies.outcome(direction, subject, peer, traffic)[0]

    def _shared_row(self, row: Row) -> Row:
        """Keep equal sets once: over all port classes most rows are the same."""
        kept = self._known.setdefault
        return Row(kept(row.allowed, row.allowed), kept(row.redirected, row.redirected), *row[2:])


def _doubted(row: Row, doubt: int) -> Row:
    """Take what a row says of some ends for unknown."""
    if not doubt:
        return row
    return Row(row.allowed & ~doubt, row.redirected & ~doubt, row.unknown | doubt, row.conflicting & ~doubt)


def _combined(out: Row, into: Row) -> Row:
    """Combine both sides (handlers/policy/combine.py): denial and contradiction in the order in which they are met."""
    allowed = out.allowed & into.allowed
    if out.conflicting or into.conflicting or out.unknown or into.unknown:
        through = out.allowed | out.unknown
        conflicting = out.conflicting | (through & into.conflicting)
        unknown = through & (into.allowed | into.unknown) & ~allowed
    else:
        conflicting = unknown = 0
    return Row(allowed, (out.redirected | into.redirected) & allowed, unknown, conflicting)
