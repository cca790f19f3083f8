"""What was read of a cluster at one moment: parts that are known, and parts that are missing with the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar, cast

from handlers.model.scope import Scope
from handlers.model.width import WHOLE, Width

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Gap(StrEnum):
    """Why a part is missing."""

    NOT_ASKED = "not-asked"
    FORBIDDEN = "forbidden"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNSUPPORTED = "unsupported"
    NOT_IN_DUMP = "not-in-dump"
    MALFORMED = "malformed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Known(Generic[T_co]):
    """A part that was read whole, and when."""

    value: T_co
    observed_at: datetime
    origin: str = ""
    """Where it was read: ``kubernetes``, ``hubble``, ``agent``, or a file of an archive."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that was not read. ``detail`` says what failed; ``remedy`` what the asker can do about it."""

    gap: Gap
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ConfigNotRead(Missing):
    """No ``cilium-config`` could be read, yet who asks named the version to judge by, whatever runs."""

    version: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PartOf(Generic[T_co]):
    """What a part is, declared once for each in ``handlers.model.parts``; ``T_co`` is what ``Known.value`` holds."""

    name: str
    """Its name on the wire and in code: ``cilium_endpoints``."""
    holds: Any
    """The type of one answer as a recording reads it back; for a part per node, of one node's answer."""
    width: Width = WHOLE
    """What of a scope tells how much of it is read."""
    is_per_node: bool = False
    """Whether the part is read from each node's agent by itself."""

    @property
    def in_words(self) -> str:
        """The part's name as people write it."""
        return self.name.replace("_", " ")

    def __str__(self) -> str:
        """Return the name."""
        return self.name


AnyPart: TypeAlias = PartOf[object]
"""A part, whatever it holds."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One read: a part, how wide, and of which node where the part is per node."""

    part: AnyPart
    scope: Scope
    node: str | None = None


@dataclass(frozen=True, slots=True)
class PerNode(Generic[T]):
    """A part that every node answers for itself."""

    nodes: Mapping[str, "Known[T] | Missing"]

    def on(self, node: str | None) -> "Known[T] | Missing":
        """Return what this node said; a node that was not asked is Missing, never empty."""
        if node is None:
            return Missing(Gap.NOT_ASKED, "the node is not known")
        return self.nodes.get(node) or Missing(Gap.NOT_ASKED, f"the agent of node {node} was not asked")

    def known(self) -> Iterator[tuple[str, T]]:
        """Yield each node that answered, with its answer."""
        for node, answer in self.nodes.items():
            if isinstance(answer, Known):
                yield node, answer.value


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Parts by name. A part that nobody asked for is Missing(NOT_ASKED)."""

    taken_at: datetime
    """"Now" for everything judged: the clock when live, the archive's time for a sysdump."""
    source: str
    """What was looked at, for people: ``cluster prod-eu (context ...)`` or ``sysdump NAME``."""
    parts: Mapping[AnyPart, Known[object] | Missing] = field(default_factory=dict)

    def get(self, part: PartOf[T]) -> Known[T] | Missing:
        """Return the part, or Missing(NOT_ASKED)."""
        answer = self.parts.get(part) or Missing(Gap.NOT_ASKED, f"{part} was not asked for")
        return cast("Known[T] | Missing", answer)  # a mapping cannot say that each key has its own type of value

    def gaps(self) -> Iterator[tuple[AnyPart, str | None, Missing]]:
        """Yield every part that is missing, with the node where the part is one node's."""
        for part, answer in self.parts.items():
            if isinstance(answer, Missing):
                yield part, None, answer
            elif isinstance(answer.value, PerNode):
                for node, of_node in answer.value.nodes.items():
                    if isinstance(of_node, Missing):
                        yield part, node, of_node
