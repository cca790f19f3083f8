"""The asked ends among everybody else, under the policies as they are and as an edit would make them."""

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.model.party import Party, PartyKind
from handlers.model.rule import Rule
from handlers.policy.policy_set import PolicySet
from handlers.reach.ends import PodEnds
from handlers.reach.narrow import Narrowed
from handlers.reach.roster import Roster, Surrounded, as_seen_by, number_of, with_others

_PODS = (PartyKind.ENDPOINT, PartyKind.INIT)


class Scene:
    """What surrounds one asked flow; ``pods`` are those in use, the asked ones always among them."""

    def __init__(self, pods: PodEnds, old: PolicySet, source: Party, destination: Party) -> None:
        for party in (source, destination):
            if party.kind in _PODS and pods.find(party) is None:
                pods = pods.with_pod(party)
        self.pods = pods
        self._old = old
        self._ends = source, destination

    def under(self, new: PolicySet, ends: tuple[Party, Party], changed: Sequence[Rule]) -> "Compared":
        """Compare with new policies, other in the changed rules; ``ends`` are the asked ones as those see them."""
        states = [Surrounded(self._old), Surrounded(new)]
        rosters = with_others([self.pods, self.pods], states)
        pair = self._pair(rosters, ends)
        if None in pair:
            asked = [
                (as_seen_by(self._old, before), after)
                for before, after, number in zip(self._ends, ends, pair, strict=True)
                if number is None
            ]
            rosters = with_others([self.pods, self.pods], states, asked)
            pair = self._pair(rosters, ends)
        return Compared(Narrowed((self._old, new), self.pods, rosters, changed), *pair)

    def _pair(self, rosters: Sequence[Roster], ends: tuple[Party, Party]) -> tuple[int | None, int | None]:
        (source, destination), (later_source, later_destination) = self._ends, ends
        return (
            number_of(self.pods, rosters, (as_seen_by(self._old, source), later_source), destination),
            number_of(self.pods, rosters, (as_seen_by(self._old, destination), later_destination), source),
        )


@dataclass(frozen=True, slots=True)
class Compared:
    """A change, and between which of its ends the asked flow goes."""

    change: Narrowed
    source: int | None
    destination: int | None

    def is_asked(self, source: int, destination: int) -> bool:
        """Tell whether policy cannot tell a pair from the asked one."""
        return source in self.change.alike(self.source) and destination in self.change.alike(self.destination)
