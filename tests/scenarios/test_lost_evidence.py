"""Lost evidence never opens: of a dump in which a client was stopped, any file may be gone or cut.

A sample is tried each time; ``make losses`` tries every file of every dump, which takes an hour.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from handlers.catalogue import understand
from tests.cluster.record import has_dump, unpacked_dump
from tests.reading import in_words
from tests.scenarios.test_faults import TRUTH
from workers.runner import run
from workers.sources.sysdump import SysdumpSource
from workers.sources.sysdump.index import is_of_use

SAMPLE = 1
"""Losses tried of each dump."""
ALL = os.environ.get("LOSSES") == "all"

BLOCKED = {
    str(name): str(question)
    for name, question, expected, _words in (row.values for row in TRUTH)
    if expected == "blocked" and has_dump(str(name))
}
"""One question for each dump; its client got no answer."""

CUTS = ("gone", "cut at 25%", "cut at 50%", "cut at 75%", "cut at a line end", "its last line lost")


def _cut(body: bytes, how: str) -> bytes:
    if how == "cut at a line end":
        return body[: body.rfind(b"\n", 0, len(body) // 2) + 1]
    if how == "its last line lost":
        return body[: body.rfind(b"\n", 0, len(body.rstrip())) + 1]
    return body[: len(body) * int(how.removeprefix("cut at ").removesuffix("%")) // 100]


def _losses(dump: Path, number: int) -> Iterator[tuple[Path, str]]:
    """Yield files and what is done to them: all, or some that differ from dump to dump."""
    every = [(path, how) for path in sorted(dump.rglob("*")) if is_of_use(path.as_posix()) for how in CUTS]
    step = max(1, len(every) // SAMPLE)
    yield from every if ALL else islice(every, number * 7 % step, None, step)


@pytest.mark.parametrize("name", BLOCKED)
@pytest.mark.timeout(3_600)
def test_what_is_lost_never_opens(name: str, tmp_path: Path) -> None:
    dump, question = unpacked_dump(name, tmp_path), understand(BLOCKED[name])
    opened = []
    for path, how in _losses(dump, list(BLOCKED).index(name)):
        if path.is_dir():
            continue
        whole = path.read_bytes()
        path.unlink() if how == "gone" else path.write_bytes(_cut(whole, how))
        source = SysdumpSource(dump)
        report = run(question, source).report
        source.close()
        path.write_bytes(whole)
        if report.expected == "open":
            opened.append(f"{path.name} {how}: {in_words(report)}")
    assert not opened, "\n".join(opened)
