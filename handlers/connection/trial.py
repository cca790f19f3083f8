"""The trial of a connection: all that it meets, worked out once and handed to whoever judges or concludes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from handlers.connection.dns import observe_dns
from handlers.connection.ends import Ends, ends_of
from handlers.connection.judgement import Judged, judge, judge_lookups
from handlers.connection.legs import Leg, Stretch, legs_of, stretches_of, untranslated
from handlers.connection.observation import Observation, observe
from handlers.connection.policies import PolicyChange, newest_change
from handlers.model.connection import Connection
from handlers.model.facts import Facts, Lacking, attempt, needed
from handlers.model.report import Observed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trial:
    """What one connection meets, piece by piece.

    A piece is there, or it is Lacking and names the part of the snapshot that it lacks. It is worked out when first
    asked for and kept with the facts. While a name is not clear nothing runs between the ends: no stretch, no leg.
    """

    connection: Connection
    facts: Facts

    @property
    def ends(self) -> Ends | Lacking:
        """Both names, resolved."""
        return self._once("ends", lambda: ends_of(self.connection, self.facts))

    @property
    def stretches(self) -> tuple[Stretch, ...] | Lacking:
        """From all sources to all destinations, one for each port that packets can arrive at."""
        return self._once("stretches", self._stretches)

    @property
    def legs(self) -> tuple[Leg, ...] | Lacking:
        """Each pair of places that policy could tell apart."""
        return self._once("legs", lambda: legs_of(needed(self.stretches), self.facts))

    @property
    def judgements(self) -> tuple[Judged, ...] | Lacking:
        """What policy says on both sides, for each distinct leg and port."""
        return self._once("judgements", lambda: judge(needed(self.legs), self.connection.http, self.facts))

    @property
    def lookups(self) -> tuple[Judged, ...] | Lacking:
        """What policy says of looking the destination's name up; empty where no name is looked up."""
        return self._once("lookups", self._lookups)

    @property
    def change(self) -> PolicyChange | Lacking | None:
        """The newest change of a policy that selects one of the ends, None where none is dated."""
        return self._once("change", self._change)

    @property
    def observation(self) -> Observation:
        """What flows showed: of the blocked legs where policy blocks only some, else of everything."""
        found = self._once("observation", lambda: observe(self._looked_at() or self._untranslated(), self.facts))
        if isinstance(found, Lacking):
            return Observation(Observed.NO_DATA, f"{found.part.in_words} could not be read: {found.missing.detail}")
        return found

    @property
    def observed_lookup(self) -> Observation | Lacking:
        """What flows showed of the look-up that comes before the connection."""
        return self._once("observed look-up", lambda: observe_dns(needed(self.ends), self.facts))

    def _once(self, piece: str, make: Callable[[], T]) -> T | Lacking:
        return self.facts.once((piece, self.connection), lambda: attempt(make))

    def _stretches(self) -> tuple[Stretch, ...]:
        ends = needed(self.ends)
        return stretches_of(self.connection, ends, self.facts) if ends.are_clear else ()

    def _lookups(self) -> tuple[Judged, ...]:
        ends = needed(self.ends)
        return judge_lookups(ends, self.facts) if ends.are_clear else ()

    def _change(self) -> PolicyChange | None:
        concerned = {str(policy) for leg in needed(self.judgements) for policy in leg.selected_by}
        return newest_change(self.facts, concerned)

    def _untranslated(self) -> tuple[Stretch, ...]:
        ends = needed(self.ends)
        return untranslated(self.connection, ends, self.facts) if ends.are_clear else ()

    def _looked_at(self) -> tuple[Stretch, ...]:
        stretches, legs = needed(self.stretches), self.judgements
        if isinstance(legs, Lacking):
            return stretches
        blocked = [leg.leg for leg in legs if leg.sides.blocking and not leg.sides.loops_back]
        if not blocked or len(blocked) == len(legs):
            return stretches
        limited = (stretch.limited_to(blocked, self.facts) for stretch in stretches)
        return tuple(stretch for stretch in limited if stretch is not None)
