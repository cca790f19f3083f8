"""How a connection stood when it was looked at: what a later answer to the same question is held against."""

from dataclasses import dataclass
from datetime import datetime

from handlers.model.change import Change


@dataclass(frozen=True, slots=True)
class Way:
    """From one workload to another on one port: whether policy stops it, and when a packet was last seen to pass.

    Ends that are no pods are named as they were asked for.
    """

    source: str
    destination: str
    port: str
    is_blocked: bool = False
    passed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What was seen of a connection and what could change it, at one moment.

    Times are of the newest such packet, None where none was seen. Policies are written ``Kind/namespace/name``.
    """

    passed_at: datetime | None = None
    dropped_at: datetime | None = None
    ways: tuple[Way, ...] = ()
    """Of a connection with several ends or ports each, the first few."""
    selecting: tuple[str, ...] = ()
    """Policies that select one of the ends."""
    policies: tuple[str, ...] = ()
    """Every policy in reach of the ends."""
    is_whole: bool = False
    """Whether ``policies`` are all of them, so that one that lacks does not exist."""
    changes: tuple[Change, ...] = ()
    """The newest changes of policies in reach, of the pods at the ends and of the Services between, newest first."""
    pods: tuple[str, ...] = ()
    """Pods at the ends, ``namespace/name``."""
    unheard: tuple[str, ...] = ()
    """Nodes of the ends whose flows were not heard."""
