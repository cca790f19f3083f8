"""Run a command that must not outlive the process that started it: ``python -m tools.tethered COMMAND ...``.

On Linux the kernel sends the command SIGTERM when its parent dies, even by ``kill -9``. Elsewhere this process stays
between the two and watches the parent.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_WATCH_INTERVAL = 0.5
"""Seconds between two looks at the parent, where the kernel does not tell."""


def tethered(command: Sequence[str]) -> list[str]:
    """Return the command line that runs ``command`` tied to the life of the process that starts it.

    The tie is to the starting *thread* on Linux: start it from one that lives as long as the process.
    """
    return [sys.executable, "-m", "tools.tethered", str(os.getpid()), *command]


def main(arguments: Sequence[str]) -> int:
    """Become ``arguments[1:]``, tied to the process ``arguments[0]``."""
    parent, command = int(arguments[0]), list(arguments[1:])
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            return 1
        os.execvp(command[0], command)  # noqa: S606  (the command comes from our own code)
    return watch(parent, command)


def watch(parent: int, command: Sequence[str]) -> int:
    """Run the command as a child; end it when this process's parent is no longer ``parent``."""
    child = subprocess.Popen(command)  # noqa: S603  (the command comes from our own code)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.poll() is None:
        if os.getppid() != parent:
            child.terminate()
            return child.wait()
        time.sleep(_WATCH_INTERVAL)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
