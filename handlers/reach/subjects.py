"""The subjects of one direction, in classes: those whom the same rules select have the same policy."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from handlers.model.labels import LabelSet, Source
from handlers.model.party import NamedPort, Party
from handlers.model.rule import Direction, LabelSelector, Operator, Requirement, Rule, SubjectKind
from handlers.policy.config import Enforcement
from handlers.policy.decide import Posture, Table, make_table
from handlers.policy.policy_set import PolicySet
from handlers.policy.versions import HOST_BY_IDENTITY
from handlers.policy.views import NODE_KINDS, is_under_policy, own_labels
from handlers.reach.bits import bit_set, members
from handlers.reach.entries import Entry, RuleEntries, entries_of_filters, entries_of_rule
from handlers.reach.label_index import LabelIndex

_NO_LABELS = LabelSet(())


@dataclass(slots=True)
class SubjectClass:
    """Subjects whom the same rules select in one direction.

    Their policy map holds the entries of ``groups``, by number, and ``entries`` of their own. ``enforced`` is False for
    ends whom no rule selects, or that are under nobody's policy here; ``selected`` says that some rule selects them;
    ``conflicting`` says that the rules contradict each other.
    """

    sample: Party
    members: int
    enforced: bool = False
    selected: bool = False
    conflicting: bool = False
    default_allow: bool = False
    groups: tuple[int, ...] = ()
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """The rules of one subject selector: their entries, as far as those are the same for all whom it selects."""

    members: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Subjects:
    """All ends as subjects of one direction: the classes, and which class each end belongs to."""

    direction: Direction
    groups: tuple[RuleGroup, ...]
    classes: tuple[SubjectClass, ...]
    class_of: tuple[int, ...]

    def spoiled(self, conflicting: int) -> "Subjects":
        """Give the same subjects with those in the set marked as contradictory, classes split where they differ."""
        classes: list[SubjectClass] = []
        class_of = list(self.class_of)
        for one in self.classes:
            for is_spoiled in (False, True):
                kept = one.members & conflicting if is_spoiled else one.members & ~conflicting
                if kept:
                    ends = members(kept)
                    for end in ends:
                        class_of[end] = len(classes)
                    classes.append(replace(one, members=kept, conflicting=is_spoiled or one.conflicting))
        return Subjects(self.direction, self.groups, tuple(classes), tuple(class_of))


_Key = tuple[tuple[int, ...], bool, bool, tuple[NamedPort, ...] | None, bool]


class Selection:
    """Which rules select which ends as their subjects."""

    def __init__(self, policies: PolicySet, parties: Sequence[Party]) -> None:
        self._policies = policies
        self._parties = parties
        own = [own_labels(party) if is_under_policy(party, policies.config) else _NO_LABELS for party in parties]
        self._index = LabelIndex(own)
        self._namespaces = [labels.namespace for labels in own]
        by_namespace: dict[str, list[int]] = defaultdict(list)
        for number, namespace in enumerate(self._namespaces):
            by_namespace[namespace].append(number)
        self._in_namespace = {namespace: bit_set(found) for namespace, found in by_namespace.items()}
        self._is_node = bit_set(number for number, party in enumerate(parties) if party.kind in NODE_KINDS)
        self._governed = bit_set(
            number for number, party in enumerate(parties) if is_under_policy(party, policies.config)
        )
        self._exempt, self._isolated = self._by_label()

    def _by_label(self) -> tuple[int, int]:
        """Give the ends that policy spares, and those that it isolates, whatever selects them.

        The label keys ``host`` and ``init`` count whatever their source, unless the version tells the host by its
        identity (PolicySet.posture).
        """
        config = self._policies.config
        bearing = {
            key: self._index.selected(LabelSelector((Requirement(Source.ANY, key, Operator.EXISTS),)))
            for key in ("host", "init")
        }
        hosts = self._is_node if config.holds(HOST_BY_IDENTITY) else bearing["host"]
        exempt = 0 if config.host_firewall else hosts
        if config.enforcement is Enforcement.NEVER:
            exempt = self._index.everybody
        isolated = self._index.everybody if config.enforcement is Enforcement.ALWAYS else bearing["init"]
        return exempt, isolated & ~exempt

    def selected(self, kind: SubjectKind, namespace: str, selector: LabelSelector) -> int:
        """Give the ends that a subject selector selects: cluster-wide policies everywhere, others at home."""
        place = self._index.everybody if not namespace else self._in_namespace.get(namespace, 0)
        nodes = self._is_node if kind is SubjectKind.NODES else ~self._is_node
        return self._index.selected(selector) & place & nodes & self._governed if place else 0

    def subjects_of(self, rule: Rule) -> int:
        """Give the ends that a rule selects as its subjects."""
        subject = rule.subject
        return self.selected(subject.kind, subject.namespace, subject.selector)

    def subjects(self, direction: Direction, looked_at: Iterable[Rule]) -> Subjects:
        """Sort all ends into classes by the rules that select them, and work out the entries of each class."""
        groups: dict[tuple[SubjectKind, str, LabelSelector], list[RuleEntries]] = defaultdict(list)
        for rule in looked_at:
            if rule.direction is direction:
                key = (rule.subject.kind, rule.subject.namespace, rule.subject.selector)
                groups[key].append(entries_of_rule(rule))
        rules_of = [tuple(found) for found in groups.values()]
        selected = [self.selected(kind, namespace, selector) for kind, namespace, selector in groups]
        selecting: list[list[int]] = [[] for _ in self._parties]
        for number, bits in enumerate(selected):
            for end in members(bits):
                selecting[end].append(number)
        is_ingress = direction is Direction.INGRESS
        own = [tuple(e for one in rules for e in one.entries if e.name and is_ingress) for rules in rules_of]
        by_key: dict[_Key, list[int]] = defaultdict(list)
        for end, party in enumerate(self._parties):
            found = tuple(selecting[end])
            key_of_end = (
                found,
                bool(self._exempt >> end & 1),
                bool(self._isolated >> end & 1),
                party.named_ports if any(own[number] for number in found) else (),
                bool(self._governed >> end & 1),
            )
            by_key[key_of_end].append(end)
        classes, class_of = [], [0] * len(self._parties)
        spared = self._exempt
        for (found, *_), ends in by_key.items():
            rules = [one for number in found for one in rules_of[number]]
            made = self._class(direction, ends, rules)
            if made.enforced and any(one.needs_merging for one in rules):
                self._merge(direction, made)
                spared |= made.members
            elif made.enforced:
                made.groups = found
                made.entries = tuple(entry for number in found for entry in own[number])
            classes.append(made)
            for end in ends:
                class_of[end] = len(classes) - 1
        shared = tuple(
            RuleGroup(bits & ~spared, tuple(e for one in rules for e in one.entries if not (e.name and is_ingress)))
            for bits, rules in zip(selected, rules_of, strict=True)
        )
        return Subjects(direction, shared, tuple(classes), tuple(class_of))

    def _class(self, direction: Direction, ends: list[int], rules: Sequence[RuleEntries]) -> SubjectClass:
        first, made = ends[0], SubjectClass(self._parties[ends[0]], bit_set(ends))
        isolated = bool(self._isolated >> first & 1)
        made.selected = bool(rules)
        made.enforced = bool(
            self._governed >> first & 1 and not self._exempt >> first & 1 and (isolated or bool(rules))
        )
        if made.enforced:
            made.default_allow = not isolated and not any(one.rule.default_deny for one in rules)
            made.conflicting = self._conflicting(direction, made, rules)
        return made

    def _merge(self, direction: Direction, made: SubjectClass) -> None:
        """Let the engine merge the rules, where what they say depends on each other."""
        table = self._table(direction, made, self._policies.posture(made.sample, direction))
        made.conflicting = table.conflict is not None
        made.default_allow = False  # it is among the entries
        made.entries = tuple(entries_of_filters(table.filters))

    def _conflicting(self, direction: Direction, made: SubjectClass, rules: Sequence[RuleEntries]) -> bool:
        """Look for a contradiction among the rules that can be part of one; a deny can make it vanish."""
        if sum(one.can_conflict for one in rules) < 2:
            return False
        suspects = tuple(one.rule for one in rules if one.can_conflict or one.denies)
        posture = Posture(enforced=True, default_deny=not made.default_allow, rules=suspects)
        return self._table(direction, made, posture).conflict is not None

    def _table(self, direction: Direction, made: SubjectClass, posture: Posture) -> Table:
        return make_table(
            posture,
            direction,
            localhost=None,
            subject_namespace=own_labels(made.sample).namespace,
            config=self._policies.config,
        )


def conflicting_ends(subjects: Iterable[Subjects]) -> Iterator[int]:
    """Give, for each direction, the ends whose rules contradict each other there."""
    for one in subjects:
        found = 0
        for of_class in one.classes:
            if of_class.conflicting:
                found |= of_class.members
        yield found
