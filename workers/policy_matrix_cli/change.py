"""The options that name a change of policies or labels, and the proposal that comes of them."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from handlers.reach.proposal import LabelChange, Proposal, ProposalError, parse_reference, policies_among, reference_of
from workers.documents import documents_of, read_all
from workers.policy_matrix_cli.git_diff import proposal_of_range

ApplyOption = Annotated[
    list[Path] | None,
    typer.Option("--apply", "-f", help="Policies to add or replace: a file, a folder, or - for standard input."),
]
DeleteOption = Annotated[
    list[str] | None,
    typer.Option("--delete", help="A policy to delete: cnp/NAMESPACE/NAME, netpol/..., ccnp/..."),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option("--label", help='Labels to change: "NAMESPACE/POD key=value key-" or "NAMESPACE key=value".'),
]
GitOption = Annotated[
    str | None, typer.Option("--git", help="A range of commits whose changes of policies are the proposal: A..B.")
]
RepositoryOption = Annotated[Path, typer.Option("--repository", help="Where the range is looked up.")]


@dataclass(frozen=True, slots=True)
class Change:
    """A change as the options name it."""

    apply: Sequence[Path] = ()
    delete: Sequence[str] = ()
    label: Sequence[str] = ()
    git: str | None = None
    repository: Path = Path()

    def proposal(self) -> Proposal | None:
        """Put the change of each option together; what a range of commits says comes first. None where none is named.

        Raises:
            GitError: if the range or the repository is none.
            ProposalError: if an option says nothing of the kind.
            UnreadableError: if a file cannot be read.
        """
        ranged = proposal_of_range(self.git, self.repository) if self.git is not None else Proposal()
        stdin = Path("-")
        documents = list(read_all([path for path in self.apply if path != stdin]))
        if stdin in self.apply:
            documents.extend(documents_of(sys.stdin.buffer.read(), "standard input"))
        put = policies_among(documents)
        if self.apply and not put:
            raise ProposalError("there is no policy in what --apply names")
        changes = tuple(LabelChange.parse(text) for text in self.label)
        deleted = tuple(parse_reference(text) for text in self.delete)
        if self.git is None and not (put or deleted or changes):
            return None
        kept = tuple(manifest for manifest in ranged.put if reference_of(manifest) not in deleted)
        return Proposal((*kept, *put), tuple(dict.fromkeys((*ranged.delete, *deleted))), changes)
