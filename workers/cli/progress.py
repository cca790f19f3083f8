"""How far the gathering is, and what is certain already, on standard error and on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from bot.render.text import first as first_in_words
from handlers.model.report import FirstAnswer
from workers.runner import Progress


@contextmanager
def progress_line(stream: TextIO) -> Iterator[Progress | None]:
    """Give a progress callback while the block runs; None where nobody watches, so that rich is not even loaded.

    A first answer stands there until the whole one is printed in its place; for good where that is not waited for.
    """
    if not stream.isatty():
        yield None
        return
    from rich.console import Console
    from rich.text import Text

    console, first = Console(file=stream), Text()

    def show(told: str | FirstAnswer) -> None:
        if isinstance(told, FirstAnswer):
            first.append(first_in_words(told))
        # Text, since a name may hold what rich takes for markup.
        status.update(first or Text(str(told)))

    try:
        with console.status("asking") as status:
            yield show
    except KeyboardInterrupt:
        if first:
            console.print(first)
        raise
