"""The objects that a source lists for one read, several kinds side by side, and where they came from."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from workers.sources.assemble.resources import EVERY, Resource, Select
from workers.sources.deadline import Deadline

if TYPE_CHECKING:
    from concurrent.futures import Executor

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Listing(Protocol):
    """What lists objects: the objects selected, or more of the same kind, and where they were read."""

    def __call__(self, resource: Resource[T], select: Select, deadline: Deadline) -> tuple[tuple[T, ...], str]:
        """Return the objects and their origin, or raise UnreadError or MalformedError."""
        ...


class Lists:
    """Lists within one deadline."""

    def __init__(self, listing: Listing, deadline: Deadline, threads: "Executor | None", *, is_archive: bool) -> None:
        self._listing = listing
        self._deadline = deadline
        self._threads = threads
        self._is_archive = is_archive
        self._origins: list[str] = []

    @property
    def origin(self) -> str:
        """Where everything listed so far was read."""
        return ", ".join(dict.fromkeys(self._origins))

    def every(self, resource: Resource[T]) -> tuple[T, ...]:
        """Return all objects of a kind."""
        return self.some(resource, EVERY)

    def some(self, resource: Resource[T], *selects: Select) -> tuple[T, ...]:
        """Return the objects of a kind that any of the selections wants; an archive gives all of the kind."""
        return self.of(*((resource, select) for select in selects))

    def of(self, *wanted: tuple[Resource[T], Select]) -> tuple[T, ...]:
        """Return the objects of several kinds, in the order of the kinds."""
        # An archive gives all of a kind whatever is selected: it is asked once, or each object would come twice.
        asked = dict.fromkeys((resource, EVERY) for resource, _ in wanted) if self._is_archive else wanted
        return self.together([partial(self._one, resource, select) for resource, select in asked])

    def together(self, calls: Sequence[Callable[[], Iterable[T]]]) -> tuple[T, ...]:
        """Make calls side by side; the first failure, in the order of the calls, is everybody's."""
        if self._threads is None or len(calls) == 1:
            return tuple(item for call in calls for item in call())
        waiting = [self._threads.submit(call) for call in calls]
        return tuple(item for future in waiting for item in future.result())

    def _one(self, resource: Resource[T], select: Select) -> tuple[T, ...]:
        found, origin = self._listing(resource, select, self._deadline)
        self._origins.append(origin)
        return found
