"""``report``: several questions, answered one after the other about one place, as one file for a ticket."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.render.bundle import Bundle, bundle_html, bundle_markdown, bundle_zip
from handlers.catalogue import Catalogue
from handlers.commands.command import Asked, NotUnderstoodError
from workers.cli.progress import progress_line
from workers.cli.version import version_in_words
from workers.documents import UnreadableError
from workers.origin import Origin, opened
from workers.report_json import report_json
from workers.runner import run
from workers.status import Status, status_of

USAGE = "report [QUESTION]... [--out FILE.md|FILE.html|FILE.zip]"
USUAL = ("health", "nodes", "drops", "lint", "changes")
"""What is asked where nothing is named."""
FORMS = (".md", ".html", ".zip", ".json")
MOST_QUESTIONS = 30


@dataclass(frozen=True, slots=True)
class Written:
    """Where the bundle goes, by its suffix in which form; standard output, as Markdown, where ``out`` is None."""

    out: Path | None = None
    budget: float = 10.0
    cilium_version: str | None = None


def questions_of(words: Sequence[str], catalogue: Catalogue) -> tuple[Asked, ...]:
    """Return the questions that the words ask: each begins with a command's name, or is a text of its own.

    Raises:
        NotUnderstoodError: if one of them is none, or there are too many.
    """
    texts: list[str] = []
    for word in words or [name for name in USUAL if name in catalogue.commands]:
        if " " in word or word in catalogue.commands or not texts:
            texts.append(word)
        else:
            texts[-1] += f" {word}"
    if len(texts) > MOST_QUESTIONS:
        raise NotUnderstoodError(f"A report has at most {MOST_QUESTIONS} questions; these are {len(texts)}.", USAGE)
    return tuple(map(catalogue.understand, texts))


def report_in_terminal(asked: Sequence[Asked], origin: Origin, written: Written, catalogue: Catalogue) -> Status:
    """Answer every question and write the bundle; the status is that of the worst answer.

    Raises:
        NotOpenedError: if the place cannot be looked at.
        UnreadableError: if the file cannot be written.
    """
    if written.out is not None and written.out.suffix not in FORMS:
        raise UnreadableError(f"{written.out}: name a file that ends in {', '.join(FORMS[:-1])} or {FORMS[-1]}")
    with opened(origin, cilium_version=written.cilium_version) as source, progress_line(sys.stderr) as progress:
        ran = [run(one, source, budget=written.budget, progress=progress, catalogue=catalogue) for one in asked]
    bundle = Bundle(tuple(one.report for one in ran), datetime.now(UTC), version_in_words())
    body = _body(bundle, written.out.suffix if written.out else ".md")
    if written.out is None:
        sys.stdout.write(body.decode())
    else:
        _write(written.out, body)
    statuses = {status_of(report) for report in bundle.reports}
    return next((one for one in (Status.PROBLEM, Status.UNKNOWN) if one in statuses), Status.FINE)


def _body(bundle: Bundle, form: str) -> bytes:
    match form:
        case ".zip":
            return bundle_zip(bundle)
        case ".html":
            return bundle_html(bundle).encode()
        case ".json":
            reports = [report_json(report) for report in bundle.reports]
            return (json.dumps(reports, indent=2) + "\n").encode()
        case _:
            return bundle_markdown(bundle).encode()


def _write(path: Path, body: bytes) -> None:
    """Write for the owner's eyes alone: what a cluster tells is not for everybody on a machine."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), 0o600)
            file.write(body)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or 'it cannot be written'}") from error
