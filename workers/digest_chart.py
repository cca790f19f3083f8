"""Drops by cause as a picture, for a workspace that takes no chart of its own. Drawn in the task and nowhere else."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG, and what it shows for those who do not see it."""

    png: bytes
    in_words: str


def drawn(title: str, series: Mapping[str, Sequence[tuple[str, float]]]) -> Picture | None:
    """Return lines over labelled runs; None where the drawing library (the extra ``charts``) is not installed."""
    try:
        # Takes a second and much memory, so only a process that draws has it.
        from matplotlib.figure import Figure
    except ImportError:
        log.info("no_picture", problem="matplotlib is not installed: pip install cilium-triage[charts]")
        return None
    figure = Figure(figsize=(8, 4), dpi=120, layout="constrained")
    axes = figure.subplots()
    for name, points in series.items():
        # A leading underscore would hide a name from the legend; a dollar would be taken for mathematics.
        axes.plot([label for label, _ in points], [value for _, value in points], marker="o", label=_plain(name))
    axes.set_title(_plain(title), loc="left")
    axes.set_ylabel("packets")
    axes.set_ylim(bottom=0)
    axes.tick_params(axis="x", labelrotation=45)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return Picture(written.getvalue(), in_words(title, series))


def in_words(title: str, series: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Return what a picture shows: each line's first, greatest and last number."""
    told = [
        f"{name}: first {points[0][1]:g}, at most {max(value for _, value in points):g}, now {points[-1][1]:g}"
        for name, points in series.items()
        if points
    ]
    return f"{title}. {'; '.join(told)}"[:1_000]


def _plain(text: str) -> str:
    return text.replace("$", "S").lstrip("_") or "?"
