"""Kombu's Redis transport, made to live through a Redis that goes away while questions are being worked on.

In kombu 5.7 a channel whose connection was lost gives its unacknowledged messages back at once, and a message that is
acknowledged on such a channel opens a new connection through parts that are gone. Either ends the whole worker with
``AttributeError: 'NoneType' object has no attribute ...``; and where giving back works, a question that is being worked
on is given out a second time. Left alone, such a message comes back when its visibility timeout is over, which is
longer than any run, and finds its question answered.
"""

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis


class QoS(kombu_redis.QoS):
    """Acknowledges on open channels only."""

    def ack(self, delivery_tag: str) -> None:
        """Mark a message as done, if the channel it came through is still there."""
        if not self.channel.closed:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message back, if the channel it came through is still there."""
        if not self.channel.closed:
            super().reject(delivery_tag, requeue=requeue)


class Channel(kombu_redis.Channel):
    """A channel that gives nothing back when it closes."""

    QoS = QoS
    do_restore = False


class Transport(kombu_redis.Transport):
    """The transport for ``redis://`` and ``rediss://``."""

    Channel = Channel


def install() -> None:
    """Make it the transport of every Redis connection that this process opens from now on."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{Transport.__module__}:{Transport.__qualname__}"
