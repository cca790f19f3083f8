"""A question of the tests' own, with a probe that needs what a test wants, and a catalogue of nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.catalogue import Catalogue
from handlers.commands.command import Asked, Command, Conclusion
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import Headline
from handlers.model.parts import Part
from handlers.model.report import expected_of
from handlers.model.scope import Scope
from handlers.model.snapshot import AnyPart, Ask, Known, Missing
from handlers.probes.probe import Probe

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Canary:
    """``canary WORDS``: a question whose width is what a test says."""

    words: str = "sings"
    width: Callable[[Facts], Scope] = field(default=lambda facts: Scope(), compare=False)

    def scope(self, so_far: Facts) -> Scope:
        return self.width(so_far)

    def __str__(self) -> str:
        return f"canary {self.words}"


def sings(question: Canary, facts: Facts) -> Iterator[Finding]:
    yield Finding("CANARY", Outcome.FINE, Sentence("it sings of {nodes}", {"nodes": len(facts.nodes)}))


def _conclude(question: Canary, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    return Conclusion(
        Headline(Sentence("it is {expected}", {"expected": expected_of(findings)})), expected_of(findings)
    )


COMMAND = Command(
    name="canary",
    usage="canary WORDS",
    summary="Sing.",
    examples=("canary sings",),
    question=Canary,
    parse=Canary,
    conclude=_conclude,
    keep=timedelta(seconds=30),
)


def catalogue_of_canary(
    needs: tuple[AnyPart, ...] = (Part.NODES,), check: Callable[[Canary, Facts], Iterator[Finding]] = sings
) -> Catalogue:
    """The command, and one blocking probe that needs ``needs``."""
    probe = Probe("canary", "The canary sings.", "", (Canary,), needs, (), None, True, (), check)
    return Catalogue.of([COMMAND], [probe])


CANARY = catalogue_of_canary()


def asked(words: str = "sings", *, fresh: bool = False) -> Asked:
    return Asked(COMMAND, Canary(words), fresh)


Reading = Callable[[Ask], Any]


class Script:
    """A source that answers as a test wrote down, and remembers what was asked."""

    title = "cluster of the test"

    def __init__(self, reading: Reading | None = None) -> None:
        self._reading = reading or (lambda ask: Known((), NOW))
        self.asks: list[Ask] = []

    def now(self) -> datetime:
        return NOW

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        assert timeout > 0
        self.asks.append(ask)
        answer: Known[object] | Missing = self._reading(ask)
        return answer

    def close(self) -> None:
        """Nothing is open."""
