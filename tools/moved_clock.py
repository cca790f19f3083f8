"""Run a Python module with its clock moved: ``python -m tools.moved_clock FILE MODULE ARGUMENTS ...``.

The file holds the seconds by which the clock is ahead, and is looked at a few times a second, so that the clock of
several processes moves together while they run. The time of day moves; waits, and what a server elsewhere expires,
keep to the time that passes.
"""

import os
import runpy
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

_LOOK_EVERY = 0.2
"""Seconds between two looks at the file."""


def ahead(file: Path) -> float:
    """Return the seconds in a file; none where it says none."""
    try:
        return float(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0


def follow(file: Path) -> None:
    """Move this process's clock as the file says, now and from now on; a child that is forked does the same."""
    moved = ahead(file)
    clock = time_machine.travel(datetime.now(UTC) + timedelta(seconds=moved), tick=True).start()

    def keep_up() -> None:
        nonlocal moved
        while True:
            time.sleep(_LOOK_EVERY)
            wanted = ahead(file)
            if wanted != moved:
                clock.shift(wanted - moved)
                moved = wanted

    def start() -> None:
        threading.Thread(target=keep_up, name="moved-clock", daemon=True).start()

    os.register_at_fork(after_in_child=start)
    start()


def main(arguments: Sequence[str]) -> None:
    """Become the module, with its clock moved."""
    follow(Path(arguments[0]))
    sys.argv = list(arguments[1:])
    runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
