"""Each delivery counts once, however often Slack sends it.

Slack repeats what was not acknowledged in time, in Socket Mode and over HTTP alike
(https://docs.slack.dev/apis/events-api#retries), and delivers a message with a mention both as ``app_mention`` and as
``message``. The mark is set after the acknowledgement: the acknowledgement never waits for Redis.
"""

from datetime import timedelta

from redis import Redis

REMEMBER = timedelta(minutes=10)
"""Slack's last retry comes about five minutes after the first delivery."""


class Deliveries:
    """The marks of what was seen, in Redis."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage") -> None:
        self._redis = redis
        self._prefix = prefix

    def is_first(self, name: str, *, within: timedelta = REMEMBER) -> bool:
        """Say whether this is the first time that the name is seen within the time, and remember it."""
        return bool(self._redis.set(f"{self._prefix}:delivered:{name}", 1, nx=True, ex=within))
