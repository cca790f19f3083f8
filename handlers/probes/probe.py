"""What a probe declares, and the list of all of them."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from handlers.model.facts import Facts
from handlers.model.finding import Code, Finding, Hop
from handlers.model.snapshot import Part

Check = Callable[[Any, Facts], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Probe:
    """One claim about one hop.

    ``needs`` are parts without which the claim cannot be judged: the engine says UNKNOWN by itself where one is
    missing. ``uses`` are parts that sharpen the answer: the check looks at them as Known or Missing.
    """

    name: str
    healthy: str
    """The healthy state as a sentence: line one of the module's docstring."""
    explanation: str
    answers: tuple[type[Any], ...]
    needs: tuple[Part, ...]
    uses: tuple[Part, ...]
    hop: Hop | None
    blocking: bool
    codes: tuple[Code, ...]
    check: Check

    @property
    def parts(self) -> frozenset[Part]:
        """Every part the check may touch."""
        return frozenset(self.needs) | frozenset(self.uses)


PROBES: list[Probe] = []
"""Every probe, in order of registration; filled when ``handlers.probes`` is imported."""


def probe(
    *,
    answers: tuple[type[Any], ...],
    codes: tuple[Code, ...],
    needs: tuple[Part, ...] = (),
    uses: tuple[Part, ...] = (),
    hop: Hop | None = None,
    blocking: bool = False,
) -> Callable[[Check], Check]:
    """Declare a function as the check of its module's claim.

    Raises:
        ValueError: if the module has no docstring, since its first line is what people read.
    """

    def declare(check: Check) -> Check:
        module = inspect.getmodule(check)
        text = inspect.getdoc(module) if module else None
        if not text:
            raise ValueError(f"the module of probe {check.__name__} has no docstring")
        first, _, rest = text.partition("\n")
        name = check.__module__.rpartition(".")[2]
        PROBES.append(Probe(name, first.strip(), rest.strip(), answers, needs, uses, hop, blocking, codes, check))
        return check

    return declare
