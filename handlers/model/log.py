"""The tail of a container's log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PodLog:
    """The last lines that a container wrote, oldest first, and the last ones of the run before.

    Either is None where it could not be had, and the text beside it says why; a container that was never started
    again has no run before.
    """

    namespace: str
    pod: str
    container: str
    lines: tuple[str, ...] | None
    missing: str = ""
    previous: tuple[str, ...] | None = None
    previous_missing: str = ""
