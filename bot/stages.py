"""The stages of a question, as they are measured: one block of code, one duration, and a span where traces are on."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.measured import measured
from bot.metrics import STAGE_SECONDS, Stage


@contextmanager
def stage(which: Stage) -> Iterator[None]:
    """Measure the block as a stage of the question that is worked on."""
    with measured.timed(STAGE_SECONDS, stage=which):
        yield
