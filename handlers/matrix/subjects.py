"""The subjects of one direction, in classes: those whom the same rules select have the same policy."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from handlers.matrix.bits import bit_set, members
from handlers.matrix.entries import Entry, RuleEntries, entries_of_filters, entries_of_rule
from handlers.matrix.label_index import LabelIndex
from handlers.model.labels import Source
from handlers.model.party import NamedPort, Party, PartyKind
from handlers.model.rule import Direction, LabelSelector, Operator, Requirement, SubjectKind
from handlers.policy.config import Enforcement
from handlers.policy.decide import Posture, Table, make_table
from handlers.policy.policy_set import PolicySet
from handlers.policy.views import is_under_policy, own_labels

_NODE_KINDS = (PartyKind.NODE, PartyKind.HOST)


@dataclass(slots=True)
class SubjectClass:
    """Subjects whom the same rules select in one direction, with the entries of their policy map.

    ``applicable`` is False for ends under nobody's policy here, ``enforced`` for those whom no rule selects;
    ``conflicting`` says that the rules contradict each other.
    """

    sample: Party
    members: int
    applicable: bool
    enforced: bool = False
    conflicting: bool = False
    default_allow: bool = False
    entries: list[Entry] = field(default_factory=list)
    rules: tuple[RuleEntries, ...] = ()


@dataclass(frozen=True, slots=True)
class Subjects:
    """All ends as subjects of one direction: the classes, and which class each end belongs to."""

    direction: Direction
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
        return Subjects(self.direction, tuple(classes), tuple(class_of))


_Key = tuple[tuple[int, ...], bool, bool, tuple[NamedPort, ...] | None, bool]


class Selection:
    """Which rules select which ends as their subjects."""

    def __init__(self, policies: PolicySet, parties: Sequence[Party]) -> None:
        self._policies = policies
        self._parties = parties
        own = [own_labels(party) for party in parties]
        self._index = LabelIndex(own)
        self._namespaces = [labels.namespace for labels in own]
        by_namespace: dict[str, list[int]] = defaultdict(list)
        for number, namespace in enumerate(self._namespaces):
            by_namespace[namespace].append(number)
        self._in_namespace = {namespace: bit_set(found) for namespace, found in by_namespace.items()}
        self._is_node = bit_set(number for number, party in enumerate(parties) if party.kind in _NODE_KINDS)
        self._governed = bit_set(
            number for number, party in enumerate(parties) if is_under_policy(party, policies.config)
        )
        self._exempt, self._isolated = self._by_label()

    def _by_label(self) -> tuple[int, int]:
        """Give the ends that policy spares, and those that it isolates, whatever selects them.

        The label keys ``host`` and ``init`` count whatever their source (PolicySet.posture).
        """
        config = self._policies.config
        bearing = {
            key: self._index.selected(LabelSelector((Requirement(Source.ANY, key, Operator.EXISTS),)))
            for key in ("host", "init")
        }
        exempt = 0 if config.host_firewall else bearing["host"]
        if config.enforcement is Enforcement.NEVER:
            exempt = self._index.everybody
        isolated = self._index.everybody if config.enforcement is Enforcement.ALWAYS else bearing["init"]
        return exempt, isolated & ~exempt

    def selected(self, kind: SubjectKind, namespace: str, selector: LabelSelector) -> int:
        """Give the ends that a subject selector selects: cluster-wide policies everywhere, others at home."""
        place = self._index.everybody if not namespace else self._in_namespace.get(namespace, 0)
        nodes = self._is_node if kind is SubjectKind.NODES else ~self._is_node
        return self._index.selected(selector) & place & nodes & self._governed if place else 0

    def subjects(self, direction: Direction) -> Subjects:
        """Sort all ends into classes, and work out the entries of each class."""
        groups: dict[tuple[SubjectKind, str, LabelSelector], list[RuleEntries]] = defaultdict(list)
        for rule in self._policies.rules:
            if rule.direction is direction:
                key = (rule.subject.kind, rule.subject.namespace, rule.subject.selector)
                groups[key].append(entries_of_rule(rule))
        rules_of = [tuple(found) for found in groups.values()]
        selecting: list[list[int]] = [[] for _ in self._parties]
        for number, (kind, namespace, selector) in enumerate(groups):
            for end in members(self.selected(kind, namespace, selector)):
                selecting[end].append(number)
        names_ports = [any(entry.name for one in rules for entry in one.entries) for rules in rules_of]
        by_key: dict[_Key, list[int]] = defaultdict(list)
        for end, party in enumerate(self._parties):
            found = selecting[end]
            named = direction is Direction.INGRESS and any(names_ports[number] for number in found)
            key_of_end = (
                tuple(found),
                bool(self._exempt >> end & 1),
                bool(self._isolated >> end & 1),
                party.named_ports if named else (),
                bool(self._governed >> end & 1),
            )
            by_key[key_of_end].append(end)
        classes, class_of = [], [0] * len(self._parties)
        for key_of_class, ends in by_key.items():
            rules = tuple(one for number in key_of_class[0] for one in rules_of[number])
            classes.append(self._class(direction, ends, rules))
            for end in ends:
                class_of[end] = len(classes) - 1
        return Subjects(direction, tuple(classes), tuple(class_of))

    def _class(self, direction: Direction, ends: list[int], rules: tuple[RuleEntries, ...]) -> SubjectClass:
        first, sample = ends[0], self._parties[ends[0]]
        if not self._governed >> first & 1:
            return SubjectClass(sample, bit_set(ends), applicable=False)
        isolated = bool(self._isolated >> first & 1)
        enforced = not self._exempt >> first & 1 and (isolated or bool(rules))
        made = SubjectClass(sample, bit_set(ends), applicable=True, enforced=enforced)
        if not enforced:
            return made
        made.rules = rules
        made.default_allow = not isolated and not any(one.rule.default_deny for one in rules)
        if any(one.needs_merging for one in rules):
            self._merge(direction, made)
        else:
            made.conflicting = self._conflicting(direction, made)
            made.entries = [entry for one in rules for entry in one.entries]
        return made

    def _merge(self, direction: Direction, made: SubjectClass) -> None:
        """Let the engine merge the rules, where what they say depends on each other."""
        table = self._table(direction, made, self._policies.posture(made.sample, direction))
        made.conflicting = table.conflict is not None
        made.default_allow = False  # it is among the entries
        made.entries = list(entries_of_filters(table.filters))

    def _conflicting(self, direction: Direction, made: SubjectClass) -> bool:
        """Look for a contradiction among the rules that can be part of one; a deny can make it vanish."""
        suspects = [one for one in made.rules if one.can_conflict]
        if len(suspects) < 2:
            return False
        rules = tuple(one.rule for one in made.rules if one.can_conflict or one.denies)
        posture = Posture(enforced=True, default_deny=not made.default_allow, rules=rules)
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
