"""How these commands end: the answer in the form that was asked for, and what went wrong as one line and a status."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import typer

from bot.render.clean import clean, in_json, one_line
from handlers.contract import ContractError
from handlers.model.facts import PartMissingError
from handlers.model.finding import Outcome
from handlers.model.report import Report
from handlers.reach.end_names import EndNameError
from handlers.reach.proposal import ProposalError
from workers.documents import UnreadableError
from workers.origin import NotOpenedError
from workers.policy_matrix_cli.git_diff import GitError
from workers.policy_matrix_cli.place import NotReadError
from workers.status import Status

_USAGE = (NotOpenedError, EndNameError, ProposalError, ContractError, GitError)
_UNKNOWN = (NotReadError, UnreadableError, PartMissingError)


class Form(StrEnum):
    """How the answer is printed."""

    TEXT = "text"
    JSON = "json"


def say(text: str, *, is_json: bool = False) -> None:
    """Print an answer: nothing that a cluster or a file supplied moves a terminal's cursor or breaks its encoding."""
    sys.stdout.write(in_json(text) if is_json else clean(text))


@contextmanager
def told() -> Iterator[None]:
    """Turn what went wrong in the block into a line on standard error and the exit status 64, or 2."""
    try:
        yield
    except (*_USAGE, *_UNKNOWN) as error:
        typer.echo(f"cilium-triage: {one_line(str(error))}", err=True)
        raise typer.Exit(Status.USAGE if isinstance(error, _USAGE) else Status.UNKNOWN) from error


def doubts(report: Report) -> tuple[str, ...]:
    """Return what leaves the answer in doubt, in words."""
    unsure = [one for one in report.findings if one.blocking and one.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    return tuple(dict.fromkeys(one.text for one in unsure))


def end_with(report: Report, status: Status) -> None:
    """Say on standard error what leaves the answer in doubt, and end; in doubt nothing is fine."""
    unsure = doubts(report)
    for text in unsure:
        typer.echo(f"cilium-triage: {one_line(text)}", err=True)
    if status is not Status.FINE or unsure:
        raise typer.Exit(status or Status.UNKNOWN)
