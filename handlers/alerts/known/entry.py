"""What a known alert declares."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from handlers.alerts.alert import Alert, Labels
from handlers.alerts.signal import Signal

_NO_LETTER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """One alert, or several of one meaning.

    ``read`` gets the alert and the labels of whom it is about (``handlers.alerts.labels``); none at all is in doubt.
    ``labels`` are what its rule leaves of an object's labels, by which a subject line with values alone is read.
    """

    names: tuple[str, ...]
    means: str
    source: str
    """Where the rule and its labels are published."""
    read: Callable[[Alert, Labels], Iterable[Signal]]
    labels: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Names that rules of this meaning have elsewhere, in nobody's publication."""

    @property
    def every_name(self) -> tuple[str, ...]:
        """Every name by which it is known."""
        return self.names + self.also


def plain_name(name: str) -> str:
    """Return a name by which alerts are compared."""
    return _NO_LETTER.sub("", name.lower())


def node_in(labels: Labels) -> str:
    """Return the node that labels name, nothing where they name none that Kubernetes could have."""
    name = labels.get("node", "").lower()
    return name if re.fullmatch(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?", name) else ""
