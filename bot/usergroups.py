"""Who is in a user group, remembered for a while."""

import time
from collections.abc import Callable
from threading import Lock
from urllib.error import URLError

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

_REMEMBER = 300.0
"""Seconds. ``usergroups.users.list`` allows about twenty calls a minute (Tier 2)."""

log = structlog.get_logger(__name__)


class Usergroups:
    """Members of user groups by ``usergroups.users.list``, which needs the scope usergroups:read."""

    def __init__(self, client: WebClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = Lock()
        self._known: dict[str, tuple[float, frozenset[str]]] = {}

    def members_of(self, group: str) -> frozenset[str]:
        """Return the people in a group; what was known before where Slack does not answer, nobody at first."""
        with self._lock:
            asked_at, members = self._known.get(group, (float("-inf"), frozenset()))
            if self._clock() - asked_at < _REMEMBER:
                return members
            try:
                listed = self._client.usergroups_users_list(usergroup=group).get("users") or ()
                members = frozenset(map(str, listed))
            except (SlackClientError, URLError, TimeoutError, ConnectionError) as error:
                log.warning("user group not read", group=group, error=type(error).__name__)
            self._known[group] = (self._clock(), members)
            return members
