"""How these commands end: what went wrong becomes one line and an exit status."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import typer

from handlers.contract import ContractError
from handlers.reach.end_names import EndNameError
from handlers.reach.proposal import ProposalError
from workers.cli.status import Status
from workers.origin import NotOpenedError
from workers.policy_matrix_cli.documents import UnreadableError
from workers.policy_matrix_cli.git_diff import GitError
from workers.policy_matrix_cli.opened import NotReadError

_USAGE = (NotOpenedError, EndNameError, ProposalError, ContractError, GitError)
_UNKNOWN = (NotReadError, UnreadableError)


class Form(StrEnum):
    """How the answer is printed."""

    TEXT = "text"
    JSON = "json"


@contextmanager
def told() -> Iterator[None]:
    """Turn what went wrong in the block into a line on standard error and the exit status 64, or 2."""
    try:
        yield
    except (*_USAGE, *_UNKNOWN) as error:
        typer.echo(f"cilium-triage: {error}", err=True)
        raise typer.Exit(Status.USAGE if isinstance(error, _USAGE) else Status.UNKNOWN) from error
