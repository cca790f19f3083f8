"""From alerts to cards with real processes and Slack's own pace: within five seconds."""

import json
import time
import urllib.request
from typing import Any

import pytest

from tests.alerts.payloads import alert, attachment, webhook
from tests.e2e.system import System, system
from tools.demo import SAMPLE
from tools.embedded import free_port

pytestmark = [pytest.mark.timeout(120), pytest.mark.chaos]

TOKEN = "0123456789abcdef"  # noqa: S105
CHANNEL = "C0INCIDENT"
DROPS = {"reason": "POLICY_DENIED", "source": "shop/loadgen", "destination": "shop/cart", "severity": "critical"}
LONGEST = 5.0


def post(port: int, payload: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/alerts", json.dumps(payload).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  (loopback)
        assert answer.status == 200


def cards(running: System) -> list[dict[str, Any]]:
    own = [one for one in running.playground.messages(CHANNEL) if str(one.get("user")).startswith("U0CILIUM")]
    return [one for one in own if one.get("thread_ts") in (None, one["ts"])]


def card_saying(running: System, *words: str) -> dict[str, Any]:
    """Wait for the one card that says this, no longer than somebody would."""
    started = time.monotonic()
    running.wait_for(lambda: any(all(word in str(one) for word in words) for one in cards(running)), LONGEST)
    assert time.monotonic() - started < LONGEST
    (found,) = cards(running)
    return found


def test_a_posted_alert_ends_in_a_right_card_and_its_end_in_a_resolved_one() -> None:
    port = free_port()
    environment = {
        "CILIUM_TRIAGE_SOURCE": f"sysdump:{SAMPLE}",
        "CILIUM_TRIAGE_ALERTS_TOKEN": TOKEN,
        "CILIUM_TRIAGE_CHANNELS": json.dumps({CHANNEL: {"alerts": "all", "incident": "on"}}),
    }
    with system(settings=None, **environment) as running:
        running.start_worker()
        running.start_bot(CILIUM_TRIAGE_PORT=str(port))
        running.mention("why shop/loadgen shop/cart 8080")  # the worker is up
        running.wait_for(lambda: any("Blocked" in str(one) for one in running.playground.messages(CHANNEL)))
        post(port, webhook(alert("HubblePolicyDenied", **DROPS)))
        card = card_saying(running, "Blocked at ingress", "Fix:")
        post(port, webhook(alert("HubblePolicyDenied", "resolved", **DROPS)))
        assert card_saying(running, "Resolved after")["ts"] == card["ts"]


def test_a_message_of_another_app_ends_in_a_right_card_and_its_edit_in_a_resolved_one() -> None:
    environment = {
        "CILIUM_TRIAGE_SOURCE": f"sysdump:{SAMPLE}",
        "CILIUM_TRIAGE_CHANNELS": json.dumps({CHANNEL: {"incident": "on"}}),
    }
    firing = attachment("[FIRING:1] HubblePolicyDenied (shop/cart POLICY_DENIED shop/loadgen)")["event"]["attachments"]
    ended = attachment("[RESOLVED] HubblePolicyDenied (shop/cart POLICY_DENIED shop/loadgen)", color="good")
    with system(settings=None, **environment) as running:
        running.start_worker()
        running.start_bot()
        running.mention("why shop/loadgen shop/cart 8080")
        running.wait_for(lambda: any("Blocked" in str(one) for one in running.playground.messages(CHANNEL)))
        message = running.playground.post_as_app(CHANNEL, "Alertmanager", "", attachments=firing)
        card = card_saying(running, "Blocked at ingress", "Fix:")
        running.playground.edit_as_app(message, "", attachments=ended["event"]["attachments"])
        assert card_saying(running, "Resolved after")["ts"] == card["ts"]
