"""The console command ``cilium-triage``: the same questions and the same engine, in a terminal."""

import os
import signal
import sys


def main() -> None:
    """Run the command line and exit with its status (see ``workers.cli.status``)."""
    from workers.cli.app import run

    signal.signal(signal.SIGINT, _leave)
    sys.exit(run(sys.argv[1:]))


def _leave(_number: int, _frame: object) -> None:
    """End at once: reads that hang on other threads would hold a polite end up for as long as their budget."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h\n")  # the line that tells the progress hides the cursor
        sys.stderr.flush()
    os._exit(130)
