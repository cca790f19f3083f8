"""The ``policy`` commands of the terminal: they read files, and ask the engine."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TextIO

import typer

from bot.render.clean import one_line
from handlers.policy.cases import Case, CaseError
from workers.cli.options import VersionOption
from workers.policy_matrix_cli import add_commands

app = typer.Typer(name="policy", help="Evaluate network policies without a cluster.", no_args_is_help=True)


@app.callback()
def policy() -> None:
    """Evaluate network policies without a cluster."""


def _documents(lines: TextIO) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CaseError(f"line {number} is no JSON document") from error
        if not isinstance(document, dict):
            raise CaseError(f"line {number} is no JSON object")
        yield number, document


def evaluate_cases(path_in: Path, out: TextIO, cilium_version: str | None = None) -> int:
    """Answer every case of a file, one JSON line each, in the format of the judge; gives the number of cases.

    ``cilium_version`` takes the place of the version that a case names.

    Raises CaseError, with the number of the line, when a line is no case.
    """
    count = 0
    with path_in.open(encoding="utf-8") as lines:
        for number, document in _documents(lines):
            try:
                answer = Case(_under(document, cilium_version)).answer_line()
            except CaseError as error:
                raise CaseError(f"line {number}: {error}") from error
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")
            count += 1
    return count


def _under(document: dict[str, object], cilium_version: str | None) -> dict[str, object]:
    options = document.get("options", {})
    if cilium_version is None or not isinstance(options, dict):
        return document
    return {**document, "options": {**options, "ciliumVersion": cilium_version}}


@app.command("eval")
def evaluate(
    cases: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Cases, one JSON document per line.")],
    out: Annotated[Path | None, typer.Option("--out", dir_okay=False, help="Where to write; standard output.")] = None,
    cilium_version: VersionOption = None,
) -> None:
    """Answer policy cases: verdict, both sides, rules, and the status of every policy."""
    try:
        if out is None:
            evaluate_cases(cases, sys.stdout, cilium_version)
        else:
            with out.open("w", encoding="utf-8") as target:
                evaluate_cases(cases, target, cilium_version)
    except CaseError as error:
        typer.echo(f"{cases}: {one_line(str(error))}", err=True)
        raise typer.Exit(2) from error


add_commands(app)
