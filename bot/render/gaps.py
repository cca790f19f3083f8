"""What could not be read, said once: alike failures of many nodes or parts are one line, with what that leaves open."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from handlers.model.finding import Finding, Hop, Outcome
from handlers.model.report import GapNote, Report

_MOST_NAMED = 3
_DOUBTFUL = (Outcome.UNKNOWN, Outcome.BROKEN)


@dataclass(frozen=True, slots=True)
class NotRead:
    """Parts that were not read for one reason. ``hops`` are those that nobody can judge without them."""

    parts: tuple[str, ...]
    nodes: tuple[str, ...]
    gap: str
    detail: str
    remedy: str
    hops: tuple[Hop, ...]

    @property
    def names(self) -> str:
        """What was not read: ``agent status of 500 nodes``."""
        of = f" of {_some(self.nodes, 'nodes')}" if self.nodes else ""
        return f"{_some(self.parts, 'parts')}{of}"

    def __str__(self) -> str:
        """Say what was not read, why, and what cannot be judged without it."""
        why = f"{self.gap}: {self.detail}" if self.detail else self.gap
        them = "it" if len(self.parts) == 1 and not self.parts[0].endswith("s") else "them"
        hops = ", ".join(hop.value.removesuffix("-policy") for hop in self.hops)
        left_open = f". Without {them} {hops} cannot be judged" if hops else ""
        return f"{self.names} ({why}){left_open}"


def not_read(report: Report) -> tuple[NotRead, ...]:
    """Return the gaps of a report, alike ones together, first those that leave something open."""
    by_part: dict[tuple[str, str, str], list[GapNote]] = {}
    for gap in report.gaps:
        by_part.setdefault((gap.part, gap.gap, gap.remedy), []).append(gap)
    alike: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for (part, kind, remedy), gaps in by_part.items():
        details = tuple(dict.fromkeys(gap.detail for gap in gaps))
        detail = details[0] if len(details) == 1 else f"{details[0]}, and {len(details) - 1} more reasons"
        nodes = tuple(sorted(gap.node for gap in gaps if gap.node))
        alike.setdefault((kind, detail, remedy, nodes), []).append(part)
    found = [
        NotRead(tuple(parts), nodes, kind, detail, remedy, tuple(_left_open(report.findings, parts)))
        for (kind, detail, remedy, nodes), parts in alike.items()
    ]
    return tuple(sorted(found, key=lambda one: not one.hops))


def unexplained(report: Report, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings without those that only repeat what a gap says."""
    parts = {gap.part for gap in report.gaps}
    return tuple(
        finding for finding in findings if finding.outcome not in _DOUBTFUL or finding.values.get("part") not in parts
    )


def _left_open(findings: Iterable[Finding], parts: Sequence[str]) -> Iterator[Hop]:
    open_hops = {
        finding.hop
        for finding in findings
        if finding.outcome in _DOUBTFUL and finding.blocking and finding.values.get("part") in parts
    }
    yield from (hop for hop in Hop if hop in open_hops)


def _some(names: Sequence[str], unit: str) -> str:
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    if unit == "nodes":
        return f"{len(names)} {unit}"
    return f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} more"
