"""The e-mail address of a person in Slack, remembered for a while."""

import time
from collections.abc import Callable
from threading import Lock
from urllib.error import URLError

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

_REMEMBER = 300.0
"""Seconds. ``users.info`` allows about a hundred calls a minute (Tier 4)."""
_MOST = 5_000

log = structlog.get_logger(__name__)


class Emails:
    """Addresses by ``users.info``, which needs the scopes users:read and users:read.email."""

    def __init__(self, client: WebClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = Lock()
        self._known: dict[str, tuple[float, str]] = {}

    def email_of(self, user: str) -> str:
        """Return the address; empty where Slack does not tell it, and for people of other workspaces and bots."""
        with self._lock:
            asked_at, email = self._known.get(user, (float("-inf"), ""))
        if not user or self._clock() - asked_at < _REMEMBER:
            return email if user else ""
        try:
            found = self._client.users_info(user=user).get("user") or {}
        except (SlackClientError, URLError, TimeoutError, ConnectionError) as error:
            log.warning("e-mail not read", user=user, error=type(error).__name__)
            return ""
        # Whoever runs another workspace decides what addresses its people have.
        is_ours = not (found.get("is_stranger") or found.get("is_bot") or found.get("deleted"))
        email = str((found.get("profile") or {}).get("email") or "") if is_ours else ""
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[user] = (self._clock(), email)
        return email
