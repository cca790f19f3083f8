"""What to read next for a question: which parts its probes declare, and how wide, round by round."""

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.catalogue import CATALOGUE, Catalogue
from handlers.model.facts import Facts, PartMissingError
from handlers.model.scope import Ask, Scope
from handlers.model.snapshot import Gap, Missing, Part, Snapshot

ROUNDS = 3
"""Rounds of parallel reads for one question: what the question names, what that resolves to, what only that shows."""

_NAMESPACED = {
    Part.WORKLOADS,
    Part.SERVICES,
    Part.ENDPOINT_SLICES,
    Part.POLICIES,
    Part.CILIUM_ENDPOINTS,
}


def next_asks(question: Any, so_far: Snapshot, catalogue: Catalogue = CATALOGUE) -> tuple[Ask, ...]:
    """Return the reads that can be made now: parts wanted, not yet read, and wide enough known."""
    try:
        scope = question.scope(Facts(so_far))
    except PartMissingError:
        # What would tell the width could not be read; the parts that depend on it stay unasked and are reported so.
        return ()
    missing = [part for part in sorted(catalogue.wanted(question) - scope.leave_out) if part not in so_far.parts]
    return tuple(ask for part in missing for ask in _asks(part, scope))


def unasked(question: Any, so_far: Snapshot, catalogue: Catalogue = CATALOGUE) -> Mapping[Part, Missing]:
    """Return a reason for every wanted part that the rounds never came to, save those that turned out needless."""
    try:
        scope = question.scope(Facts(so_far))
    except PartMissingError:
        scope = Scope()
    return {
        part: Missing(Gap.NOT_ASKED, "what it depends on could not be read")
        for part in catalogue.wanted(question) - scope.leave_out
        if part not in so_far.parts and not _is_needless(part, scope)
    }


def _is_needless(part: Part, scope: Scope) -> bool:
    if part is Part.POLICY_SERVICES:
        return not scope.policy_services
    if part is Part.NAMED_PORTS:
        return not scope.named_ports
    if part is Part.ALL_POLICIES:
        return not scope.all_policies
    return part.is_per_node and scope.nodes == ()


def _asks(part: Part, scope: Scope) -> Iterator[Ask]:
    if part.is_per_node:
        yield from (Ask(part, scope, node) for node in scope.nodes or ())
    elif _is_wide_enough(part, scope):
        yield Ask(part, scope)


def _is_wide_enough(part: Part, scope: Scope) -> bool:
    if part in _NAMESPACED:
        return scope.all_namespaces or scope.namespaces is not None
    if part is Part.PODS:
        return scope.pods is not None
    if part is Part.FLOWS:
        return scope.flows is not None
    if part is Part.IDENTITIES:
        return scope.identities is not None
    if part is Part.POLICY_SERVICES:
        return bool(scope.policy_services)
    if part is Part.NAMED_PORTS:
        return bool(scope.named_ports)
    if part is Part.ALL_POLICIES:
        return bool(scope.all_policies)
    return True
