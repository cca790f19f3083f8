"""Who talks to whom most: connections by pair of workloads, and by pair of namespaces."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from handlers.flows.connections import Fate, Group
from handlers.flows.end_names import EndNames
from handlers.model.table import Cell, Table

_MOST_PAIRS = 100
_MOST_NAMESPACES = 12


@dataclass(frozen=True, slots=True)
class PairOfTalkers:
    """What one workload sent to another. ``flows`` are Hubble's events, counted at one node."""

    source: str
    destination: str
    ports: tuple[str, ...]
    """The busiest port first."""
    flows: int
    connections: int
    dropped: int
    """Connections of these."""


def pairs_of(groups: Iterable[Group]) -> tuple[PairOfTalkers, ...]:
    """Return the pairs, those with most flows first."""
    by_pair: defaultdict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in groups:
        by_pair[group.source, group.destination].append(group)
    found = []
    for (source, destination), alike in by_pair.items():
        ports: Counter[str] = Counter()
        for group in alike:
            ports[group.port] += group.flows
        found.append(
            PairOfTalkers(
                source=source,
                destination=destination,
                ports=tuple(port for port, _ in ports.most_common()),
                flows=sum(group.flows for group in alike),
                connections=sum(group.count for group in alike),
                dropped=sum(group.count for group in alike if group.fate is Fate.DROPPED),
            )
        )
    return tuple(sorted(found, key=lambda pair: (-pair.flows, pair.source, pair.destination)))


def table_of_pairs(pairs: tuple[PairOfTalkers, ...]) -> Table:
    """Return the pairs as a table, the busiest first."""
    rows = tuple(
        (
            pair.source,
            pair.destination,
            ", ".join(pair.ports[:2]) + (f" and {len(pair.ports) - 2} more" if pair.ports[2:] else ""),
            pair.flows,
            pair.connections,
            pair.dropped,
        )
        for pair in pairs
    )
    return Table(
        "Top talkers, by flows",
        ("from", "to", "port", "flows", "connections", "dropped"),
        rows[:_MOST_PAIRS],
        max(0, len(rows) - _MOST_PAIRS),
        bars=("connections", "dropped"),
    )


def namespace_matrix(groups: Iterable[Group], names: EndNames) -> Table:
    """Return how many connections go from which namespace to which, and how many of them were dropped."""
    sent: Counter[tuple[str, str]] = Counter()
    dropped: Counter[tuple[str, str]] = Counter()
    busy: Counter[str] = Counter()
    for group in groups:
        ways = names.namespace_of(group.example.source), names.namespace_of(group.example.destination)
        sent[ways] += group.count
        dropped[ways] += group.count if group.fate is Fate.DROPPED else 0
        busy.update(dict.fromkeys(ways, group.count))
    shown = sorted(space for space, _ in busy.most_common(_MOST_NAMESPACES))
    senders = [space for space in shown if any(sent[space, other] for other in shown)]
    receivers = [space for space in shown if any(sent[other, space] for other in shown)]
    rows = tuple((one, *(_cell(sent[one, other], dropped[one, other]) for other in receivers)) for one in senders)
    title = "Connections between namespaces, from the left to the top"
    return Table(title, ("from \\ to", *receivers), rows, max(0, len(busy) - _MOST_NAMESPACES))


def _cell(sent: int, dropped: int) -> Cell:
    return f"{sent} ({dropped} dropped)" if dropped else sent or "·"
