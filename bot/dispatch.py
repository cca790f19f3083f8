"""Hands tickets to the workers: a job's name and a JSON text, and nothing that this process would have to import.

The name and the queue are the contract with the workers.
"""

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from bot.ticket import Ticket

TASK = "workers.tasks.answer"
QUEUE = "questions"

_TRANSPORT = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
_RETRY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
"""A connection that went stale is replaced; a queue that is down is reported within a few seconds."""


class QueueDownError(Exception):
    """The ticket could not be queued."""


class Dispatcher:
    """A producer of tasks. Any thread may use it."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=2)
        self._celery = Celery("cilium-triage-bot", broker=redis_url, set_as_current=False)
        self._celery.conf.update(
            task_serializer="json",
            accept_content=["json"],
            task_ignore_result=True,
            broker_transport_options=_TRANSPORT,
            broker_connection_timeout=2,
        )

    def send(self, ticket: Ticket) -> None:
        """Queue a ticket.

        Raises:
            QueueDownError: if the broker did not take it.
        """
        try:
            self._celery.send_task(
                TASK,
                args=[ticket.to_json()],
                queue=QUEUE,
                ignore_result=True,
                retry=True,
                retry_policy=_RETRY,
            )
        except (OperationalError, RedisError, OSError) as error:
            raise QueueDownError(type(error).__name__) from error

    def is_queue_empty(self) -> bool:
        """Say whether no message waits for a worker.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        # The broker keeps a queue as a list of its name.
        return not self._redis.llen(QUEUE)

    def close(self) -> None:
        """Close the connections."""
        self._celery.close()
        self._redis.close()
