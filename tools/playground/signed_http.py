"""Delivery by HTTP: payloads posted to the app's request URL, signed with its signing secret.

Source: Slack documents "Verifying requests from Slack" (``v0`` signature over ``v0:timestamp:body``), "Events API"
(``url_verification``, two redirects at most, ``X-Slack-No-Retry``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from tools.playground.workspace import Json

LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})
MAX_REDIRECTS = 2
MAX_ANSWER = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What came back from the request URL."""

    status: int | None
    body: bytes = b""
    failure: str = ""
    no_retry: bool = False

    @property
    def acknowledged(self) -> bool:
        """Whether Slack takes this for an acknowledgement."""
        return self.status is not None and 200 <= self.status < 300

    def payload(self) -> Json | None:
        """Return the response payload in the body, if it holds one."""
        if not self.body.strip():
            return None
        try:
            found: Any = json.loads(self.body)
        except ValueError:
            return {"text": self.body.decode("utf-8", "replace")}
        return found if isinstance(found, dict) else None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of ``X-Slack-Signature``."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def encode(kind: str, payload: Json) -> tuple[bytes, str]:
    """Return body and content type as Slack writes them for this kind of payload."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


class SignedHttp:
    """Posts to one request URL, on this machine only: a stand-in must not be a way to reach others."""

    def __init__(self, url: str, signing_secret: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK_NAMES:
            raise ValueError("the request URL must be http(s) on a loopback address")
        self.url = url
        self._secret = signing_secret
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, kind: str, payload: Json, *, now: float, seconds: float, retry: tuple[int, str] | None = None
    ) -> HttpAnswer:
        """Deliver one payload and wait for the answer."""
        body, content_type = encode(kind, payload)
        timestamp = str(int(now))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
        }
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(
                self.url,
                data=body,
                headers=headers,
                max_redirects=MAX_REDIRECTS,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                answer = await response.content.read(MAX_ANSWER)
                return HttpAnswer(
                    status=response.status,
                    body=answer,
                    failure="" if response.status < 300 else "http_error",
                    no_retry=response.headers.get("X-Slack-No-Retry") == "1",
                )
        except TimeoutError:
            return HttpAnswer(status=None, failure="http_timeout")
        except aiohttp.TooManyRedirects:
            return HttpAnswer(status=None, failure="too_many_redirects")
        except aiohttp.ClientSSLError:
            return HttpAnswer(status=None, failure="ssl_error")
        except (aiohttp.ClientError, ConnectionError):
            return HttpAnswer(status=None, failure="connection_failed")

    async def verify(self, *, verification_token: str, now: float, seconds: float) -> bool:
        """Ask the URL to prove itself: it must repeat the challenge, plain or as JSON."""
        challenge = secrets.token_hex(20)
        payload = {"token": verification_token, "challenge": challenge, "type": "url_verification"}
        answer = await self.post("events_api", payload, now=now, seconds=seconds)
        told = answer.payload() or {}
        return answer.acknowledged and challenge in (told.get("challenge"), told.get("text"))

    async def close(self) -> None:
        """Release the connections."""
        if self._session is not None:
            await self._session.close()
