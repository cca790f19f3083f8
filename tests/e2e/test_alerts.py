"""From what Alertmanager posts to a card in Slack, with a real Redis, a worker's parts and a recorded cluster."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from redis import Redis

from bot.app import Web, build
from bot.routes import ALERTS, routes
from bot.settings import Settings
from bot.waiters import Waiters
from tests.alerts.payloads import alert, grafana, webhook
from tools.demo import SAMPLE
from tools.embedded import EmbeddedRedis
from tools.playground.rate import RateLimits
from tools.playground.server import Playground, running_playground
from tools.playground.settings import PlaygroundSettings
from workers.deps import Deps, assemble
from workers.settings import WorkerSettings

TOKEN = "0123456789abcdef"  # noqa: S105
INCIDENTS, PLATFORM = "C0INCIDENT", "C0PLATFORM"
LONGEST = 5.0
DROPS = {"reason": "POLICY_DENIED", "source": "shop/loadgen", "destination": "shop/cart", "severity": "critical"}
TITLE = "shop/loadgen → shop/cart: packets are denied by policy"


@dataclass
class Room:
    """The web process's endpoint, and a worker that takes what is queued."""

    slack: Playground
    redis: Redis
    web: Web
    client: TestClient[Any, Any]
    worker: Deps

    async def post(self, payload: Any, query: str = "", token: str = TOKEN) -> tuple[int, Any]:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = {"Authorization": f"Bearer {token}"}
        async with self.client.post(f"{ALERTS}{query}", data=io.BytesIO(body), headers=headers) as answer:
            return answer.status, await answer.json() if answer.content_type == "application/json" else {}

    async def until(self, words: str, channel: str = INCIDENTS) -> dict[str, Any]:
        """Go on as the processes do, until the one card of a channel says this."""
        return await asyncio.to_thread(self._until, words, channel)

    def _until(self, words: str, channel: str) -> dict[str, Any]:
        started = time.monotonic()
        while time.monotonic() - started < LONGEST:
            self.web.rounds.go()
            for ticket in Waiters(self.redis).listed():
                self.worker.answering.answer(ticket, "run")
            found = [one for one in self.slack.messages(channel) if one.get("thread_ts") in (None, one["ts"])]
            if any(words in str(one) for one in found):
                (card,) = found
                return card
        raise AssertionError(f"no card says {words!r} after {LONGEST} s: {self.slack.messages(channel)}")


@pytest.fixture(scope="module")
def slack() -> Iterator[Playground]:
    with running_playground(PlaygroundSettings(rates=RateLimits(enforced=False))) as running:
        yield running


@pytest.fixture
async def room(slack: Playground, redis_server: EmbeddedRedis) -> AsyncIterator[Room]:
    slack.reset()
    common = {
        "SLACK_BOT_TOKEN": slack.settings.bot_token,
        "SLACK_API_URL": slack.api_url,
        "REDIS_URL": redis_server.url,
    }
    settings = {
        "SLACK_APP_TOKEN": slack.settings.app_token,
        "channels": {INCIDENTS: {"alerts": "severity=critical,warning"}},
        "incident_channels": PLATFORM,
    }
    with Redis.from_url(redis_server.url, decode_responses=True) as redis:
        redis.flushall()
        web = build(Settings.model_validate({**common, **settings}))
        worker = assemble(WorkerSettings.model_validate({**common, "source": f"sysdump:{SAMPLE}"}))
        served = routes(web, is_connected=lambda: True, signing_secret=None, alerts_token=TOKEN)
        async with TestClient(TestServer(served)) as client:
            yield Room(slack, redis, web, client, worker)
        web.close()


async def test_an_alert_becomes_a_card_with_its_verdict_and_ends_as_resolved(room: Room) -> None:
    for _ in range(2):  # Alertmanager sends again what it had no answer to
        assert (await room.post(webhook(alert("HubblePolicyDenied", **DROPS))))[0] == 200
    card = await room.until("Blocked at ingress")
    assert card["text"] == f"Firing: {TITLE} – Blocked at ingress"
    assert "`shop/loadgen` → `shop/cart`" in str(card["blocks"])
    assert "*Fix:*" in str(card["blocks"])
    assert "critical · 1 alert: HubblePolicyDenied" in str(card["blocks"])
    await room.post(webhook(alert("HubblePolicyDenied", "resolved", **DROPS)))
    ended = await room.until("Resolved after")
    assert (ended["ts"], ended["text"].partition(": ")[2]) == (card["ts"], TITLE)


async def test_the_sender_may_name_a_channel_that_takes_alerts(room: Room) -> None:
    named = webhook(alert("HubblePolicyDenied", **DROPS, slack_channel=PLATFORM))
    assert (await room.post(named))[1]["channels"] == 1
    await room.until(TITLE, PLATFORM)
    assert room.slack.messages(INCIDENTS) == []
    status, said = await room.post(webhook(alert("HubblePolicyDenied", **DROPS)), f"?channel={PLATFORM}")
    assert (status, said["cards"], said["channels"]) == (200, 1, 1)


async def test_grafana_is_understood_and_what_was_cut_off_is_named(room: Room) -> None:
    payload = {
        **grafana(alert("HubblePolicyDenied", **DROPS), alert("Watchdog", severity="warning")),
        "truncatedAlerts": 7,
    }
    status, said = await room.post(payload)
    told = {"alerts": 2, "truncated": 7, "channels": 1, "cards": 1, "silent": 1, "left_out": 0}
    assert (status, said) == (200, told)
    await room.until("7 more cut off by their sender")


@pytest.mark.parametrize(
    ("payload", "query", "token", "status"),
    [
        pytest.param({"alerts": []}, "", "", 401, id="no token"),
        pytest.param({"alerts": []}, "", f"{TOKEN}x", 401, id="another token"),
        pytest.param({"alerts": []}, "", "ünïcode", 401, id="a token of other letters"),
        pytest.param(b"lunch?", "", TOKEN, 400, id="no alert"),
        pytest.param(b"[" * 100_000, "", TOKEN, 400, id="deep nesting"),
        pytest.param(b"\xff\xfe\x00", "", TOKEN, 400, id="no text"),
        pytest.param(b" " * (9 << 20), "", TOKEN, 413, id="too much"),
        pytest.param(
            webhook(alert("HubblePolicyDenied", **DROPS)), "?channel=C0NOBODY", TOKEN, 400, id="no such channel"
        ),
        pytest.param(webhook(), "", TOKEN, 200, id="no alerts at all"),
    ],
)
async def test_what_the_sender_is_told(room: Room, payload: Any, query: str, token: str, status: int) -> None:
    assert (await room.post(payload, query, token))[0] == status


async def test_without_redis_the_sender_has_to_send_again(room: Room, redis_server: EmbeddedRedis) -> None:
    room.web.channels.rules(INCIDENTS)
    redis_server.kill()
    try:
        assert (await room.post(webhook(alert("HubblePolicyDenied", **DROPS))))[0] == 503
    finally:
        redis_server.start()


async def test_where_no_channel_takes_alerts_the_sender_is_told_so(room: Room) -> None:
    room.web.channels.set([(INCIDENTS, "alerts", "none")], by="U1")
    status, said = await room.post(webhook(alert("HubblePolicyDenied", **DROPS)))
    assert (status, said["error"]) == (404, "No channel takes alerts: say /cilium channel alerts all in one.")
