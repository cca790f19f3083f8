"""The addresses that come with commands and clicks: how often and how long an app may answer through one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

MAX_KEPT = 1000


@dataclass(slots=True, kw_only=True)
class ResponseTarget:
    """Whom a ``response_url`` answers, and how often it still may."""

    channel: str
    user: str
    expires: float
    uses_left: int
    original: str | None = None
    thread_ts: str | None = None


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The answer that Slack gives instead of taking the response."""

    def __init__(self, error: str, status: int) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


class ResponseUrls:
    """Issues and serves the addresses."""

    def __init__(self) -> None:
        self._targets: dict[str, ResponseTarget] = {}

    def issue(self, target: ResponseTarget) -> str:
        """Return the path of a fresh address."""
        token = secrets.token_urlsafe(18)
        self._targets[token] = target
        while len(self._targets) > MAX_KEPT:
            del self._targets[next(iter(self._targets))]
        return f"/actions/T0PLAYGRND/{token}"

    def use(self, token: str, now: float) -> ResponseTarget:
        """Count one use, or refuse it."""
        target = self._targets.get(token)
        if target is None:
            raise Refused("invalid_url", 404)
        if now > target.expires:
            raise Refused("expired_url", 404)
        if target.uses_left <= 0:
            raise Refused("used_url", 404)
        target.uses_left -= 1
        return target

    def clear(self) -> None:
        """Forget all addresses."""
        self._targets.clear()
