"""Every fault of tests/e2e/chaos.py, one question each: the answers lost, doubled and wrongly "open".

Usage: ``python -m benchmarks.chaos [--seed N] [--write] [WORD ...]``: only faults whose names have one of the words.
``--write`` puts the table into docs/robustness.md.
"""

import argparse
import tempfile
import time
from dataclasses import astuple
from pathlib import Path

from tests.e2e.broken import broken
from tests.e2e.chaos import FAULTS, Outcome, tried
from tools.robustness import table, write

_LONGEST_WORDS = 150


def measure(words: list[str], seed: int) -> list[Outcome]:
    """Try the faults one after the other, in one system."""
    found = []
    with tempfile.TemporaryDirectory() as folder, broken(Path(folder), clock_file=Path(folder) / "clock") as running:
        for fault in FAULTS:
            if words and not any(word in fault.name for word in words):
                continue
            started = time.monotonic()
            outcome = tried(running, fault, seed)
            found.append(outcome)
            print(f"{time.monotonic() - started:5.1f} s  {astuple(outcome)}", flush=True)
    return found


def shown(found: list[Outcome], seed: int) -> str:
    """Return the table, and its sum."""
    rows: list[tuple[object, ...]] = [
        (one.fault, one.when, one.lost, one.doubled, one.wrongly_open, one.words[:_LONGEST_WORDS]) for one in found
    ]
    lost, doubled, wrong = (
        sum(column) for column in zip(*((o.lost, o.doubled, o.wrongly_open) for o in found), strict=True)
    )
    total = f"{len(found)} faults, seed {seed}: {lost} answers lost, {doubled} doubled, {wrong} wrongly open."
    return f"{total}\n\n{table(('fault', 'it', 'lost', 'doubled', 'wrongly open', 'what was said'), rows)}"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--write", action="store_true")
    options.add_argument("words", nargs="*")
    asked = options.parse_args()
    text = shown(measure(asked.words, asked.seed), asked.seed)
    print(text.partition("\n")[0])
    if asked.write:
        write("chaos", text)


if __name__ == "__main__":
    main()
