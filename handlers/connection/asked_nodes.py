"""The nodes that a question names: whether there are such, and which were meant."""

from collections.abc import Iterator

from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, code
from handlers.names.spelling import nearest

NODE_UNKNOWN = code(
    "NODE_UNKNOWN",
    meaning="The cluster has no node of this name.",
    template="There is no node {node}; the nearest names are {candidates}",
    advice="Check the spelling.",
)


def unknown_nodes(names: tuple[str | None, ...], facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each name that no node has.

    Raises:
        PartMissingError: if the nodes were not read.
    """
    known = [node.name for node in facts.nodes]
    for name in names:
        if name is not None and name not in known:
            yield NODE_UNKNOWN.finding(
                Outcome.UNKNOWN, blocking=True, weight=100, node=name, candidates=nearest(name, known)
            )
