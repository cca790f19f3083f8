"""The forms of an answer that a pull request shows: a comment, and marks beside the lines of files."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Annotated
from urllib.parse import quote

import typer

from bot.render.sarif import FileLine, sarif
from bot.render.text import markdown
from handlers.catalogue import CATALOGUE
from handlers.model.finding import Finding
from handlers.model.report import Report
from handlers.reach.proposal import policies_among, reference_of
from workers.cli.json_text import json_text
from workers.cli.version import version_in_words
from workers.documents import documents_of, each_file

_MOST_CHARACTERS = 60_000
"""A comment of GitHub holds 65,536."""


class GateForm(StrEnum):
    """How the answer is printed; ``markdown`` is a comment of a pull request, ``sarif`` marks beside its lines."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"


PoliciesOption = Annotated[
    Path | None,
    typer.Option("--policies", help="Where the policies' files are, for --output sarif: a file or a folder."),
]


def comment(report: Report) -> str:
    """Return the report as a comment: whole lines, as many as one holds, and nobody is mentioned."""
    text = markdown(report).replace("@", "@<!-- -->")
    if len(text) <= _MOST_CHARACTERS:
        return text
    kept = text[:_MOST_CHARACTERS].rpartition("\n")[0]
    return f"{kept}\n\nThis is not all of it: the same in a terminal has the rest.\n"


def marks(findings: Iterable[Finding], places: Mapping[str, FileLine], otherwise: str) -> str:
    """Return findings as SARIF, each at its policy's file, and at ``otherwise`` where nobody knows one."""

    def place(finding: Finding) -> FileLine:
        named = (places[one.ref] for one in finding.evidence if one.ref in places)
        return next(named, FileLine(otherwise))

    return json_text(
        sarif(findings, place, CATALOGUE.codes.values(), version=version_in_words().removeprefix("cilium-triage "))
    )


def places_of(folder: Path | None) -> dict[str, FileLine]:
    """Return where each policy of a folder is written, by its reference.

    Raises:
        UnreadableError: naming the first file that cannot be read.
    """
    found: dict[str, FileLine] = {}
    for path, content in each_file([] if folder is None else [folder]):
        for manifest in policies_among(documents_of(content, str(path))):
            reference = reference_of(manifest)
            line = _line_of(reference.name, content.decode(errors="replace"))
            found.setdefault(str(reference), FileLine(uri_of(path), line))
    return found


def uri_of(path: Path) -> str:
    """Return a path as SARIF writes it."""
    return quote(PurePath(path).as_posix())


def _line_of(name: str, text: str) -> int:
    """The line that names the policy; the first one where none does in so many words."""
    named = re.compile(rf"\bname[\"']?:\s*[\"']?{re.escape(name)}[\"']?(?=\s*(?:[,}}#]|$))")
    return next((number for number, line in enumerate(text.splitlines(), start=1) if named.search(line)), 1)
