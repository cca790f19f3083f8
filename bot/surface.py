"""Where an answer goes, seen from whoever has one: a message in Slack, a place from which a caller fetches it.

Whoever answers knows this page and no surface; a ticket's address names the surface and the place on it. Each surface
makes its own form of what it is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.render.failure import Failure
from bot.ticket import Ticket
from handlers.model.report import FirstAnswer, Report


class SurfaceError(Exception):
    """It did not arrive and never will; the message says why."""


class UnavailableError(SurfaceError):
    """It could not be taken now; the same thing done later may work."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A report; its id in ``bot.reports``, empty where it was not kept; since when it is in the cache, if it is.

    ``own`` is what the asker alone may see, with its id, None where that is no more than everybody there may.
    """

    report: Report
    report_id: str = ""
    cached_at: datetime | None = None
    own: Report | None = None
    own_id: str = ""


class Surface(Protocol):
    """A kind of place where answers go.

    A question may be answered twice, by two processes: the second answer takes the place of the first.
    """

    def progress(self, waiter: Ticket, told: str | FirstAnswer) -> bool:
        """Show how far the run is, or what is certain already, where that can be done at once; say whether it was.

        Never after the answer; raises no SurfaceError.
        """
        ...

    def answer(self, waiter: Ticket, answer: Answer) -> None:
        """Give the answer.

        Raises:
            UnavailableError: if it could not be given now.
            SurfaceError: if there is no way to the asker.
        """
        ...

    def fail(self, waiter: Ticket, failure: Failure) -> None:
        """Say why there is no answer.

        Raises:
            UnavailableError, SurfaceError: as ``answer`` does.
        """
        ...


class Surfaces:
    """All surfaces by name; one itself, which hands on to the one that the ticket's address names."""

    def __init__(self, surfaces: Mapping[str, Surface]) -> None:
        self._surfaces = surfaces

    def progress(self, waiter: Ticket, told: str | FirstAnswer) -> bool:
        """Show how far the run is."""
        return waiter.address.surface not in self._surfaces or self._of(waiter).progress(waiter, told)

    def answer(self, waiter: Ticket, answer: Answer) -> None:
        """Give the answer."""
        self._of(waiter).answer(waiter, answer)

    def fail(self, waiter: Ticket, failure: Failure) -> None:
        """Say why there is no answer."""
        self._of(waiter).fail(waiter, failure)

    def _of(self, waiter: Ticket) -> Surface:
        try:
            return self._surfaces[waiter.address.surface]
        except KeyError:
            raise SurfaceError(f"this release knows no surface {waiter.address.surface!r}") from None
