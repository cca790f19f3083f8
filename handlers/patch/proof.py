"""Proving an edit: policies are compiled with it; the asked flow and all that could change is decided again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.model.decision import Verdict
from handlers.model.party import Party
from handlers.model.rule import Direction, LabelSelector, Rule
from handlers.model.traffic import Traffic
from handlers.patch.access import Change
from handlers.patch.dns import DnsSide, learns
from handlers.patch.edits import Edit
from handlers.patch.effect import Comparison, SideChange, changed_rules
from handlers.patch.ground import Ground
from handlers.patch.known import KnownIdentities
from handlers.patch.patched import with_changed
from handlers.patch.universe import Scene, Universe, as_seen_by
from handlers.policy.policy_set import PolicySet

_DEMANDING = ("required", "test-always-fail")


@dataclass(frozen=True, slots=True)
class Question:
    """The asked flow, the policies as they are, and whom to compare."""

    policies: PolicySet
    source: Party
    destination: Party
    traffic: Traffic
    scene: Scene
    known: KnownIdentities | None
    names: tuple[str, ...] = ()
    """DNS names that the destination is asked by."""
    dns: DnsSide | None = None

    @property
    def ground(self) -> Ground:
        """The pods' identities."""
        return self.scene.ground

    def ends(self, direction: Direction) -> tuple[Party, Party]:
        """Give the subject and the peer of one side."""
        pair = (self.source, self.destination)
        return pair if direction is Direction.EGRESS else (pair[1], pair[0])


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proven change does. ``changes`` holds every opening, side by side; none of them closes anything."""

    edits: tuple[Edit, ...]
    policies: PolicySet
    universe: Universe
    comparison: Comparison
    changes: tuple[SideChange, ...]
    source: Party
    destination: Party

    @property
    def unknowable(self) -> tuple[SideChange, ...]:
        """The changes that rest on facts that were not read."""
        return tuple(change for change in self.changes if change.change is Change.UNKNOWABLE)

    def asked_pair(self) -> tuple[int | None, int | None]:
        """Give the members that the asked flow goes between."""
        return (
            self.universe.find(self.source, self.destination),
            self.universe.find(self.destination, self.source),
        )

    def volume(self, traffic: Traffic) -> int:
        """Measure how much it opens besides the asked flow: pairs of pods times ports, on the changed sides."""
        source, destination = self.asked_pair()
        total = 0
        for change in self.changes:
            if change.change is not Change.OPENED:
                continue
            pods = sum(self.universe[number].count for number in change.subjects)
            total += pods * sum(self.universe[number].count for number in change.peers) * change.ports.width
            pair = (source, destination) if change.direction is Direction.EGRESS else (destination, source)
            if change.ports.holds(traffic) and pair[0] in change.subjects and pair[1] in change.peers:
                total -= _pairs(self.universe, pair)
        return total


def _pairs(universe: Universe, pair: tuple[int | None, int | None]) -> int:
    one, other = (universe[number].count if number is not None else 0 for number in pair)
    return one * other


def prove(question: Question, edits: Sequence[Edit], direction: Direction | None = None) -> Proof | None:
    """Decide everything again with these edits; gives None when they do not do what they are for.

    They must be valid, open the asked flow (in one direction, or in both when none is given), demand no handshake
    that was not there, and close nothing for anybody. Where an edit works only once the asked name has been learnt,
    the asked address is taken to have it.
    """
    old = question.policies
    objects = [(edit.policy, edit.manifest) for edit in edits]
    new, statuses = with_changed(old, objects)
    if any(not status.valid or status.ignored for status in statuses):
        return None
    names = question.names if any(edit.needs_name for edit in edits) else ()
    source, destination = as_seen_by(new, question.source), as_seen_by(new, question.destination, names)
    if not opens(new, source, destination, question.traffic, direction):
        return None
    if names and question.dns is not None and not learns(new, source, question.dns):
        return None
    universe = question.scene.universe(new, (source, destination))
    comparison = Comparison(old, new, universe, changed_rules(old, new, (policy for policy, _ in objects)))
    changes: list[SideChange] = []
    for one in comparison.directions:
        for change in comparison.side(one):
            if change.change is Change.CLOSED:
                return None
            changes.append(change)
    return Proof(tuple(edits), new, universe, comparison, tuple(changes), question.source, question.destination)


def opens(
    policies: PolicySet, source: Party, destination: Party, traffic: Traffic, direction: Direction | None
) -> bool:
    """Tell whether the flow is open in a direction, or in both when none is given, without a further handshake."""
    for one in Direction:
        if direction not in (None, one):
            continue
        ends = (source, destination) if one is Direction.EGRESS else (destination, source)
        outcome, _ = policies.outcome(one, *ends, traffic)
        if outcome.verdict not in (Verdict.ALLOWED, Verdict.NOT_APPLICABLE) or outcome.authentication in _DEMANDING:
            return False
    return True


def selected(ground: Ground, rules: Iterable[Rule]) -> int:
    """Count the identities that these rules select as their subjects."""
    mask = 0
    for rule in rules:
        mask |= ground.mask(rule.subject.selector)
    return mask.bit_count()


def is_general(selector: LabelSelector) -> bool:
    """Tell whether a subject selector names no label of its own: it means a whole namespace, or everybody."""
    return not any(requirement.implied is None for requirement in selector.requirements)
