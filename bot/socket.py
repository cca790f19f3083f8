"""The connection to Slack in Socket Mode, and whether Slack is still at its other end.

A network that drops packets closes nothing: the socket looks open and is deaf. So a ping goes out every few seconds,
and the last pong says since when nobody has been heard (RFC 6455, 5.5.2). After four pings without one the SDK connects
anew.
"""

import time
from collections.abc import Callable

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

PING_EVERY = 2.0
"""Seconds; a socket that died is replaced after four to six of them."""
SILENT_AFTER = 3 * PING_EVERY
"""Seconds without a pong after which Slack cannot be said to reach us."""
CONCURRENCY = 20
"""Deliveries that are acknowledged at the same time."""

log = structlog.get_logger(__name__)


class SlackSocket:
    """One connection, replaced by the SDK whenever it is lost."""

    def __init__(self, app: App, app_token: str, *, clock: Callable[[], float] = time.time) -> None:
        self._handler = SocketModeHandler(app, app_token=app_token, ping_interval=PING_EVERY, concurrency=CONCURRENCY)
        self._clock = clock

    def connect(self) -> None:
        """Open the connection, and keep one open from now on."""
        self._handler.connect()

    def close(self) -> None:
        """Close it for good."""
        try:
            self._handler.close()
        except AttributeError:
            # The SDK's own thread closed a dying socket between its look and its close (builtin/connection.py:186-192).
            self._handler.close()

    def is_heard(self) -> bool:
        """Say whether Slack can deliver now: connected, and a ping of the last seconds was answered."""
        session = self._handler.client.current_session
        if session is None or not session.is_active():
            return False
        # None: connected a moment ago, and nothing was due yet.
        last = session.last_ping_pong_time
        silent = 0.0 if last is None else self._clock() - last
        if silent > SILENT_AFTER:
            log.warning("slack is silent", seconds=round(silent))
        return silent <= SILENT_AFTER
