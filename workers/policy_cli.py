"""The ``policy`` commands of the terminal: they read files, and ask the engine."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TextIO

import typer

from handlers.policy.cases import Case, CaseError
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


def evaluate_cases(path_in: Path, out: TextIO) -> int:
    """Answer every case of a file, one JSON line each, in the format of the judge; gives the number of cases.

    Raises CaseError, with the number of the line, when a line is no case.
    """
    count = 0
    with path_in.open(encoding="utf-8") as lines:
        for number, document in _documents(lines):
            try:
                answer = Case(document).answer_line()
            except CaseError as error:
                raise CaseError(f"line {number}: {error}") from error
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")
            count += 1
    return count


@app.command("eval")
def evaluate(
    cases: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Cases, one JSON document per line.")],
    out: Annotated[Path | None, typer.Option("--out", dir_okay=False, help="Where to write; standard output.")] = None,
) -> None:
    """Answer policy cases: verdict, both sides, rules, and the status of every policy."""
    try:
        if out is None:
            evaluate_cases(cases, sys.stdout)
        else:
            with out.open("w", encoding="utf-8") as target:
                evaluate_cases(cases, target)
    except CaseError as error:
        typer.echo(f"{cases}: {error}", err=True)
        raise typer.Exit(2) from error


add_commands(app)
