"""What the tests of the Slack edge share: a Redis that speaks text, a place, tickets."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from redis import Redis

from bot.dispatch import QUEUE, TASK
from bot.ticket import Ticket
from workers.embedded import EmbeddedRedis


@pytest.fixture
def redis(redis_server: EmbeddedRedis) -> Iterator[Redis]:
    """A client that decodes, on an empty database."""
    with Redis.from_url(redis_server.url, decode_responses=True) as client:
        client.flushall()
        yield client


@dataclass
class Queue:
    """What the workers would find."""

    redis: Redis

    def tickets(self) -> list[Ticket]:
        """The queued tickets, oldest first."""
        found = []
        for text in reversed(self.redis.lrange(QUEUE, 0, -1)):
            message = json.loads(text)
            assert message["headers"]["task"] == TASK
            (args, _kwargs, _embed) = json.loads(base64.b64decode(message["body"]))
            found.append(Ticket.from_json(args[0]))
        return found


@pytest.fixture
def queue(redis: Redis) -> Queue:
    return Queue(redis)


@pytest.fixture
def connect(redis_server: EmbeddedRedis) -> Iterator[Callable[[bool], Redis]]:
    """Makes clients that decode or do not."""
    with ExitStack() as clients:
        yield lambda decode: clients.enter_context(Redis.from_url(redis_server.url, decode_responses=decode))
