"""``digest``: what differs since the last one, for cron without Slack.

| status | meaning |
|---|---|
| 0 | nothing is new or worse |
| 1 | something is new or worse; without ``--previous``, something stands |
| 2 | nothing is, as far as could be read, and something that matters was not read |
| 64 | the words, a file or an option was not understood |
"""

import json
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bot.render.clean import one_line
from handlers.catalogue import Catalogue
from handlers.commands.command import Asked
from handlers.digests.compare import Digest, compare
from handlers.digests.form import NotADigestError, digest_json, moment_from
from handlers.digests.moment import Moment
from handlers.digests.scope import questions_in
from handlers.source import Source
from workers.cli.json_text import json_text
from workers.cli.output import Screen, screen_of
from workers.cli.progress import progress_line
from workers.digest_reports import AT_ONCE, NothingAnsweredError, gather
from workers.documents import UnreadableError, attached
from workers.origin import Live, Origin, opened
from workers.status import Status

CHECK = "check"
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a digest is of and how it is printed. ``contracts`` are files with lines of reachability contracts."""

    words: str
    previous: Path | None = None
    contracts: tuple[Path, ...] = ()
    output: str = "text"
    budget: float = 10.0
    cilium_version: str | None = None


def digest_in_terminal(wanted: Wanted, origin: Origin, catalogue: Catalogue) -> Status:
    """Ask, compare, print, and return the status.

    Raises:
        NotUnderstoodError: if the words name no questions.
        NotOpenedError: if the place cannot be looked at.
        UnreadableError: if the last digest or a contract cannot be read.
    """
    asked = _asked(wanted, catalogue)
    before = _moment_in(wanted.previous) if wanted.previous is not None else None

    def open_source() -> AbstractContextManager[Source]:
        return opened(origin, cilium_version=wanted.cilium_version)

    at_once = AT_ONCE if isinstance(origin, Live) else 1
    with progress_line(sys.stderr) as progress:
        try:
            now = gather(
                asked, open_source, budget=wanted.budget, at_once=at_once, progress=progress, catalogue=catalogue
            )
        except NothingAnsweredError as error:
            sys.stderr.write(f"cilium-triage: no question has an answer: {one_line(str(error))}\n")
            return Status.UNKNOWN
    digest = compare(before, now)
    sys.stdout.write(_printed(digest, wanted.output, screen_of(sys.stdout)))
    return _status(digest)


def _asked(wanted: Wanted, catalogue: Catalogue) -> tuple[Asked, ...]:
    asked = questions_in(wanted.words, catalogue)
    if not wanted.contracts:
        return asked
    return (*asked, catalogue.understand(CHECK, attached(wanted.contracts)))


def _moment_in(path: Path) -> Moment:
    try:
        with sys.stdin.buffer if path == Path("-") else path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise UnreadableError(f"{path} is larger than {_MOST_BYTES >> 20} MiB")
        return moment_from(json.loads(content))
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or 'it cannot be read'}") from error
    except NotADigestError as error:
        raise UnreadableError(f"{path}: {error}; give what digest --output json printed") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{path} is no JSON; give what digest --output json printed") from error


def _printed(digest: Digest, form: str, screen: Screen) -> str:
    match form:
        case "json":
            return json_text(digest_json(digest))
        case "markdown":
            from bot.render.digest_text import markdown

            return markdown(digest)
        case "slack":
            from bot.render.digest import digest_message

            message = digest_message(digest)
            return json_text({"text": message.text, "blocks": message.blocks})
        case _:
            from bot.render.digest_text import plain

            return plain(digest, width=screen.width) + "\n"


def _status(digest: Digest) -> Status:
    if digest.is_worse:
        return Status.PROBLEM
    return Status.UNKNOWN if digest.is_in_doubt else Status.FINE
