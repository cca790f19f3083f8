"""The second worked example of CONTRIBUTING.md: one file, and answers go to a new surface."""

import importlib.util
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from bot.render.failure import timeout
from bot.reports import Reports
from bot.surface import Answer, Surface, Surfaces
from bot.ticket import Address, Ticket
from bot.waiters import Waiters
from tests.bot.samples import NOON, open_and_seen
from workers.answering import Answering
from workers.runner import Ran

ROOT = Path(__file__).parents[2]
TICKET = Ticket("t1", "why shop/frontend shop/cart 8080", "why", False, Address("folder", {}), NOON)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the answers go."""
    made = tmp_path / "answers"
    made.mkdir()
    return made


@pytest.fixture
def surface(tmp_path: Path, folder: Path) -> Surface:
    """The surface of the example, from the text of the page."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (code,) = re.findall(r"^`bot/surfaces/folder.py`[^\n]*\n\n```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    file = tmp_path / "folder.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location("folder_surface", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Surfaces({module.NAME: module.FolderSurface(folder)})


def written(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_everybody_who_waits_there_is_answered_by_one_run(surface: Surface, folder: Path, redis_client: Redis) -> None:
    waiters = Waiters(redis_client)
    looks = []

    def look(asked: object, progress: object) -> Ran:
        looks.append(asked)
        return Ran(open_and_seen())

    for ticket in (TICKET, replace(TICKET, id="t2")):
        waiters.join(ticket)
    Answering({"": look}, waiters, surface, Reports(redis_client), soft_limit=40).answer(TICKET, "run")
    assert len(looks) == 1
    assert sorted(written(folder)) == ["t1.txt", "t2.txt"]
    assert all(text.startswith("OPEN") for text in written(folder).values())


def test_an_answer_given_twice_leaves_one(surface: Surface, folder: Path) -> None:
    surface.fail(TICKET, timeout(timedelta(seconds=40)))
    assert written(folder)["t1.txt"].startswith("I gave up after 40 s.")
    for _ in range(2):
        surface.answer(TICKET, Answer(open_and_seen()))
    (text,) = written(folder).values()
    assert text.startswith("OPEN")
