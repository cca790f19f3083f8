"""One claim about the cluster, with its evidence; the words are made last, from a template."""

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What a probe found."""

    FINE = "fine"
    PROBLEM = "problem"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    BROKEN = "broken"
    """The probe itself failed: our mistake, never the cluster's."""

    @property
    def order(self) -> int:
        """Position from what hurts most to what does not matter."""
        return _WORST_FIRST.index(self)


_WORST_FIRST = (Outcome.PROBLEM, Outcome.BROKEN, Outcome.UNKNOWN, Outcome.FINE, Outcome.NOT_APPLICABLE)


class Hop(StrEnum):
    """The steps of a connection, in the order in which a packet and its answer take them."""

    RESOLVE = "resolve"
    IDENTITY = "identity"
    DNS = "dns"
    SERVICE = "service"
    EGRESS_POLICY = "egress-policy"
    EGRESS_GATEWAY = "egress-gateway"
    AGENTS = "agents"
    INGRESS_POLICY = "ingress-policy"
    L7 = "l7"
    APPLICATION = "application"
    REPLY = "reply"

    @property
    def order(self) -> int:
        """Position along the path."""
        return list(Hop).index(self)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding rests on.

    ``source`` is ``kubernetes``, ``hubble``, ``agent`` or ``computed``; ``ref`` is ``Kind/namespace/name``
    (``Kind//name`` where cluster-wide); ``pointer`` a JSON pointer into that object; ``at`` when it was observed.
    """

    source: str
    ref: str
    pointer: str = ""
    at: datetime | None = None
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words with holes, and what goes into the holes. Renderers quote the values, so a hostile name stays a name.

    A hole with two words behind its colon stands for one of them: ``{count} polic{count:y|ies}`` is ``1 policy`` and
    ``2 policies``. A value that is a sentence itself is prose, not quoted; behind other words it starts in lower case.
    """

    template: str
    values: "Mapping[str, Value]" = field(default_factory=dict)
    lead: str = ""
    """Words in front that say no more than a status does: who shows the status leaves them out."""

    def said(self, quote: Callable[[str], str] = str) -> str:
        """Return the sentence with every value passed through ``quote``."""
        return "".join(_pieces(self, quote, begins=True))

    def says(self, value: "Value") -> bool:
        """Whether a value fills one of the holes, or one of a sentence inside."""
        names = {name for _literal, name, _words, _conversion in string.Formatter().parse(self.template)}
        mine = [own for name, own in self.values.items() if name in names]
        return any(own == value or (isinstance(own, Sentence) and own.says(value)) for own in mine)

    def __str__(self) -> str:
        """Say it plainly."""
        return self.said()


Value = str | int | float | bool | None | tuple[str, ...] | Sentence
"""What a template may be filled with."""


def _pieces(sentence: Sentence, quote: Callable[[str], str], *, begins: bool) -> list[str]:
    pieces = [_prose(f"{sentence.lead} ", begins=begins)] if sentence.lead else []
    for literal, name, words, _conversion in string.Formatter().parse(sentence.template):
        pieces.append(_prose(literal, begins=begins or any(pieces)))
        value = sentence.values.get(name or "")
        if name is not None and words:
            one, _, many = words.partition("|")
            pieces.append(one if value == 1 else many)
        elif isinstance(value, Sentence):
            pieces += _pieces(value, quote, begins=begins and not any(pieces))
        elif name is not None:
            pieces.append(_spoken(value, quote))
    return pieces


def prose(words: str) -> Sentence:
    """Return our own words as a sentence without holes."""
    return Sentence(words.replace("{", "{{").replace("}", "}}"))


_PROPER_NAMES = ("Cilium", "Hubble")


def _prose(words: str, *, begins: bool) -> str:
    is_capital = words[:1].isupper() and words[1:2].islower() and not words.startswith(_PROPER_NAMES)
    return words[0].lower() + words[1:] if is_capital and not begins else words


def _spoken(value: Value, quote: Callable[[str], str]) -> str:
    match value:
        case None:
            return quote("?")
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(quote(item) for item in value) or "none"
        case str():
            return quote(value)
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class Code:
    """An explanation code: stable name, what it means for the docs, the sentence it makes, and what to do about it.

    ``reason`` is a shorter template over the same values, for a headline; empty where the sentence is short enough.
    """

    name: str
    meaning: str
    template: str
    advice: str = ""
    lead: str = ""
    reason: str = ""

    def finding(
        self,
        outcome: Outcome,
        *,
        hop: Hop | None = None,
        blocking: bool = False,
        evidence: Iterable[Evidence] = (),
        assumptions: Iterable[str] = (),
        advice: str | None = None,
        follow_up: str = "",
        weight: int = 0,
        **values: Value,
    ) -> "Finding":
        """Return a finding of this code, its template filled with ``values``.

        The code's own advice goes with every outcome that needs doing something about.
        """
        needs_advice = outcome in (Outcome.PROBLEM, Outcome.UNKNOWN)
        return Finding(
            self.name,
            outcome,
            Sentence(self.template, values, self.lead),
            hop=hop,
            blocking=blocking,
            evidence=tuple(evidence),
            assumptions=tuple(assumptions),
            advice=advice if advice is not None else self.advice if needs_advice else "",
            follow_up=follow_up,
            weight=weight,
            reason=Sentence(self.reason, values) if self.reason else None,
        )


def code(name: str, *, meaning: str, template: str, advice: str = "", lead: str = "", reason: str = "") -> Code:
    """Declare an explanation code.

    Raises:
        ValueError: if the name is not UPPER_SNAKE.
    """
    if not name.replace("_", "").isalnum() or name != name.upper():
        raise ValueError(f"code {name} is not UPPER_SNAKE")
    return Code(name, meaning, template, advice, lead, reason)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe says.

    ``blocking`` means: if this outcome is PROBLEM the traffic does not pass, and if it is UNKNOWN or BROKEN nobody can
    say whether it passes. ``follow_up`` is a command that looks closer, without the leading ``/cilium``.
    """

    code: str
    outcome: Outcome
    sentence: Sentence
    hop: Hop | None = None
    blocking: bool = False
    evidence: tuple[Evidence, ...] = ()
    assumptions: tuple[str, ...] = ()
    advice: str = ""
    follow_up: str = ""
    weight: int = 0
    """How much it matters among findings of the same kind: larger first (a count of drops, a grade of illness)."""
    detail: Sentence | None = None
    """What else a careful reader wants to know: the nearest miss. A headline leaves it out."""
    reason: Sentence | None = None
    """Why it is so, in one short clause for a headline; None where the claim itself is short enough."""

    @property
    def values(self) -> Mapping[str, Value]:
        """What the sentence is filled with."""
        return self.sentence.values

    @property
    def whole(self) -> Sentence:
        """The claim with its detail."""
        if self.detail is None:
            return self.sentence
        return Sentence("{claim}; {detail}", {"claim": self.sentence, "detail": self.detail})

    @property
    def because(self) -> Sentence:
        """What a headline says of it: the reason where there is one, else the claim."""
        return self.reason or self.sentence

    @property
    def text(self) -> str:
        """The claim and its detail in words."""
        return str(self.whole)
