"""What the tests of the Slack edge share: a Redis that speaks text, a place, tickets."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Barrier

import pytest
import structlog
from redis import Redis
from slack_bolt.adapter.socket_mode import SocketModeHandler

from bot.app import WORKERS, Web, build
from bot.dispatch import TASK, queue_key
from bot.settings import Settings
from bot.ticket import Ticket
from tests.bot.told import of_the_app
from tools.embedded import EmbeddedRedis
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits
from tools.playground.server import Playground, running_playground
from tools.playground.workspace import PEOPLE


@pytest.fixture(scope="package", autouse=True)
def _quiet() -> Iterator[None]:
    """Show warnings and worse only, and no longer than here: others look at what is logged."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.reset_defaults()


@pytest.fixture
def redis(redis_server: EmbeddedRedis) -> Iterator[Redis]:
    """A client that decodes, on an empty database."""
    with Redis.from_url(redis_server.url, decode_responses=True) as client:
        client.flushall()
        yield client


_QUEUE = queue_key("cilium-triage")
_TAKEN = "taken-by-the-test"


@dataclass
class Queue:
    """What the workers would find."""

    redis: Redis

    def tickets(self) -> list[Ticket]:
        """The tickets that were queued, oldest first."""
        return [_ticket(text) for name in (_TAKEN, _QUEUE) for text in reversed(self.redis.lrange(name, 0, -1))]

    def wait(self, count: int = 1) -> list[Ticket]:
        """Wait until so many tickets were queued, and return them."""
        while self.redis.llen(_TAKEN) < count:
            moved = self.redis.blmove(_QUEUE, _TAKEN, 4, src="RIGHT", dest="LEFT")
            assert moved, f"{self.redis.llen(_TAKEN)} tickets of {count} came"
        return self.tickets()


def _ticket(text: bytes | str) -> Ticket:
    message = json.loads(text)
    assert message["headers"]["task"] == TASK
    args, _kwargs, _embed = json.loads(base64.b64decode(message["body"]))
    return Ticket.from_json(args[0])


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue(redis)


@pytest.fixture
def connect(redis_server: EmbeddedRedis) -> Iterator[Callable[[bool], Redis]]:
    """Makes clients that decode or do not."""
    with ExitStack() as clients:
        yield lambda decode: clients.enter_context(Redis.from_url(redis_server.url, decode_responses=decode))


@pytest.fixture(scope="session")
def slack() -> Iterator[Playground]:
    """A stand-in for Slack that takes posts as fast as they come: the pace has tests of its own."""
    with running_playground(installed(rates=RateLimits(enforced=False))) as running:
        yield running


@pytest.fixture(scope="session")
def settings(slack: Playground, redis_server: EmbeddedRedis) -> Settings:
    """The web process's settings for the stand-in; #platform is an incident channel, grace an operator."""
    return Settings.model_validate(
        {
            "SLACK_BOT_TOKEN": slack.settings.bot_token,
            "SLACK_APP_TOKEN": slack.settings.app_token,
            "SLACK_SIGNING_SECRET": slack.settings.signing_secret,
            "SLACK_API_URL": slack.api_url,
            "REDIS_URL": redis_server.url,
            "incident_channels": "C0PLATFORM",
            "operator_users": "U0GRACE001",
            "questions_per_minute": 50,
        }
    )


@pytest.fixture(scope="session")
def connected(slack: Playground, settings: Settings) -> Iterator[Web]:
    """The web process in Socket Mode."""
    web = build(settings)
    socket = SocketModeHandler(web.app, app_token=slack.settings.app_token, concurrency=20)
    socket.connect()
    slack.wait_connected()
    yield web
    socket.close()
    web.close()


@dataclass
class Bot:
    """The running web process, people to talk to it, and what it hands over."""

    web: Web
    slack: Playground
    queue: Queue

    def asked(self, count: int = 1) -> list[Ticket]:
        """Wait until so many tickets are queued, and return them."""
        return self.queue.wait(count)

    def settle(self) -> None:
        """Wait until everything that was said has arrived, and is dealt with."""
        self.slack.wait_for(lambda: not self.slack.is_delivering())
        barrier = Barrier(WORKERS + 1)
        for _ in range(WORKERS):
            self.web.pool.submit(barrier.wait)
        barrier.wait(timeout=10)

    def said_to(self, person: str, channel: str) -> str:
        """Wait for a message that only one person sees, and return its text."""
        whispers = self.slack.wait_for(lambda: [m for m in self.slack.messages(channel) if m["only_for"]])
        assert [m["only_for"] for m in whispers] == [self.user(person)]
        return str(whispers[0]["text"])

    def user(self, name: str) -> str:
        """The id of a person."""
        return next(user.id for user in PEOPLE if user.name == name)


@pytest.fixture
def bot(connected: Web, slack: Playground, queue: Queue) -> Iterator[Bot]:
    """The running bot, with nothing asked yet."""
    slack.reset()
    running = Bot(connected, slack, queue)
    yield running
    running.settle()
    posted = (message for channel in ("C0INCIDENT", "C0PLATFORM", "D0ADA00001") for message in slack.messages(channel))
    assert of_the_app(posted) == [], "every message has words of its own"
