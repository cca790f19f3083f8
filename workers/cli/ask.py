"""Answer one question in the terminal: open, gather with a progress line, print, and say how it ended."""

import sys
from dataclasses import dataclass
from pathlib import Path

from handlers.catalogue import Catalogue
from handlers.commands.command import Asked
from workers.cli.output import printed, screen_of
from workers.cli.progress import progress_line
from workers.cli.status import Status, status_of
from workers.origin import Origin, opened
from workers.runner import run


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
        NotOpenedError: if the archive, the recording or the kubeconfig cannot be opened.
    """
    source_of = opened(origin, record=choices.record, cilium_version=choices.cilium_version)
    with source_of as source, progress_line(sys.stderr) as progress:
        ran = run(asked, source, budget=choices.budget, progress=progress, catalogue=catalogue)
    sys.stdout.write(printed(ran, choices.output, screen_of(sys.stdout)))
    return status_of(ran.report)
