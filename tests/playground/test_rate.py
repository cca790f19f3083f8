"""Rates: token buckets on a hand-driven clock, and the answer 429 as the SDK sees it."""

from dataclasses import replace

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from tools.playground.rate import Allowance, RateBook, RateLimits, Tier
from tools.playground.server import Playground, running_playground

from .conftest import QUICK, client_of

ONE_A_SECOND = RateLimits(posting=Allowance(1.0, 2), workspace_posting=Allowance(5.0, 100))


def test_a_burst_passes_and_then_one_a_second() -> None:
    book = RateBook(ONE_A_SECOND)
    asked = [book.retry_after("chat.postMessage", Tier.POSTING, "C1", now) for now in (0, 0, 0, 0.5, 1, 1, 2)]
    assert asked == [None, None, 1, 1, None, 1, None]


def test_channels_do_not_share_their_allowance_but_the_workspace_has_one() -> None:
    book = RateBook(RateLimits(posting=Allowance(1.0, 2), workspace_posting=Allowance(1.0, 3)))
    asked = [book.retry_after("chat.postMessage", Tier.POSTING, channel, 0) for channel in ("C1", "C1", "C2", "C2")]
    assert asked == [None, None, None, 1]


def test_tiers_count_by_method_and_tell_when_to_come_back() -> None:
    book = RateBook(RateLimits())
    asked = [book.retry_after("conversations.list", Tier.TWO, None, 0) for _ in range(21)]
    assert asked == [None] * 20 + [3]
    assert book.retry_after("users.list", Tier.TWO, None, 0) is None
    assert book.retry_after("conversations.list", Tier.TWO, None, 3) is None


def test_nothing_is_limited_when_rates_are_off() -> None:
    book = RateBook(RateLimits(enforced=False))
    assert [book.retry_after("chat.postMessage", Tier.POSTING, "C1", 0) for _ in range(50)] == [None] * 50


def test_posting_too_fast_is_answered_with_429_and_retry_after() -> None:
    now = 1_800_000_000.0
    with running_playground(replace(QUICK, rates=ONE_A_SECOND), clock=lambda: now) as playground:
        client = client_of(playground)
        client.chat_postMessage(channel="C0INCIDENT", text="one")
        client.chat_postMessage(channel="#incident-42", text="two")
        with pytest.raises(SlackApiError) as refused:
            client.chat_postMessage(channel="C0INCIDENT", text="three")
        assert refused.value.response.status_code == 429
        assert refused.value.response["error"] == "ratelimited"
        assert refused.value.response.headers["Retry-After"] == "1"
        assert [item["text"] for item in playground.messages("#incident-42")] == ["one", "two"]


def test_a_forced_429_is_retried_by_the_sdk(playground: Playground) -> None:
    playground.cause(rate_limited={"chat.postMessage": 1}, retry_after=0)
    client = client_of(playground, retry_handlers=[RateLimitErrorRetryHandler()])
    client.chat_postMessage(channel="C0INCIDENT", text="at last")
    assert [call["ok"] for call in playground.calls("chat.postMessage")] == [False, True]


def test_a_forced_server_error_and_a_forced_error_code(playground: Playground, client: WebClient) -> None:
    playground.cause(server_errors={"chat.update": 1}, api_errors={"chat.delete": ["fatal_error"]})
    posted = client.chat_postMessage(channel="C0INCIDENT", text="x")
    with pytest.raises(SlackApiError) as broken:
        client.chat_update(channel="C0INCIDENT", ts=posted["ts"], text="y")
    assert broken.value.response.status_code == 500
    client.chat_update(channel="C0INCIDENT", ts=posted["ts"], text="y")
    with pytest.raises(SlackApiError, match="fatal_error"):
        client.chat_delete(channel="C0INCIDENT", ts=posted["ts"])
    client.chat_delete(channel="C0INCIDENT", ts=posted["ts"])
