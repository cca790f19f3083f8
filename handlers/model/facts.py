"""The parts of a snapshot that were declared, by type: touching another part is a mistake, a missing one a reason."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, Known, Missing, PartOf, Snapshot

T = TypeVar("T")

_TOUCHED = "parts that somebody looked at"


class UndeclaredPartError(Exception):
    """A probe touched a part that its declaration does not name: a mistake in the probe."""


class PartMissingError(Exception):
    """A part that is needed was not read.

    Attributes:
        part: which one.
        missing: why.
    """

    def __init__(self, part: AnyPart, missing: Missing) -> None:
        super().__init__(f"{part}: {missing.detail}")
        self.part = part
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Lacking:
    """Something that could not be worked out, since a part that it rests on was not read."""

    part: AnyPart
    missing: Missing


def attempt(make: Callable[[], T]) -> T | Lacking:
    """Return what ``make`` gives, or the part that it lacked."""
    try:
        return make()
    except PartMissingError as error:
        return Lacking(error.part, error.missing)


def needed(found: T | Lacking) -> T:
    """Return what was worked out.

    Raises:
        PartMissingError: if a part that it rests on was not read.
    """
    if isinstance(found, Lacking):
        raise PartMissingError(found.part, found.missing)
    return found


class _Value(Generic[T]):
    """The value of one part as an attribute of Facts: what ``facts.value(part)`` returns, and raises."""

    def __init__(self, part: PartOf[T]) -> None:
        self._part = part

    def __get__(self, facts: "Facts", _: type["Facts"]) -> T:
        return facts.value(self._part)


class Facts:
    """A typed view of a snapshot.

    The attributes give the part's value and raise PartMissingError where it was not read, UndeclaredPartError where
    it was not declared. ``look`` returns a part as Known or Missing, for those who can do without it.
    """

    namespaces = _Value(Part.NAMESPACES)
    nodes = _Value(Part.NODES)
    pods = _Value(Part.PODS)
    cilium_pods = _Value(Part.CILIUM_PODS)
    services = _Value(Part.SERVICES)
    endpoint_slices = _Value(Part.ENDPOINT_SLICES)
    cluster_dns = _Value(Part.CLUSTER_DNS)
    policies = _Value(Part.POLICIES)
    egress_gateways = _Value(Part.EGRESS_GATEWAYS)
    cilium_endpoints = _Value(Part.CILIUM_ENDPOINTS)
    identities = _Value(Part.IDENTITIES)
    events = _Value(Part.EVENTS)
    changes = _Value(Part.CHANGES)
    flows = _Value(Part.FLOWS)
    relay = _Value(Part.RELAY)
    agent_status = _Value(Part.AGENT_STATUS)
    agent_endpoints = _Value(Part.AGENT_ENDPOINTS)
    agent_metrics = _Value(Part.AGENT_METRICS)

    def __init__(
        self,
        snapshot: Snapshot,
        declared: frozenset[AnyPart] | None = None,
        memory: dict[Hashable, Any] | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._declared = declared
        self._memory: dict[Hashable, Any] = {} if memory is None else memory
        self._touched: set[AnyPart] = self._memory.setdefault(_TOUCHED, set())

    def narrowed(self, declared: frozenset[AnyPart]) -> "Facts":
        """Return the same facts with only ``declared`` in reach, sharing what was already derived."""
        return Facts(self._snapshot, declared, self._memory)

    def look(self, part: PartOf[T]) -> Known[T] | Missing:
        """Return the part as it is.

        Raises:
            UndeclaredPartError: if the part was not declared.
        """
        if self._declared is not None and part not in self._declared:
            raise UndeclaredPartError(f"{part} was not declared")
        self._touched.add(part)
        return self._snapshot.get(part)

    @property
    def touched(self) -> frozenset[AnyPart]:
        """The parts that somebody has looked at so far, through this view or one narrowed from it."""
        return frozenset(self._touched)

    def value(self, part: PartOf[T]) -> T:
        """Return the part's value.

        Raises:
            PartMissingError: if it was not read.
            UndeclaredPartError: if the part was not declared.
        """
        answer = self.look(part)
        if isinstance(answer, Missing):
            raise PartMissingError(part, answer)
        return answer.value

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` gives, computed once for each key in the life of the snapshot."""
        if key not in self._memory:
            self._memory[key] = make()
        result: T = self._memory[key]
        return result

    @property
    def now(self) -> datetime:
        """The moment everything is judged at."""
        return self._snapshot.taken_at
