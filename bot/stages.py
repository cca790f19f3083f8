"""The stages of a question, as they are measured: a duration for the metrics, a span where traces are on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from bot.measured import measured
from bot.metrics import STAGE_SECONDS, Stage
from bot.spans import spans


@contextmanager
def stage(which: Stage) -> Iterator[None]:
    """Measure the block as a stage of the question that is followed here."""
    with measured.timed(STAGE_SECONDS, stage=which), spans.span(which):
        yield


def waited(which: Stage, since: datetime) -> None:
    """Note that a stage lasted from a moment until now."""
    measured.took(STAGE_SECONDS, (datetime.now(UTC) - since).total_seconds(), stage=which)
    spans.spent(which, since)
