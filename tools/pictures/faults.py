"""Recorded moments of one cluster, each with a fault of its own or none: sysdumps, unpacked when they are asked."""

import tarfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from handlers.catalogue import understand
from handlers.digests.moment import Moment
from handlers.digests.scope import questions_in
from handlers.model.report import Report
from workers.digest_reports import gather
from workers.origin import Sysdump, opened
from workers.runner import run

_FAULTS = Path("tests/scenarios/faults")
_BUDGET = 30.0


class Faults:
    """The recordings, below a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.report = cache(self._report)
        self.moment = cache(self._moment)

    def _report(self, name: str, question: str) -> Report:
        with opened(Sysdump(self._dump(name))) as source:
            return run(understand(question), source, budget=_BUDGET).report

    def _moment(self, name: str, words: str) -> Moment:
        return gather(questions_in(words), lambda: opened(Sysdump(self._dump(name))), budget=_BUDGET, at_once=1)

    def moments(self, names: Sequence[str], words: str) -> list[Moment]:
        """Return what stood in each recording."""
        return [self.moment(name, words) for name in names]

    def _dump(self, name: str) -> Path:
        dump = self._folder / name
        if not dump.exists():
            with tarfile.open(_FAULTS / name / "moment.tar.xz") as packed:
                packed.extractall(self._folder / f"{name}.all", filter="data")
            (self._folder / f"{name}.all" / "sysdump" / name).rename(dump)
        return dump
