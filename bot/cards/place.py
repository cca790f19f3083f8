"""Which card is meant: its channel, and its cause."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A channel of a workspace."""

    team: str
    channel: str

    def __str__(self) -> str:
        """Write it as a part of a key in Redis; ids of Slack have letters and digits alone."""
        return f"{self.team}:{self.channel}"


@dataclass(frozen=True, slots=True, order=True)
class CardRef:
    """One card: a cause in a channel."""

    place: Place
    fingerprint: str

    def __str__(self) -> str:
        """Write it so that ``ref_of`` reads it back."""
        return f"{self.place}:{self.fingerprint}"


def place_of(text: str) -> Place:
    """Read what ``str`` of a place wrote."""
    team, _, channel = text.partition(":")
    return Place(team, channel)


def ref_of(text: str) -> CardRef:
    """Read what ``str`` of a reference wrote."""
    place, _, fingerprint = text.rpartition(":")
    return CardRef(place_of(place), fingerprint)
