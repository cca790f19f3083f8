"""The names of channels, remembered for a while; a rename is heard of at once by whoever it is delivered to."""

import time
from collections.abc import Callable, Mapping
from threading import Lock
from urllib.error import URLError

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

_REMEMBER = 300.0
"""Seconds. ``conversations.info`` allows about fifty calls a minute (Tier 3)."""
_REMEMBER_JOINED = 60.0
"""Seconds: so late the other web processes hear that the bot came into a channel."""
_AGAIN = 30.0
"""Seconds after which a name that could not be read is asked for again."""
_MOST_NAMES = 5_000
_MOST_PAGES = 10
_PAGE = 200
_NOT_READ = (SlackClientError, URLError, TimeoutError, ConnectionError)

log = structlog.get_logger(__name__)


class ChannelNames:
    """Names by ``conversations.info`` and ``users.conversations``: the scopes channels:read and groups:read."""

    def __init__(self, client: WebClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = Lock()
        self._known: dict[str, tuple[float, str | None]] = {}
        self._joined: tuple[float, Mapping[str, str]] = (float("-inf"), {})

    def name_of(self, channel: str) -> str | None:
        """Return the name of a channel: empty for a direct conversation, which has none, None where it is not read."""
        if channel[:1] not in "CG" or not channel:
            return ""
        with self._lock:
            asked_at, name = self._known.get(channel, (float("-inf"), None))
        if self._clock() - asked_at < (_AGAIN if name is None else _REMEMBER):
            return name
        try:
            found = self._client.conversations_info(channel=channel).get("channel") or {}
            name = str(found["name"]) if found.get("name") else ""
        except _NOT_READ as error:
            reason = str(error.response.get("error")) if isinstance(error, SlackApiError) else type(error).__name__
            log.warning("name of a channel not read", channel=channel, reason=reason)
        self.renamed(channel, name)
        return name

    def renamed(self, channel: str, name: str | None) -> None:
        """Remember a name that Slack told."""
        with self._lock:
            if len(self._known) >= _MOST_NAMES:
                self._known.clear()
            self._known[channel] = (self._clock(), name)

    def joined(self) -> Mapping[str, str]:
        """Return the names of the channels that the bot is a member of, by id; as far as Slack tells them."""
        with self._lock:
            asked_at, found = self._joined
            if self._clock() - asked_at < _REMEMBER_JOINED:
                return found
        try:
            found = self._list()
        except _NOT_READ as error:
            log.warning("own channels not listed", error=type(error).__name__)
        for channel, name in found.items():
            self.renamed(channel, name)
        with self._lock:
            self._joined = (self._clock(), found)
        return found

    def forget_joined(self) -> None:
        """Look again which channels there are: the bot came into one, or left it."""
        with self._lock:
            self._joined = (float("-inf"), self._joined[1])

    def _list(self) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = self._client.users_conversations(
                types="public_channel,private_channel", exclude_archived=True, limit=_PAGE, cursor=cursor or None
            )
            found |= {str(one["id"]): str(one.get("name") or "") for one in page.get("channels") or ()}
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found
