"""The peers of all subjects: which sightings each selector selects, for certain and in doubt."""

from collections import defaultdict
from collections.abc import Mapping

from handlers.model.decision import NamedPortFault
from handlers.model.rule import Direction, L4Protocol, LabelSelector
from handlers.policy.policy_set import PolicySet
from handlers.policy.services import UNREAD_SERVICE
from handlers.policy.unread import fact_in_doubt
from handlers.reach.bits import members
from handlers.reach.label_index import LabelIndex
from handlers.reach.peer_labels import STRANGER, PeerLabels


class Peers:
    """Numbers the sets of sightings that selectors stand for, so that equal selectors are one set, made once.

    Set number 0 is everybody.
    """

    EVERYBODY = 0

    def __init__(self, seen: PeerLabels) -> None:
        self._seen = seen
        self._index = LabelIndex(seen.labels)
        self._uncertain = tuple(
            number
            for number, end in enumerate(seen.end_of)
            if seen.parties[end].missing or seen.parties[end].fqdn_names is None
        )
        self.sets: list[int] = [self._index.everybody]
        self._members: dict[int, list[int]] = {}
        self._resolving: dict[tuple[str, L4Protocol], Mapping[int | None, int]] = {}
        self._numbers: dict[LabelSelector, tuple[int | None, int | None]] = {}

    def sets_of(self, selector: LabelSelector) -> tuple[int | None, int | None]:
        """Give the number of the set that is selected for certain, and of the one in doubt; None for an empty one."""
        numbers = self._numbers.get(selector)
        if numbers is None:
            numbers = self._numbers[selector] = self._number(selector)
        return numbers

    def within(self, number: int | None, bits: int) -> int | None:
        """Give the number of the part of a set that lies within these sightings; None for an empty one."""
        return None if number is None else self._kept(self.sets[number] & bits)

    def resolving(self, policies: PolicySet, name: str, protocol: L4Protocol) -> Mapping[int | None, int]:
        """Give the sightings for which a port name stands for each number; None: it is not known which."""
        known = self._resolving.get((name, protocol))
        if known is not None:
            return known
        found: dict[int | None, int] = defaultdict(int)
        for sighting, end in enumerate(self._seen.end_of):
            party = self._seen.parties[end]
            if policies.port_name_in_doubt(Direction.EGRESS, party, name, protocol):
                found[None] |= 1 << sighting
                continue
            number = policies.resolve_name(Direction.EGRESS, STRANGER, name, protocol, party)
            if not isinstance(number, NamedPortFault):
                found[number] |= 1 << sighting
        self._resolving[name, protocol] = found
        return found

    def members(self, number: int) -> list[int]:
        """Give the sightings in a set."""
        found = self._members.get(number)
        if found is None:
            found = self._members[number] = members(self.sets[number])
        return found

    def _number(self, selector: LabelSelector) -> tuple[int | None, int | None]:
        if selector.is_wildcard:
            return self.EVERYBODY, None
        doubt = self._doubtful(selector)
        return self._kept(self._index.selected(selector) & ~doubt), self._kept(doubt)

    def _kept(self, bits: int) -> int | None:
        if not bits:
            return None
        self.sets.append(bits)
        return len(self.sets) - 1

    def _doubtful(self, selector: LabelSelector) -> int:
        """Ask about each sighting of which something was not read (fact_in_doubt)."""
        suspects = self._uncertain
        if any(requirement.source == UNREAD_SERVICE for requirement in selector.requirements):
            suspects = tuple(range(len(self._seen.labels)))
        doubt = 0
        for number in suspects:
            party = self._seen.parties[self._seen.end_of[number]]
            if fact_in_doubt(selector, party, self._seen.labels[number]) is not None:
                doubt |= 1 << number
        return doubt
