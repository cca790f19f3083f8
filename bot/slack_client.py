"""The client of Slack's Web API, for the web process and the workers alike."""

import logging

from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.http_retry.handler import RetryHandler

SLACK_API = "https://slack.com/api/"
TIMEOUT = 10
"""Seconds for one call; Slack answers in tens of milliseconds."""
IMPATIENT_TIMEOUT = 5
"""Seconds for one call of whoever comes again by himself."""


def slack_client(token: str, api_url: str = SLACK_API, *, patient: bool = True) -> WebClient:
    """Return a client. A patient one waits when Slack says so (``Retry-After``), an impatient one fails at once.

    ``api_url`` is another base for GovSlack (https://docs.slack.dev/govslack) or a stand-in.
    """
    handlers: list[RetryHandler] = [
        ConnectionErrorRetryHandler(max_retry_count=2),
        ServerErrorRetryHandler(max_retry_count=2),
        RateLimitErrorRetryHandler(max_retry_count=5),
    ]
    return WebClient(
        token=token,
        base_url=api_url if api_url.endswith("/") else f"{api_url}/",
        timeout=TIMEOUT if patient else IMPATIENT_TIMEOUT,
        retry_handlers=handlers if patient else [],
        logger=logging.getLogger("slack_sdk"),
    )
