"""What a probe declares, and what is said in its stead where it cannot speak."""

import inspect
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from typing import Any

from handlers.model.facts import Facts
from handlers.model.finding import Code, Finding, Hop, Outcome, Sentence, code, prose
from handlers.model.headline import CANNOT_TELL
from handlers.model.snapshot import AnyPart, Missing

PART_MISSING = code(
    "PART_MISSING",
    meaning="A part of the cluster that this check needs could not be read, so the check says nothing either way.",
    lead=CANNOT_TELL,
    template="whether {healthy} — {part} could not be read: {detail}",
    reason="{part} could not be read: {detail}",
)
PROBE_BROKEN = code(
    "PROBE_BROKEN",
    meaning="A check failed with an error of its own. It is a defect of cilium-triage, not of the cluster.",
    template="The check {probe} failed with {error}; whether {healthy} is not known",
    advice="Please report it with a recording of the run.",
)
UNREACHED = code(
    "UNREACHED",
    meaning="Nothing could be read, since the cluster itself did not answer.",
    lead=CANNOT_TELL,
    template="anything: {detail}",
)
OF_EVERY_PROBE = (PART_MISSING, PROBE_BROKEN, UNREACHED)
"""Codes that need no declaration."""

Check = Callable[[Any, Facts], Iterable[Finding]]
Stands = Callable[[Any, Facts, Set[AnyPart]], bool]
"""Whether what a check found stopping the traffic stands, whatever the parts that are still awaited will say."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One claim about one hop.

    ``needs`` are parts without which the claim cannot be judged: the engine says UNKNOWN by itself where one is
    missing. ``uses`` are parts that sharpen the answer: the check looks at them as Known or Missing. ``stands`` tells
    when the check is certain of what stops the traffic although some of them are awaited; else it waits for all.
    """

    name: str
    healthy: str
    """The healthy state as a sentence: line one of the module's docstring."""
    explanation: str
    answers: tuple[type[Any], ...]
    needs: tuple[AnyPart, ...]
    uses: tuple[AnyPart, ...]
    hop: Hop | None
    blocking: bool
    codes: tuple[Code, ...]
    check: Check
    stands: Stands | None = None

    @property
    def parts(self) -> frozenset[AnyPart]:
        """Every part the check may touch."""
        return frozenset(self.needs) | frozenset(self.uses)

    def is_final(self, awaited: Set[AnyPart]) -> bool:
        """Whether parts that are still awaited change nothing of what the check finds: it looks at none of them."""
        return self.parts.isdisjoint(awaited)

    def unknown(self, part: AnyPart, missing: Missing) -> Finding:
        """Say that the claim cannot be judged without a part."""
        return PART_MISSING.finding(
            Outcome.UNKNOWN,
            hop=self.hop,
            blocking=self.blocking,
            advice=missing.remedy,
            probe=self.name,
            healthy=self._claim,
            part=part.in_words,
            detail=missing.detail,
        )

    def broken(self, error: Exception) -> Finding:
        """Say that the check itself failed."""
        return PROBE_BROKEN.finding(
            Outcome.BROKEN,
            hop=self.hop,
            blocking=self.blocking,
            advice=PROBE_BROKEN.advice,
            healthy=self._claim,
            probe=self.name,
            error=type(error).__name__,
        )

    @property
    def _claim(self) -> Sentence:
        return prose(self.healthy.rstrip("."))


def probe(
    *,
    answers: tuple[type[Any], ...],
    codes: tuple[Code, ...],
    needs: tuple[AnyPart, ...] = (),
    uses: tuple[AnyPart, ...] = (),
    hop: Hop | None = None,
    blocking: bool = False,
    stands: Stands | None = None,
) -> Callable[[Check], Probe]:
    """Make a probe of a function that checks its module's claim.

    Raises:
        ValueError: if the module has no docstring, since its first line is what people read.
    """

    def declare(check: Check) -> Probe:
        module = inspect.getmodule(check)
        text = inspect.getdoc(module) if module else None
        if not text:
            raise ValueError(f"the module of probe {check.__name__} has no docstring")
        first, _, rest = text.partition("\n")
        name = check.__module__.rpartition(".")[2]
        return Probe(name, first.strip(), rest.strip(), answers, needs, uses, hop, blocking, codes, check, stands)

    return declare
