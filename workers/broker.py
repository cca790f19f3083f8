"""Kombu's Redis transport, made to live through an element of the queue that is no message, and a Redis that refuses.

A Redis that is full, read-only (a replica, after a failover) or cannot write its file says so in a reply. To Kombu that
is an error of the program, which ends the worker and every run in it; here it is as good as a connection that is lost,
and Celery tries again until Redis takes what is written.

An element of the queue that is no message cannot be put there by any of our processes; a person or another program may.
Kombu reads it in the loop that takes questions, and what it raises there would end the worker, and the next worker, for
each element.
"""

from queue import Empty
from typing import Any

import redis
import structlog
from kombu.exceptions import KombuError
from kombu.transport import redis as kombu_redis

_NOT_A_MESSAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, KombuError)
"""What decoding raises; errors of a connection are none of these."""

log = structlog.get_logger(__name__)


class Channel(kombu_redis.Channel):
    """A channel that leaves out what it cannot read."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]
        except _NOT_A_MESSAGE as error:
            log.error("queue_element_left_out", error=type(error).__name__)
            raise Empty from error


class Transport(kombu_redis.Transport):
    """The transport for ``redis://`` and ``rediss://``."""

    Channel = Channel
    connection_errors = (*kombu_redis.Transport.connection_errors, redis.ResponseError)


TRANSPORT = f"{__name__}:{Transport.__qualname__}"
"""Its name in Celery's configuration."""
