"""Where facts come from, seen from the knowledge: anything that answers an ask with a whole part or a reason."""

from datetime import datetime
from typing import Protocol

from handlers.model.snapshot import Ask, Known, Missing


class Source(Protocol):
    """A cluster, an archive of one, or a recording."""

    @property
    def title(self) -> str:
        """What is looked at, in words: ``cluster prod-eu`` or ``sysdump NAME``."""
        ...

    def now(self) -> datetime:
        """Return "now" for everything judged: the clock, or the moment an archive was taken."""
        ...

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        """Read one part within ``timeout`` seconds.

        A failure is a Missing with its reason; nothing is raised for a cluster that does not answer.
        """
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
