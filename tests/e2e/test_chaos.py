"""Whatever fails of what the system stands on: no answer is lost, none comes twice, none says "open" wrongly."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.broken import Broken, broken
from tests.e2e.chaos import FAULTS, Fault, tried

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

SEED = int(os.environ.get("CHAOS_SEED", "1"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    folder = tmp_path_factory.mktemp("chaos")
    with broken(folder, clock_file=folder / "clock") as made:
        yield made


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_question_under_a_fault(running: Broken, fault: Fault) -> None:
    outcome = tried(running, fault, SEED)
    assert (outcome.lost, outcome.doubled, outcome.wrongly_open) == (0, 0, 0), outcome.words
    assert outcome.words
