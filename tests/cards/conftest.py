"""What the tests of cards share."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tools.embedded import EmbeddedRedis


@pytest.fixture
def redis(redis_server: EmbeddedRedis) -> Iterator[Redis]:
    """A client that decodes, on an empty database."""
    with Redis.from_url(redis_server.url, decode_responses=True) as client:
        client.flushall()
        yield client
