"""The client of Slack's Web API, for the web process and the workers alike."""

import logging
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.http_retry.handler import RetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web import SlackResponse

from bot.measured import measured
from bot.metrics import SLACK_429, SLACK_CALLS, Call

SLACK_API = "https://slack.com/api/"
TIMEOUT = 10
"""Seconds for one call; Slack answers in tens of milliseconds."""
IMPATIENT_TIMEOUT = 5
"""Seconds for one call of whoever comes again by himself."""
_REFUSED = 400


def slack_client(token: str, api_url: str = SLACK_API, *, patient: bool = True) -> WebClient:
    """Return a client. A patient one waits when Slack says so (``Retry-After``), an impatient one fails at once.

    ``api_url`` is another base for GovSlack (https://docs.slack.dev/govslack) or a stand-in.
    """
    handlers: list[RetryHandler] = [
        ConnectionErrorRetryHandler(max_retry_count=2),
        ServerErrorRetryHandler(max_retry_count=2),
        _Waits(max_retry_count=5),
    ]
    return _Counted(
        token=token,
        base_url=api_url if api_url.endswith("/") else f"{api_url}/",
        timeout=TIMEOUT if patient else IMPATIENT_TIMEOUT,
        retry_handlers=handlers if patient else [],
        logger=logging.getLogger("slack_sdk"),
    )


class _Waits(RateLimitErrorRetryHandler):
    """Waits when Slack says so, and counts how often."""

    def can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        is_tried_again = super().can_retry(state=state, request=request, response=response, error=error)
        measured.count(SLACK_429, int(is_tried_again))
        return is_tried_again


def count_answer(status: int) -> None:
    """Count what became of a call that Slack answered with this status of HTTP; 200 is a call that was taken."""
    if status == 429:
        measured.count(SLACK_429)
    refused = Call.UNAVAILABLE if status >= 500 else Call.REFUSED
    measured.count(SLACK_CALLS, result={200: Call.TAKEN, 429: Call.RATE_LIMITED}.get(status, refused))


class _Counted(WebClient):
    """Counts what becomes of calls."""

    def api_call(self, api_method: str, **options: Any) -> SlackResponse:
        try:
            response = super().api_call(api_method, **options)
        except SlackApiError as error:
            status = int(getattr(error.response, "status_code", _REFUSED))
            # Slack says most refusals with status 200.
            count_answer(_REFUSED if status == 200 else status)
            raise
        except OSError:
            measured.count(SLACK_CALLS, result=Call.UNAVAILABLE)
            raise
        count_answer(200)
        return response
