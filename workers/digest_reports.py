"""Asks the questions of a digest together, and makes a moment of their reports."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import MappingProxyType

import structlog

from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import Asked
from handlers.digests.moment import Moment, moment_of
from handlers.model.report import Report
from handlers.source import Source
from workers.outcomes import count_read
from workers.runner import Progress, run

AT_ONCE = 3
"""Questions that are asked of a live cluster at the same time: each reads several things in parallel itself."""

Opened = Callable[[], AbstractContextManager[Source]]
Redact = Callable[[Report], Report]
"""What takes out of a report what the readers of a digest may not see."""

log = structlog.get_logger(__name__)


class NothingAnsweredError(Exception):
    """No question of a digest has an answer; the message says why the first has none."""


def gather(
    asked: Sequence[Asked],
    open_source: Opened,
    *,
    budget: float,
    at_once: int = AT_ONCE,
    progress: Progress | None = None,
    redact: Redact | None = None,
    owned: bool = False,
    unasked: Mapping[str, str] = MappingProxyType({}),
    catalogue: Catalogue = CATALOGUE,
) -> Moment:
    """Ask all, each within the budget of seconds, and return what stands; a question that fails is told as unread.

    With ``at_once`` 1 all are asked of one source, else each of a source of its own. ``owned`` reports say whose their
    words are, for ``redact``. ``unasked`` are questions that could not even be asked, each with the reason.

    Raises:
        NotOpenedError: if the source cannot be opened.
        NothingAnsweredError: if no question has an answer.
    """

    def one(question: Asked, source: Source) -> Report | Exception:
        try:
            ran = run(question, source, budget=budget, progress=progress, catalogue=catalogue, owned=redact is not None)
            count_read(ran, fresh=True)
            return redact(ran.report) if redact else ran.report
        except Exception as error:  # noqa: BLE001  (one question that fails must not take the others with it)
            log.warning("digest_question_failed", question=str(question), error=type(error).__name__)
            return error

    def alone(question: Asked) -> Report | Exception:
        with open_source() as source:
            return one(question, source)

    if at_once == 1:
        with open_source() as source:
            found: Iterable[Report | Exception] = [one(question, source) for question in asked]
    else:
        with ThreadPoolExecutor(at_once, thread_name_prefix="digest") as pool:
            found = list(pool.map(alone, asked))
    answers = dict(zip(map(str, asked), found, strict=True))
    reports = [answer for answer in answers.values() if isinstance(answer, Report)]
    failed = {name: type(error).__name__ for name, error in answers.items() if isinstance(error, Exception)}
    if not reports:
        raise NothingAnsweredError(next(iter(failed.values()), "nothing was asked"))
    return moment_of(reports, {**unasked, **failed}, catalogue)
