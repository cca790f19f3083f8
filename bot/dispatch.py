"""Hands tickets to the workers: a job's name and a JSON text, and nothing that this process would have to import.

The name of the job, the queue and its prefix are the contract with the workers. Every key of the queue begins with the
prefix, so that several bots may share a Redis.
"""

import uuid
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from bot.clusters import Clusters
from bot.ticket import Ticket

TASK = "workers.tasks.answer"
NAMES = "workers.tasks.names"
DIGEST = "workers.tasks.digest"
LOOK = "workers.tasks.look"
SETUP = "workers.tasks.setup"
QUEUE = "questions"
_DIGEST_EXPIRES = 600
"""Seconds after which the next look for what is due has queued it again."""
_NAMES_EXPIRE = 60
"""Seconds after which nobody waits for names any more."""

_TRANSPORT: dict[str, Any] = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
_RETRY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
"""A connection that went stale is replaced; a queue that is down is reported within a few seconds."""


def queue_prefix(prefix: str) -> str:
    """Return what every key of the queue begins with, given what every key of this bot begins with."""
    return f"{prefix}:queue:"


def queue_of(cluster: str) -> str:
    """Return the queue for questions about a cluster; without a name that of whoever takes them."""
    return f"{QUEUE}.{cluster}" if cluster else QUEUE


def queue_key(prefix: str, cluster: str = "") -> str:
    """Return the key of the list in Redis that is the queue."""
    return f"{queue_prefix(prefix)}{queue_of(cluster)}"


class QueueDownError(Exception):
    """The ticket could not be queued."""


class Dispatcher:
    """A producer of tasks. Any thread may use it."""

    def __init__(self, redis_url: str, *, prefix: str = "cilium-triage") -> None:
        self._prefix = prefix
        self._redis = Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=2)
        self._clusters = Clusters(self._redis, prefix=prefix)
        self._celery = Celery("cilium-triage-bot", broker=redis_url, set_as_current=False)
        self._celery.conf.update(
            task_serializer="json",
            accept_content=["json"],
            task_ignore_result=True,
            broker_transport_options={**_TRANSPORT, "global_keyprefix": queue_prefix(prefix)},
            broker_connection_timeout=2,
        )

    def send(self, ticket: Ticket) -> None:
        """Queue a ticket for the workers that look at its cluster; where none says so, for whoever takes it.

        Raises:
            QueueDownError: if the broker did not take it.
        """
        # Celery's own lines about a message have its name: the ticket, and which message about it.
        name = f"{ticket.id}.{uuid.uuid4().hex[:8]}"
        self._send(TASK, [ticket.to_json()], cluster=ticket.cluster, task_id=name)

    def look(self, look: str, cluster: str = "") -> None:
        """Queue a look at what is behind a button (``bot.behind.Look`` as JSON).

        Raises:
            QueueDownError: if the broker did not take it.
        """
        self._send(LOOK, [look], cluster=cluster)

    def wish_names(self, cluster: str = "") -> None:
        """Have a worker read the names of a cluster for those who type.

        Raises:
            QueueDownError: if the broker did not take it.
        """
        self._send(NAMES, [], cluster=cluster, expires=_NAMES_EXPIRE)

    def _send(self, task: str, arguments: list[str], *, cluster: str = "", **options: Any) -> None:
        is_looked_at = cluster in self._clusters.looked_at()
        try:
            self._celery.send_task(
                task,
                args=arguments,
                queue=queue_of(cluster if is_looked_at else ""),
                ignore_result=True,
                retry=True,
                retry_policy=_RETRY,
                **options,
            )
        except (OperationalError, RedisError, OSError) as error:
            raise QueueDownError(type(error).__name__) from error

    def run_digest(self, name: str, due: str = "", cluster: str = "") -> None:
        """Have a worker tell a digest: the one that is due at a time, or one for now.

        Raises:
            QueueDownError: if the broker did not take it.
        """
        self._send(DIGEST, [name, due], cluster=cluster, expires=_DIGEST_EXPIRES)

    def is_queue_empty(self) -> bool:
        """Say whether no message waits for a worker.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        return not self.waiting()

    def waiting(self) -> int:
        """Return how many messages wait for a worker.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            for cluster in ("", *self._clusters.looked_at()):
                pipe.llen(queue_key(self._prefix, cluster))
            return sum(pipe.execute())

    def close(self) -> None:
        """Close the connections."""
        self._celery.close()
        self._redis.close()
