"""The playground as a process of its own."""

import signal
import subprocess
import sys

from slack_sdk import WebClient


def test_it_says_when_it_is_ready_and_stops_on_a_signal() -> None:
    command = [sys.executable, "-m", "tools.playground", "--port", "0", "--bot-token", "xoxb-other"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline().strip()
        assert ready.startswith("Playground ready at http://127.0.0.1:")
        client = WebClient(token="xoxb-other", base_url=f"{ready.removeprefix('Playground ready at ')}/api/")  # noqa: S106
        assert client.auth_test()["ok"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_it_does_not_start_off_loopback() -> None:
    command = [sys.executable, "-m", "tools.playground", "--port", "0", "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "loopback" in done.stderr
