"""The console command ``cilium-triage``: the same questions and the same engine, in a terminal."""

import contextlib
import gc
import os
import signal
import sys
import traceback
from typing import IO


def main() -> None:
    """Run the command line and exit with its status (see ``workers.status``)."""
    # A start makes many objects and next to no garbage; looking for it every 700 objects takes a tenth of an answer.
    gc.set_threshold(100_000, 50, 50)

    from workers.cli.app import run
    from workers.status import Status

    signal.signal(signal.SIGINT, _leave)
    # A terminal that cannot show a letter gets another one in its place: the answer matters more.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    status: int = Status.UNKNOWN
    try:
        found = run(sys.argv[1:])
        if sys.stdout is not None:
            sys.stdout.flush()
        status = found
    except OSError as error:
        _say(f"the answer could not be written: {error.strerror or error}")
        _drop(sys.stdout)
    except SystemExit:
        # The parser of the command line leaves so, with status 1, when the reader of the answer is gone.
        _drop(sys.stdout)
    except Exception as error:  # noqa: BLE001  (a defect is no finding: status 1 means a problem of the cluster)
        at = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{os.path.basename(at.filename)}:{at.lineno}"  # noqa: PTH119
        _say(f"failed with {type(error).__name__} in {place}: {str(error)[:300]}. This is a defect of the program.")
    sys.exit(status)


def _say(what: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"cilium-triage: {what}\n")


def _drop(stream: IO[str] | None) -> None:
    """Let what is still buffered go nowhere, or the interpreter ends with a status of its own when it flushes."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _leave(_number: int, _frame: object) -> None:
    """End at once: reads that hang on other threads would hold a polite end up for as long as their budget."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h\n")  # the line that tells the progress hides the cursor
        sys.stderr.flush()
    os._exit(130)
