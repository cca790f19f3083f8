"""What to read next for a question: which parts its probes declare, and how wide, round by round."""

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.catalogue import CATALOGUE, Catalogue
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.parts import Part
from handlers.model.scope import Scope
from handlers.model.snapshot import AnyPart, Ask, Gap, Missing, Snapshot

ROUNDS = 5
"""Rounds of parallel reads for one question: what it names, what that resolves to, what only that shows. Two come
before where an address has to be told from those of Services, and then from those of pods."""


def next_asks(question: Any, so_far: Snapshot, catalogue: Catalogue = CATALOGUE) -> tuple[Ask, ...]:
    """Return the reads that can be made now: parts wanted, not yet read, and wide enough known."""
    scope = attempt(lambda: question.scope(Facts(so_far)))
    if isinstance(scope, Lacking):
        # What would tell the width could not be read; the parts that depend on it stay unasked and are reported so.
        return ()
    missing = sorted(catalogue.wanted(question) - so_far.parts.keys(), key=str)
    return tuple(ask for part in missing for ask in _asks(part, scope))


def unasked(question: Any, so_far: Snapshot, catalogue: Catalogue = CATALOGUE) -> Mapping[AnyPart, Missing]:
    """Return a reason for every wanted part that the rounds never came to, save those that turned out needless."""
    found = attempt(lambda: question.scope(Facts(so_far)))
    scope = Scope() if isinstance(found, Lacking) else found
    return {
        part: Missing(Gap.NOT_ASKED, "what it depends on could not be read")
        for part in catalogue.wanted(question) - so_far.parts.keys()
        if not _is_needless(part, scope)
    }


def _is_needless(part: AnyPart, scope: Scope) -> bool:
    is_nobodys = part.is_per_node and scope.nodes == ()
    return part.width.is_needless(scope) or is_nobodys or (part is Part.FLOWS and scope.is_without_flows)


def _asks(part: AnyPart, scope: Scope) -> Iterator[Ask]:
    if part.is_per_node:
        yield from (Ask(part, scope, node) for node in scope.nodes or ())
    elif part.width.is_known(scope):
        yield Ask(part, scope)
