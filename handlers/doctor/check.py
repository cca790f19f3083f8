"""One thing that was looked at, and how it stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How something stands."""

    FINE = "fine"
    PROBLEM = "problem"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it stands, why, and what to do about it."""

    about: str
    """``Kubernetes API``, ``rights``, ``relay``, ...; several checks may be about one thing."""
    standing: Standing
    said: str
    remedy: str = ""

    def __str__(self) -> str:
        """Write one line, without the remedy."""
        return f"{self.about}: {self.said}"


def fine(about: str, said: str) -> Check:
    """Return a check of what is as it should be."""
    return Check(about, Standing.FINE, said)


def problem(about: str, said: str, remedy: str) -> Check:
    """Return a check of what somebody has to mend."""
    return Check(about, Standing.PROBLEM, said, remedy)


def unknown(about: str, said: str, remedy: str = "") -> Check:
    """Return a check of what could not be told."""
    return Check(about, Standing.UNKNOWN, said, remedy)


def standing_of(checks: Iterable[Check]) -> Standing:
    """Return how a setup stands: a problem outweighs what could not be told."""
    found = {check.standing for check in checks}
    return next((one for one in (Standing.PROBLEM, Standing.UNKNOWN) if one in found), Standing.FINE)
