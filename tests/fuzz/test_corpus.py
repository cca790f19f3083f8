"""Inputs that once broke something, and a few made by chance at each entrance: taken, or refused in words."""

import random
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, hold

CORPUS = Path(__file__).parent / "corpus"
KEPT = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
FEW = 40


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name} {path.name}")
def test_what_was_found_once_is_held(path: Path) -> None:
    hold(TARGETS[path.parent.name.replace("-", " ")], path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_every_entrance_takes_what_is_right_and_what_is_wrong(name: str) -> None:
    target, chance = TARGETS[name], random.Random(20261121)  # noqa: S311  (no secret)
    seeds = target.seeds()
    for _ in range(max(1, round(FEW * target.share))):
        hold(target, target.change(chance.choice(seeds), seeds, chance))
