"""The policies that differ between two commits of a Git repository."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handlers.model.rule import Manifest, PolicyRef
from handlers.reach.proposal import Proposal, policies_among, reference_of
from workers.documents import MOST_BYTES, UnreadableError, documents_of

_REVISION = re.compile(r"[A-Za-z0-9_/@^~][A-Za-z0-9_./@^~{}+-]{0,199}")
_SUFFIXES = (".yaml", ".yml", ".json")
_SECONDS = 60
_MOST_FILES = 5000


class GitError(Exception):
    """Git cannot say what was asked; the message says why."""


@dataclass(frozen=True, slots=True)
class _Range:
    before: str
    after: str


def proposal_of_range(text: str, repository: Path) -> Proposal:
    """Return what a range of commits does to policies: those that it adds or changes, and those that it deletes.

    ``A..B`` compares A with B, ``A...B`` the point where they parted with B, ``A`` alone A with HEAD.

    Raises:
        GitError: if the range or the repository is none.
        UnreadableError: if a file of either side is no YAML.
    """
    asked = _range(text, repository)
    before: dict[PolicyRef, Manifest] = {}
    after: dict[PolicyRef, Manifest] = {}
    for path in _changed(asked, repository):
        for revision, found in ((asked.before, before), (asked.after, after)):
            content = _content(revision, path, repository)
            if content is not None:
                documents = documents_of(content, f"{revision}:{path}")
                found.update({reference_of(one): one for one in policies_among(documents)})
    put = tuple(manifest for reference, manifest in after.items() if before.get(reference) != manifest)
    return Proposal(put=put, delete=tuple(reference for reference in before if reference not in after))


def _range(text: str, repository: Path) -> _Range:
    first, dots, second = text.partition("...")
    if not dots:
        first, dots, second = text.partition("..")
    revisions = [first or "HEAD", second or "HEAD"]
    for revision in revisions:
        if not _REVISION.fullmatch(revision) or ".." in revision:
            raise GitError(f"{text[:80]!r} is no range of commits; write A..B")
    commits = [_commit(revision, repository) for revision in revisions]
    if dots == "...":
        commits[0] = _git(["merge-base", *commits], repository).decode().strip()
    return _Range(*commits)


def _commit(revision: str, repository: Path) -> str:
    return (
        _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"], repository)
        .decode()
        .strip()
    )


def _changed(asked: _Range, repository: Path) -> Iterator[str]:
    listed = _git(["diff", "--name-only", "--no-renames", "-z", asked.before, asked.after, "--"], repository)
    names = [name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0") if name]
    if len(names) > _MOST_FILES:
        raise GitError(f"the range changes more than {_MOST_FILES} files")
    yield from (name for name in names if name.endswith(_SUFFIXES))


def _content(revision: str, path: str, repository: Path) -> bytes | None:
    """Return a file of a commit, None where the commit has no such file."""
    try:
        size = int(_git(["cat-file", "-s", f"{revision}:{path}"], repository))
    except GitError:
        return None
    if size > MOST_BYTES:
        raise UnreadableError(f"{path} is larger than {MOST_BYTES >> 20} MiB")
    return _git(["show", "--no-textconv", f"{revision}:{path}"], repository)


def _git(arguments: list[str], repository: Path) -> bytes:
    command = ["git", "-c", "core.quotepath=off", "--no-pager", *arguments]
    try:
        done = subprocess.run(command, cwd=repository, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git cannot be run in {repository}: {type(error).__name__}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(f"git {arguments[0]}: {said[0] if said else 'it knows no such commit'}")
    return done.stdout
