"""One line on standard error that says how far the gathering is, on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from workers.collect import Progress


@contextmanager
def progress_line(stream: TextIO) -> Iterator[Progress | None]:
    """Give a progress callback while the block runs; None where nobody watches, so that rich is not even loaded."""
    if not stream.isatty():
        yield None
        return
    from rich.console import Console

    with Console(file=stream).status("asking") as status:
        yield status.update
