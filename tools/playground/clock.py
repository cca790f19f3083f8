"""The time of the playground, which its people may move forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.playground.impossible import NotPossible

LONGEST_MOVE = 31 * 86_400.0
"""Seconds."""


@dataclass(slots=True)
class MovableClock:
    """The time of the playground: the machine's, and by how much it is ahead. It goes forward only.

    ``file`` is where the app's processes read by how much (``tools.moved_clock``); None where they keep the machine's.
    """

    file: Path | None = None
    ahead: float = 0.0
    now: Callable[[], float] = time.time

    def __call__(self) -> float:
        """Return the seconds since 1970."""
        return self.now() + self.ahead

    def move(self, seconds: float) -> None:
        """Go forward."""
        if not 0 < seconds <= LONGEST_MOVE:
            raise NotPossible("the clock goes forward, a month at most")
        self.ahead += seconds
        if self.file is not None:
            self.file.write_text(str(self.ahead), encoding="ascii")
