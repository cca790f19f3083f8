"""Worker and bot as child processes that end with their owner."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from tools.tethered import tethered

_PATIENCE = 5.0
"""Seconds that a process gets to end by itself."""

WORKER = (
    *("-m", "celery", "--quiet", "-A", "workers.app", "worker"),
    *("--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"),
)
"""Arguments of Python that start a worker with two processes; it talks to no other worker."""

BEAT = ("-m", "celery", "-A", "workers.app", "beat", "-S", "redbeat.RedBeatScheduler", "--pidfile=")
"""Arguments of Python that start the scheduler."""

BOT = ("-m", "bot")
"""Arguments of Python that start the web process."""


class ChildDiedError(RuntimeError):
    """A child process ended by itself; the message has its last words."""


@dataclass(slots=True)
class Child:
    """A process of the system, its output in a file."""

    name: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def check(self) -> None:
        """Do nothing while it runs.

        Raises:
            ChildDiedError: if it does not.
        """
        if self.process.poll() is not None:
            raise ChildDiedError(f"{self.name} ended with status {self.process.returncode}:\n{self.last_words()}")

    def is_alive(self) -> bool:
        """Say whether it runs."""
        return self.process.poll() is None

    def words(self) -> str:
        """Return what it wrote; nothing is left of one that was killed."""
        return "" if self.log.closed else Path(self.log.name).read_text(errors="replace")

    def last_words(self, lines: int = 20) -> str:
        """Return the end of what it wrote."""
        return "\n".join(self.words().splitlines()[-lines:])

    def kill(self) -> None:
        """End it and everything it started, as a crash of the machine would."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def terminate(self) -> None:
        """Ask it to end."""
        self.process.terminate()

    def wait(self) -> None:
        """Give it a while to end by itself, then end it."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_PATIENCE)
        # What it started is in its process group, and may be left over even if it ended by itself.
        self.kill()


@contextmanager
def running(environment: Mapping[str, str], **commands: tuple[str, ...]) -> Iterator[dict[str, Child]]:
    """Run ``python ARGUMENTS`` for each command while the block runs; all are asked to end together."""
    children: dict[str, Child] = {}
    try:
        for name, arguments in commands.items():
            children[name] = start(name, arguments, environment)
        yield children
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.wait()


def start(name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Child:
    """Start ``python ARGUMENTS`` in a process group of its own, with variables on top of ours.

    The caller has to stop or kill it.
    """
    log = tempfile.NamedTemporaryFile(prefix=f"cilium-triage-{name}-", suffix=".log")  # noqa: SIM115  (the child's own)
    process = subprocess.Popen(  # noqa: S603  (our own command)
        tethered([sys.executable, *arguments]),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    return Child(name, process, cast(IO[bytes], log))
