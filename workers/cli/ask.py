"""Answer one question in the terminal: open, gather with a progress line, print, and say how it ended."""

import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.render.text import brief
from handlers.catalogue import Catalogue
from handlers.commands.command import Asked
from handlers.model.report import Report
from handlers.source import Source
from workers.cli.output import printed, screen_of
from workers.cli.progress import progress_line
from workers.cli.tail import printer
from workers.follow import NOT_LIVE, follow
from workers.origin import Live, NotOpenedError, Origin, opened
from workers.runner import run
from workers.status import Status, status_of

_EVERY = 1.0
"""Seconds between two reads of what is followed; a terminal takes lines as fast as they come."""


@dataclass(frozen=True, slots=True)
class Choices:
    """How to answer: the form of the output, seconds for all reads, where to record, and as which version to judge."""

    output: str
    budget: float
    record: Path | None
    cilium_version: str | None = None


def answer_in_terminal(asked: Asked, origin: Origin, choices: Choices, catalogue: Catalogue) -> Status:
    """Answer on standard output, progress on standard error.

    Raises:
        NotOpenedError: if the archive, the recording or the kubeconfig cannot be opened, or is no cluster to follow.
    """
    span = asked.watched
    if span is not None and not isinstance(origin, Live):
        raise NotOpenedError(NOT_LIVE)
    source_of = opened(origin, record=choices.record, cilium_version=choices.cilium_version)
    if span is not None:
        with source_of as source:
            return _followed(asked, source, span, choices, catalogue)
    with source_of as source, progress_line(sys.stderr) as progress:
        ran = run(asked, source, budget=choices.budget, progress=progress, catalogue=catalogue)
    sys.stdout.write(printed(ran, choices.output, screen_of(sys.stdout)))
    return status_of(ran.report)


def _followed(asked: Asked, source: Source, span: timedelta, choices: Choices, catalogue: Catalogue) -> Status:
    """Print lines as they come and the count in the end; in any other form only the last answer."""
    is_text = choices.output == "text"
    tell = printer(sys.stdout) if is_text else _say_nothing
    ran = follow(asked, source, span, tell, budget=choices.budget, every=_EVERY, catalogue=catalogue)
    sys.stdout.write(f"{brief(ran.report)}\n" if is_text else printed(ran, choices.output, screen_of(sys.stdout)))
    return status_of(ran.report)


def _say_nothing(_report: Report) -> None:
    pass
