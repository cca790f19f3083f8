"""The whole system for a test: playground, real Redis, real worker processes, the real bot process."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from redis import Redis
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from bot.dispatch import queue_key
from tests.bot.told import of_the_app
from tools.demo.stack import BEAT, BOT, WORKER, Child, start
from tools.embedded import EmbeddedRedis, embedded_redis
from tools.playground.server import Playground, running_playground
from tools.playground.settings import PlaygroundSettings

CHANNEL = "#incident-42"
TIMEOUT = 40.0

Json = dict[str, Any]
T = TypeVar("T")


@dataclass
class System:
    """Handles on every part, to use and to break."""

    playground: Playground
    redis: EmbeddedRedis
    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)
    clock_file: Path | None = None
    """How far the clocks of all processes are ahead, in seconds; None: nobody moves them."""

    def start_worker(self, **environment: str) -> Child:
        return self._start("worker", WORKER, environment)

    def start_beat(self, **environment: str) -> Child:
        return self._start("beat", BEAT, environment)

    def start_bot(self, **environment: str) -> Child:
        connections = self.playground.connections()
        bot = self._start("bot", BOT, environment)
        self.wait_for(lambda: self.playground.connections() > connections)
        return bot

    def _start(self, name: str, command: tuple[str, ...], environment: Mapping[str, str] | None = None) -> Child:
        if self.clock_file is not None:
            command = ("-m", "tools.moved_clock", str(self.clock_file), *command[1:])
        child = start(name, command, {**self.environment, **(environment or {})})
        self.children.append(child)
        return child

    def client(self) -> Redis:
        return Redis.from_url(self.redis.url, decode_responses=True)

    def mention(self, question: str, user: str = "ada") -> Json:
        return self.playground.say(user, CHANNEL, f"@cilium {question}")

    def wait_for(self, predicate: Callable[[], T], timeout: float = TIMEOUT) -> T:
        """Wait, and when it does not happen show what the processes said."""
        try:
            return self.playground.wait_for(predicate, timeout)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self._said()}") from error

    def poll(self, predicate: Callable[[], T], timeout: float = TIMEOUT) -> T:
        """Wait for something outside of Slack."""
        try:
            return Retrying(
                retry=retry_if_result(lambda found: not found), stop=stop_after_delay(timeout), wait=wait_fixed(0.02)
            )(predicate)
        except RetryError as error:
            raise AssertionError(f"did not happen within {timeout} s\n{self._said()}") from error

    def _said(self) -> str:
        with self.client() as client:
            keys = sorted(client.keys())
        said = [f"--- {child.name}\n{child.last_words(40)}" for child in self.children]
        return "\n".join([f"keys in Redis: {keys}", *said])

    def answers(self, asked: Json) -> list[str]:
        """Return the texts below a mention that are no placeholder."""
        return [reply["text"] for reply in self.playground.replies(asked) if is_answer(reply)]

    def answer(self, asked: Json, timeout: float = TIMEOUT) -> str:
        """Return the one answer below a mention."""
        (text,) = self.wait_for(lambda: self.answers(asked), timeout)
        return text

    def is_idle(self) -> bool:
        """Whether no message is queued and no question has a lease."""
        with self.client() as client:
            return not client.llen(queue_key("cilium-triage")) and not client.keys("cilium-triage:lease:*")


def is_answer(message: Json) -> bool:
    """Whether a message is the last word on a question: neither the placeholder nor what is certain before the end."""
    is_early = re.match(r"Looking into|🔎", message["text"]) or "still reading" in message["text"]
    return message["user"].startswith("U0CILIUM") and not is_early


@contextmanager
def system(*, settings: PlaygroundSettings | None = None, **environment: str) -> Iterator[System]:
    """Give Redis and a playground; the test starts what it needs, and all of it ends with the block."""
    with embedded_redis() as server, running_playground(settings) as playground:
        running = System(
            playground,
            server,
            {**playground.environment(), "REDIS_URL": server.url, "CILIUM_TRIAGE_PORT": "0", **environment},
        )
        try:
            yield running
            heard = (
                one for channel in ("#incident-42", "#platform", "U0ADA00001") for one in playground.messages(channel)
            )
            assert of_the_app(heard) == [], "every message has words of its own"
        finally:
            for child in running.children:
                child.terminate()
            for child in running.children:
                child.wait()
