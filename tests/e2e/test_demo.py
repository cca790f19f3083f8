"""The two commands of a new user, as they are: they work, and leave no process behind however they end."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from tools.embedded import free_port

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for left-over processes in /proc"),
]


@contextmanager
def started(*command: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a command, marked so that everything it starts can be found."""
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **environment, "TEST_MARK": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process, mark
    finally:
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
        process.communicate()


def marked(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if f"TEST_MARK={mark}".encode() in environment.split(b"\0"):
            found.append(int(folder.name))
    return found


@retry(retry=retry_if_result(bool), stop=stop_after_delay(10), wait=wait_fixed(0.05))
def wait_until_nothing_is_left(mark: str) -> list[int]:
    return marked(mark)


def test_the_demo_asks_and_answers() -> None:
    with started("-m", "tools.demo") as (demo, mark):
        out, err = demo.communicate(timeout=50)
        assert demo.returncode == 0, err
        assert not err
        assert "@cilium why shop/loadgen shop/cart 8080" in out
        assert "Why: cart-allow-frontend wants app=frontend; loadgen has app=loadgen" in out
        assert "make playground" in out
        took = re.search(r"answered in ([0-9.]+) s", out)
        assert took is not None
        # Ten seconds are promised on a machine that does nothing else.
        assert float(took[1]) < 15
        wait_until_nothing_is_left(mark)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_demo_leaves_nothing_running(number: signal.Signals) -> None:
    with started("-m", "tools.demo") as (demo, mark):
        assert demo.stdout is not None
        assert "are starting" in demo.stdout.readline()
        demo.send_signal(number)
        demo.wait(20)
        wait_until_nothing_is_left(mark)


def test_the_playground_opens_and_stops() -> None:
    port = free_port()
    with started("-m", "tools.demo.playground", PLAYGROUND_PORT=str(port)) as (playground, mark):
        assert playground.stdout is not None
        ready = next(line for line in playground.stdout if "Playground ready" in line)
        assert f"http://127.0.0.1:{port}" in ready
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            assert b"<html" in page.read()
        playground.send_signal(signal.SIGINT)
        assert playground.wait(20) == 0
        wait_until_nothing_is_left(mark)
