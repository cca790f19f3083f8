"""Which pods a selector means: every selector becomes a bit set over the identities in use, once."""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_

from handlers.model.labels import LabelSet, Source
from handlers.model.rule import LabelSelector, Operator, Requirement
from handlers.patch.known import KnownIdentity

_Values = dict[tuple[str, str], int]


class Ground:
    """The pods' identities, indexed by label. Bit ``n`` of a mask stands for identity ``n``."""

    def __init__(self, identities: Iterable[KnownIdentity]) -> None:
        """Index the identities."""
        self.identities = tuple(identities)
        self.everybody = (1 << len(self.identities)) - 1
        positions: dict[tuple[str, str, str], list[int]] = {}
        for position, identity in enumerate(self.identities):
            for label in identity.labels:
                positions.setdefault((label.key, label.source, label.value), []).append(position)
        self._by_key: dict[str, _Values] = {}
        for (key, source, value), having in positions.items():
            self._by_key.setdefault(key, {})[source, value] = _mask_of(having)
        self._masks: dict[LabelSelector, int] = {}

    def mask(self, selector: LabelSelector) -> int:
        """Give the identities that a selector means."""
        found = self._masks.get(selector)
        if found is None:
            found = 0 if selector.unusable else self.everybody
            for requirement in selector.requirements:
                found &= self._of_requirement(requirement)
            self._masks[selector] = found
        return found

    def with_label(self, source: str, key: str, value: str) -> int:
        """Give the identities that carry a label."""
        return self._by_key.get(key, {}).get((source, value), 0)

    def _of_requirement(self, requirement: Requirement) -> int:
        values = [
            (value, mask)
            for (source, value), mask in self._by_key.get(requirement.key, {}).items()
            if requirement.source in (Source.ANY, source)
        ]
        if requirement.operator in (Operator.EQUALS, Operator.IN):
            return _union(mask for value, mask in values if value in requirement.values)
        if requirement.operator is Operator.NOT_IN:
            return self.everybody & ~_union(mask for value, mask in values if value in requirement.values)
        having = _union(mask for _, mask in values)
        return having if requirement.operator is Operator.EXISTS else self.everybody & ~having

    def position_of(self, labels: LabelSet, identity: KnownIdentity) -> int | None:
        """Find an identity with the same labels and port names."""
        for position in bits(self._with_all(labels)):
            one = self.identities[position]
            if one.labels == labels and one.named_ports == identity.named_ports and one.managed == identity.managed:
                return position
        return None

    def _with_all(self, labels: LabelSet) -> int:
        found = self.everybody
        for label in labels:
            found &= self.with_label(label.source, label.key, label.value)
        return found


def _mask_of(positions: list[int]) -> int:
    """Set the bits of ascending positions."""
    octets = bytearray(positions[-1] // 8 + 1)
    for position in positions:
        octets[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(octets, "little")


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


def bits(mask: int) -> Iterator[int]:
    """Go through the positions of a mask, the lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def partition(within: int, masks: Iterable[int]) -> list[int]:
    """Split identities into groups that none of the masks tells apart."""
    groups = [within] if within else []
    for mask in masks:
        split = []
        for group in groups:
            inside = group & mask
            if inside == group or not inside:
                split.append(group)
            else:
                split += [inside, group ^ inside]
        groups = split
    return groups
