"""Fuzzing: inputs made by chance, as many as are asked for, over every entrance of ``tests.fuzz.targets``.

Usage: ``python -m benchmarks.fuzz [--inputs N] [--seed N] [--write] [WORD ...]``: only names with one of the
words. What is raised and is no refusal is printed once for each place in the code; its input is kept in
``tests/fuzz/corpus``, where ``make test`` finds it. ``--write`` puts the table into docs/robustness.md.
"""

import argparse
import hashlib
import random
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from traceback import extract_tb

from tests.fuzz.targets import TARGETS, Target, hold
from tools.robustness import table, write

CORPUS = Path("tests/fuzz/corpus")
SLOW = 5
"""Seconds of processor time that one input may take."""
_MOST_MEMORY = 2 << 30
"""Bytes of address space; beyond them an input raises MemoryError."""
_AT_A_TIME = 500


class TooSlowError(Exception):
    """An input took longer than any may."""


def place_of(error: BaseException) -> str:
    """Return what was raised, and where."""
    frame = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def held(target: Target, given: bytes) -> str:
    """Give a target an input; returns what is wrong with what it did, empty for nothing."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SLOW)
    try:
        hold(target, given)
    except Exception as error:  # noqa: BLE001  (any is a finding)
        return place_of(error)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ""


def _too_slow(_number: int, _frame: object) -> None:
    raise TooSlowError


def keep(target: Target, given: bytes) -> Path:
    """Keep an input for the tests."""
    folder = CORPUS / target.name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(given).hexdigest()[:12]
    path.write_bytes(given)
    return path


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--inputs", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--write", action="store_true")
    options.add_argument("words", nargs="*")
    asked = options.parse_args()
    signal.signal(signal.SIGVTALRM, _too_slow)
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, resource.RLIM_INFINITY))
    targets = [one for one in TARGETS.values() if not asked.words or any(word in one.name for word in asked.words)]
    seeds = {one.name: one.seeds() for one in targets}
    chance = random.Random(asked.seed)
    inputs: Counter[str] = Counter()
    seconds = dict.fromkeys(seeds, 0.0)
    found: dict[tuple[str, str], Path] = {}
    started = time.monotonic()
    while inputs.total() < asked.inputs:
        target = chance.choice(targets)
        began = time.process_time()
        many = max(1, round(_AT_A_TIME * target.share))
        for _ in range(many):
            given = target.change(chance.choice(seeds[target.name]), seeds[target.name], chance)
            if (wrong := held(target, given)) and (target.name, wrong) not in found:
                found[target.name, wrong] = keep(target, given)
                print(f"{target.name}: {wrong}: {found[target.name, wrong]}", flush=True)
        inputs[target.name] += many
        seconds[target.name] += time.process_time() - began
    rows: list[tuple[object, ...]] = [
        (
            name,
            f"{inputs[name]:,}",
            f"{inputs[name] / max(seconds[name], 0.001):,.0f}",
            sum(one == name for one, _ in found),
        )
        for name in seeds
    ]
    total = f"{inputs.total():,} inputs, seed {asked.seed}, {time.monotonic() - started:,.0f} s: {len(found)} findings."
    text = f"{total}\n\n{table(('entrance', 'inputs', 'inputs in a second', 'findings'), rows)}"
    print(text)
    if asked.write:
        write("fuzz", text)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
