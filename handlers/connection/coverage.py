"""How much of what happened could be told: which nodes were heard or read, and how far back they remember."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.model.flow import FlowLog
from handlers.model.snapshot import Missing

MOST_NAMED = 5
"""Nodes named one by one; the others are counted."""
_AGENT_POD = re.compile(r"\bcilium-[a-z0-9]{5}\b")
_SLACK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a log holds of the nodes that matter. ``silent`` maps nodes to why they were not heard.

    ``reaches`` is since when every node heard remembers all, None where one of them does not tell; ``shortest`` is the
    node that remembers least.
    """

    silent: dict[str, str]
    reaches: datetime | None
    shortest: str
    lost: int
    truncated: bool

    @property
    def is_whole(self) -> bool:
        """Whether nothing can have been missed in the time that is remembered."""
        return not (self.silent or self.lost or self.truncated)


def coverage_of(log: FlowLog, nodes: Iterable[str]) -> Coverage:
    """Return how much the log tells of these nodes; one that nobody spoke of was not heard either."""
    wanted = set(nodes)
    silent = {node: log.silent.get(node, "its Hubble is not known") for node in wanted - log.heard}
    heard = wanted & log.heard
    remembered = {node: log.covered_since[node] for node in heard if node in log.covered_since}
    shortest = max(remembered, key=lambda node: remembered[node], default="")
    return Coverage(
        silent=silent,
        reaches=max(remembered[shortest], log.since) if shortest and len(remembered) == len(heard) else None,
        shortest=shortest,
        lost=sum(entry.count for entry in log.lost if entry.node in wanted or entry.node not in log.heard),
        truncated=log.truncated,
    )


def is_shorter(coverage: Coverage, log: FlowLog) -> bool:
    """Whether memory does not reach as far back as was asked."""
    return coverage.reaches is not None and coverage.reaches > log.since + _SLACK


def nodes_in_words(nodes: Iterable[str]) -> tuple[str, ...]:
    """Return the first nodes by name, and how many more there are."""
    ordered = sorted(nodes)
    more = len(ordered) - MOST_NAMED
    return (*ordered[:MOST_NAMED], f"{more} more") if more > 0 else tuple(ordered)


def unread_alike(unread: Mapping[str, Missing]) -> Iterator[tuple[list[str], Missing]]:
    """Yield nodes that could not be read for the same reason, the many first, with that reason in the words of none."""
    alike: dict[tuple[str, str], list[str]] = {}
    for node, missing in unread.items():
        detail = (
            _AGENT_POD.sub("its agent", missing.detail).replace(f"node {node}", "the node").replace(node, "the node")
        )
        alike.setdefault((missing.gap.value, detail), []).append(node)
    for (_, detail), nodes in sorted(alike.items(), key=lambda item: (-len(item[1]), item[0])):
        first = unread[nodes[0]]
        yield nodes, first if len(nodes) == 1 else replace(first, detail=detail)
