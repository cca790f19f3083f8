"""``python -m tools.demo``: one question through the whole system, and its answer as text."""

import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from tools.demo import QUESTION, SAMPLE
from tools.demo.stack import BOT, WORKER, Child, ChildDiedError, running
from tools.embedded import RedisNotStartedError, embedded_redis
from tools.playground.manifest import installed
from tools.playground.server import Playground, running_playground

_ASKER = "ada"
_CHANNEL = "#incident-42"
_TIMEOUT = 60.0
"""Seconds for the start of everything, and again for the answer."""
_LOOK_AROUND = 0.5
"""Seconds between two looks whether every process still runs."""

NEXT_STEPS = """
This was the real bot, a real worker and a real Redis; only Slack was a stand-in and the cluster a sysdump.

  Ask your own questions       make playground           (opens a page that works like a Slack channel)
  In a terminal                .venv/bin/cilium-triage why A B [PORT] --sysdump cilium-sysdump.zip
  On a cluster                 .venv/bin/cilium-triage why A B [PORT] --context NAME
  In your Slack workspace      docs/operations.md says how to install the app and run the bot
"""


def main() -> int:
    """Run the demo and return its exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run()
    except (ChildDiedError, RedisNotStartedError, TimeoutError) as error:
        sys.stderr.write(f"The demo did not work: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run() -> None:
    """Ask and print the answer.

    Raises:
        ChildDiedError, RedisNotStartedError: if a part of the system does not run.
        TimeoutError: if there is no answer.
    """
    started = time.monotonic()
    with embedded_redis() as redis, running_playground(installed()) as playground:
        environment = {
            **playground.environment(),
            "REDIS_URL": redis.url,
            "CILIUM_TRIAGE_SOURCE": f"sysdump:{SAMPLE}",
            "CILIUM_TRIAGE_PORT": "0",
        }
        with running(environment, worker=WORKER, bot=BOT) as children:
            _say(f"Redis, a worker, the bot and a stand-in for Slack ({playground.url}) are starting …")
            _await(playground, children, lambda: playground.connections() > 0)
            asked = playground.say(_ASKER, _CHANNEL, f"@cilium {QUESTION}")
            _say(f"\n{_CHANNEL}  {_ASKER}: @cilium {QUESTION}\n")
            answer = _await(playground, children, lambda: _answer(playground, asked))
            _say(answer["text"])
            _say(f"\nStarted, asked and answered in {time.monotonic() - started:.1f} s.")
    _say(NEXT_STEPS)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _answer(playground: Playground, asked: dict[str, Any]) -> dict[str, Any] | None:
    replies = [reply for reply in playground.replies(asked) if reply["user"] != asked["user"]]
    return next((reply for reply in replies if not reply["text"].startswith("Looking into")), None)


def _await(playground: Playground, children: dict[str, Child], predicate: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        for child in children.values():
            child.check()
        try:
            return playground.wait_for(predicate, timeout=_LOOK_AROUND)
        except TimeoutError:
            if time.monotonic() > deadline:
                raise


if __name__ == "__main__":
    sys.exit(main())
