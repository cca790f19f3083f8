"""How much time is left for a read made of several calls."""

import time
from dataclasses import dataclass

from handlers.model.snapshot import Gap
from workers.sources.unread import UnreadError


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    def remaining(self, doing: str) -> float:
        """Return the seconds left.

        Raises:
            UnreadError: TIMEOUT, naming what was being done, if there are none.
        """
        left = self.left
        if left <= 0:
            raise UnreadError(Gap.TIMEOUT, f"no time left to {doing}", "Ask again, or raise the budget.")
        return left
