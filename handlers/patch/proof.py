"""Proving an edit: policies are compiled with it; the asked flow and all that could change is decided again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.model.decision import Verdict
from handlers.model.party import Party
from handlers.model.rule import Direction, LabelSelector, Rule
from handlers.model.traffic import Traffic
from handlers.patch.dns import DnsSide, learns
from handlers.patch.edits import Edit
from handlers.patch.patched import with_changed
from handlers.patch.scene import Compared, Scene
from handlers.policy.policy_set import PolicySet
from handlers.reach.access import Widening
from handlers.reach.bits import members
from handlers.reach.ends import PodEnds
from handlers.reach.narrow import SideChange, changed_rules
from handlers.reach.roster import as_seen_by

_DEMANDING = ("required", "test-always-fail")


@dataclass(frozen=True, slots=True)
class Question:
    """The asked flow, the policies as they are, and whom to compare."""

    policies: PolicySet
    source: Party
    destination: Party
    traffic: Traffic
    scene: Scene
    complete: bool
    """Whether the scene has every identity in use."""
    names: tuple[str, ...] = ()
    """DNS names that the destination is asked by."""
    dns: DnsSide | None = None

    @property
    def pods(self) -> PodEnds:
        """The pods in use, by identity."""
        return self.scene.pods

    def ends(self, direction: Direction) -> tuple[Party, Party]:
        """Give the subject and the peer of one side."""
        pair = (self.source, self.destination)
        return pair if direction is Direction.EGRESS else (pair[1], pair[0])


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proven change does: it opens the asked flow, and closes nothing."""

    edits: tuple[Edit, ...]
    policies: PolicySet
    compared: Compared

    @property
    def sides(self) -> tuple[SideChange, ...]:
        """Every opening, side by side."""
        return self.compared.change.sides

    def volume(self, traffic: Traffic) -> int:
        """Measure how much it opens besides the asked flow: pairs of pods times ports, on the changed sides."""
        total = 0
        for change in self.sides:
            if change.widening is not Widening.OPENED:
                continue
            total += self._pods(change.subjects) * self._pods(change.peers) * change.ports.width
            pair = (self.compared.source, self.compared.destination)
            subject, peer = pair if change.direction is Direction.EGRESS else pair[::-1]
            if subject is None or peer is None or not change.ports.has(traffic):
                continue
            if change.subjects >> subject & change.peers >> peer & 1:
                total -= self._pods(1 << subject) * self._pods(1 << peer)
        return total

    def _pods(self, numbers: int) -> int:
        ends = self.compared.change.rosters[0].ends
        return sum(ends[number].count for number in members(numbers))


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
    changed = changed_rules(old, new, (policy for policy, _ in objects))
    compared = question.scene.under(new, (source, destination), changed)
    if any(change.widening is Widening.CLOSED for change in compared.change.sides):
        return None
    return Proof(tuple(edits), new, compared)


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


def selected(pods: PodEnds, rules: Iterable[Rule]) -> int:
    """Count the identities that these rules select as their subjects."""
    mask = 0
    for rule in rules:
        mask |= pods.index.selected(rule.subject.selector)
    return mask.bit_count()


def is_general(selector: LabelSelector) -> bool:
    """Tell whether a subject selector names no label of its own: it means a whole namespace, or everybody."""
    return not any(requirement.implied is None for requirement in selector.requirements)
