"""Figures that are followed from one moment to the next: how full maps are, how many identities there are."""

from collections.abc import Iterable
from dataclasses import dataclass

from handlers.model.report import Report

_MAPS = ("node", "map", "%")
_COUNTED = {"IDENTITIES_HAVE_ROOM": "identities", "IDENTITIES_NEARLY_GONE": "identities"}
"""Codes whose ``count`` is followed, with what it counts."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: ``unit`` is ``%`` of a limit, or empty for a count; ``question`` is where it was told."""

    name: str
    value: float
    unit: str
    question: str
    about: tuple[str, ...] = ()
    """What a problem with the same thing has in its key: where one is told, the number is in it."""

    def is_told_by(self, key: str) -> bool:
        """Whether the problem of this key is about the same thing."""
        return bool(self.about) and set(self.about) <= set(key.split())


def figures_in(reports: Iterable[Report]) -> tuple[Figure, ...]:
    """Return the figures of several reports, each once."""
    found: dict[str, Figure] = {}
    for report in reports:
        for figure in (*_maps(report), *_counted(report)):
            found.setdefault(figure.name, figure)
    return tuple(found.values())


def _maps(report: Report) -> Iterable[Figure]:
    for table in report.tables:
        if not set(_MAPS) <= set(table.columns):
            continue
        node, name, share = (table.columns.index(column) for column in _MAPS)
        for row in table.rows:
            value = row[share]
            if isinstance(value, int | float):
                about = (f"node={row[node]}", f"map={row[name]}")
                yield Figure(f"map {row[name]} on {row[node]}", float(value), "%", report.question, about)


def _counted(report: Report) -> Iterable[Figure]:
    for finding in report.findings:
        count = finding.values.get("count")
        if finding.code in _COUNTED and isinstance(count, int):
            yield Figure(_COUNTED[finding.code], float(count), "", report.question)
