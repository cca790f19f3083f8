"""The map of CONTRIBUTING.md: each of its files is there, and one ``why`` from Slack to its answer goes through it."""

import inspect
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from redis import Redis
from slack_bolt.adapter.socket_mode import SocketModeHandler

from bot.app import build
from bot.settings import Settings
from tests.bot.conftest import Queue
from tools.demo import QUESTION, SAMPLE
from tools.embedded import EmbeddedRedis
from tools.playground.manifest import installed
from tools.playground.server import running_playground
from workers import tasks
from workers.deps import assemble, deps
from workers.settings import load_settings

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\d+\. `([^`]+)`", re.MULTILINE)
CHANNEL = "#incident-42"


@contextmanager
def noting_files() -> Iterator[set[str]]:
    """Note every file of ours with a function that is called meanwhile, in this thread or in one that starts."""
    called: set[str] = set()

    def note(frame: FrameType, event: str, arg: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED:
            called.add(code.co_filename)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@pytest.fixture
def on_the_way(redis_server: EmbeddedRedis, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The files that a mention, the worker's run and the answer in the thread go through."""
    with running_playground(installed()) as slack:
        for name, value in slack.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("REDIS_URL", redis_server.url)
        monkeypatch.setenv("CILIUM_TRIAGE_SOURCE", f"sysdump:{SAMPLE}")
        assemble(load_settings())
        with noting_files() as called:
            web = build(Settings.model_validate({}))
            socket = SocketModeHandler(web.app, app_token=slack.settings.app_token)
            socket.connect()
            slack.wait_connected()
            asked = slack.say("ada", CHANNEL, f"@cilium {QUESTION}")
            (ticket,) = Queue(redis_client).wait()
            tasks.answer.run(ticket.to_json())
            slack.wait_for(lambda: [reply for reply in slack.replies(asked) if "BLOCKED" in reply["text"]], 20)
            socket.close()
            web.close()
        deps.cache_clear()
    return {str(Path(name).relative_to(ROOT)) for name in called if name.startswith(str(ROOT))}


def test_each_file_of_the_map_is_on_the_way_of_why(on_the_way: set[str]) -> None:
    files = ROW.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert len(files) == len(set(files)) > 10
    assert [name for name in files if name not in on_the_way] == []
