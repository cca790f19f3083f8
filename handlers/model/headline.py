"""The answer to a question in parts: whoever shows it makes a sentence of them, and nobody takes a sentence apart."""

from dataclasses import dataclass

from handlers.model.finding import Hop, Sentence

CANNOT_TELL = "Cannot tell"
"""The lead of a claim that is open, and the status of a question that has no answer."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Who talks to whom. ``port`` is ``8080/TCP`` or ``ICMP``, as the client dials it, empty where none was asked."""

    source: str
    destination: str
    port: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer in parts; all but the claim may be empty."""

    claim: Sentence
    """What is so: who reaches whom or does not, how much is dropped, how many things are ill."""
    status: str = ""
    """The answer in two words where what is expected and what was seen do not tell it: ``Refused``, ``No answer``."""
    pair: Pair | None = None
    """The connection that the claim is about."""
    place: Hop | None = None
    """The hop that decides."""
    reason: Sentence | None = None
    """What decides; where nothing can be told, what that would need."""
    mechanism: Sentence | None = None
    """How the reason comes about: the rule that is nearest, and its clause that fails."""
    others: int = 0
    """Blockers besides the reason."""
    seen: str = ""
    """What flows showed, and how much that is worth; empty where the question is not about flows."""
    remedy: str = ""
    """What to do about the reason."""
    more: tuple[Sentence, ...] = ()
    """What else matters: what passes where only a part is stopped, why packets pass that should not."""
    changed: Sentence | None = None
    """Who changed what before it began, where that touches it."""
    assumed: str = ""
    """What had to be assumed because it could not be read."""
