"""Answers about a dump that somebody dropped in Slack: fetched, looked at as any dump is, and deleted."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from slack_sdk import WebClient

from bot.slack_files import FileError, save_file
from bot.ticket import Dump
from handlers.commands.command import Asked, NotUnderstoodError
from handlers.model.report import FirstAnswer, Report
from workers.answering import DumpError, Look
from workers.follow import NOT_LIVE
from workers.origin import NotOpenedError, Sysdump, opened
from workers.runner import Progress, Ran, run

MOST_BYTES = 512 << 20
"""Bytes of a dump that are fetched; what an archive may hold has bounds of its own."""
_SECONDS = 15.0


def dump_looks(client: WebClient, *, budget: float, owned: bool) -> Callable[[Dump], Look]:
    """Return what looks at a dump. Nothing is cached: a dump is fetched for each question, and kept nowhere."""

    def look_of(dump: Dump) -> Look:
        def look(asked: Asked, progress: Progress) -> Ran:
            if asked.watched is not None:
                raise NotUnderstoodError(NOT_LIVE, str(replace(asked.question, follow=None)))

            def tell(told: str | FirstAnswer) -> None:
                told = told if isinstance(told, str) else replace(told, report=_about(dump, told.report))
                progress(told)

            with tempfile.TemporaryDirectory(prefix="cilium-triage-") as folder:
                path = _fetched(client, dump, Path(folder))
                try:
                    with opened(Sysdump(path)) as source:
                        ran = run(asked, source, budget=budget, progress=tell, owned=owned)
                except NotOpenedError as error:
                    raise DumpError(f"{dump.name} is no dump that I can read: {error}") from error
            return Ran(_about(dump, ran.report))

        return look

    return look_of


def _fetched(client: WebClient, dump: Dump, folder: Path) -> Path:
    path = folder / "dump"
    try:
        if dump.size > MOST_BYTES:
            raise FileError(f"{dump.name} is larger than {MOST_BYTES >> 20} MiB; look at it in a terminal.")
        save_file(client, dump.url, dump.name, path, most=MOST_BYTES, seconds=_SECONDS)
    except FileError as error:
        raise DumpError(str(error)) from error
    return path


def _about(dump: Dump, report: Report) -> Report:
    """Return the report with what it is about said in so many words."""
    at = f"{report.taken_at:%Y-%m-%d %H:%M} UTC"
    return replace(report, notes=(f"About the dump {dump.name} of {at}, not about the cluster now.", *report.notes))
