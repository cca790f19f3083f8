"""From selectors to bit sets: which of many label sets a selector selects, by look-ups instead of comparisons."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from handlers.model.labels import Label, LabelSet, Source
from handlers.model.rule import LabelSelector, Operator, Requirement
from handlers.reach.bits import bit_set, everything

_NO_LABELS = LabelSet(())


class LabelIndex:
    """An index over a fixed sequence of label sets; a set's position is its number in every bit set given out."""

    def __init__(self, label_sets: Sequence[LabelSet]) -> None:
        self._label_sets = label_sets
        self.everybody = everything(len(label_sets))
        positions: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        with_prefixes = []
        for position, labels in enumerate(label_sets):
            for label in labels:
                positions[label.key, label.value, label.source].append(position)
                if label.source == Source.CIDR:
                    with_prefixes.append(position)
        self._with_prefixes = tuple(dict.fromkeys(with_prefixes))
        self._by_value: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
        self._by_key: dict[str, dict[str, int]] = defaultdict(dict)
        for (key, value, source), found in positions.items():
            bits = bit_set(found)
            self._by_value[key, value].append((source, bits))
            of_key = self._by_key[key]
            of_key[source] = of_key.get(source, 0) | bits
        self._requirements: dict[Requirement, int] = {}
        self._selectors: dict[LabelSelector, int] = {}

    def bearing(self, labels: Iterable[Label]) -> int:
        """Give the label sets that have all of these labels."""
        bits = self.everybody
        for label in labels:
            of_value = self._by_value.get((label.key, label.value), ())
            bits &= next((found for source, found in of_value if source == label.source), 0)
        return bits

    def selected(self, selector: LabelSelector) -> int:
        """Give the label sets that the selector selects, as ``LabelSelector.matches`` would."""
        bits = self._selectors.get(selector)
        if bits is None:
            bits = 0 if selector.unusable else self.everybody
            for requirement in selector.requirements:
                if not bits:
                    break
                bits &= self._meeting(requirement)
            self._selectors[selector] = bits
        return bits

    def _meeting(self, requirement: Requirement) -> int:
        bits = self._requirements.get(requirement)
        if bits is None:
            if requirement.source == Source.CIDR:
                bits = self._meeting_prefix(requirement)
            else:
                bits = self._meeting_label(requirement)
            self._requirements[requirement] = bits
        return bits

    def _meeting_label(self, requirement: Requirement) -> int:
        """Look the requirement up (handlers/model/rule.py, Requirement.matches)."""
        if requirement.operator is Operator.EXISTS:
            return self._with_key(requirement)
        if requirement.operator is Operator.DOES_NOT_EXIST:
            return self.everybody & ~self._with_key(requirement)
        bits = 0
        for value in requirement.values:
            for source, found in self._by_value.get((requirement.key, value), ()):
                if requirement.source in (Source.ANY, source):
                    bits |= found
        return self.everybody & ~bits if requirement.operator is Operator.NOT_IN else bits

    def _with_key(self, requirement: Requirement) -> int:
        bits = 0
        for source, found in self._by_key.get(requirement.key, {}).items():
            if requirement.source in (Source.ANY, source):
                bits |= found
        return bits

    def _meeting_prefix(self, requirement: Requirement) -> int:
        """Compare one by one: a prefix is also met by the labels of the prefixes inside it, and few sets have any."""
        bits = self.everybody if requirement.matches(_NO_LABELS) else 0
        for position in self._with_prefixes:
            bit = 1 << position
            bits = bits | bit if requirement.matches(self._label_sets[position]) else bits & ~bit
        return bits
