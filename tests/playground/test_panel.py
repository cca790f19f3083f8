"""The panel: what it fires is read as its sender's alert, and its clock moves every process that follows it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from handlers.alerts.alert import Received
from handlers.alerts.cards import cards_of
from handlers.alerts.received import of_message, received
from tools.playground import alerts
from tools.playground.alerts import Fired
from tools.playground.clock import MovableClock
from tools.playground.impossible import NotPossible
from tools.playground.server import Playground, running_playground

from .conftest import QUICK

HERE = "#incident-42"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
FIRING = Fired("shop/loadgen", "shop/cart", 8080, NOON)
OVER = replace(FIRING, resolved_at=NOON + 600)
PAIR = {"source": "shop/loadgen", "destination": "shop/cart", "port": 8080}


def by_webhook(payload: dict[str, Any]) -> Received:
    return received(json.dumps(payload).encode())


def in_slack(attachment: dict[str, Any]) -> Received:
    return of_message({"subtype": "bot_message", "bot_id": "B0ALERTS01", "text": "", "attachments": [attachment]})


SENT = {
    "Alertmanager's webhook": (by_webhook(alerts.alertmanager([FIRING])), "firing"),
    "Alertmanager's webhook, resolved": (by_webhook(alerts.alertmanager([OVER])), "resolved"),
    "Grafana's webhook": (by_webhook(alerts.grafana([FIRING])), "firing"),
    "Grafana's webhook, resolved": (by_webhook(alerts.grafana([OVER])), "resolved"),
    "Alertmanager's message": (in_slack(alerts.alertmanager_message(FIRING)), "firing"),
    "Alertmanager's message, resolved": (in_slack(alerts.alertmanager_message(OVER)), "resolved"),
    "PagerDuty's message": (in_slack(alerts.pagerduty_message(FIRING)), "firing"),
    "PagerDuty's message, resolved": (in_slack(alerts.pagerduty_message(OVER)), "resolved"),
}


@pytest.mark.parametrize(("sent", "state"), SENT.values(), ids=SENT.keys())
def test_what_the_panel_makes_up_is_read_as_an_alert_of_its_sender(sent: Received, state: str) -> None:
    (card,) = cards_of(sent)
    assert (str(card.state), card.questions[0]) == (state, "why shop/loadgen shop/cart 8080/TCP")


@pytest.fixture
def app() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An app that takes webhooks: its address, and what it was sent."""
    taken: list[dict[str, Any]] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.append(body)
            self.send_response(200 if self.headers["Authorization"] == "Bearer playground-alerts" else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Take)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/alerts", taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_storm_has_a_dozen_causes_and_few_of_them_explain_most(app: tuple[str, list[dict[str, Any]]]) -> None:
    url, taken = app
    with running_playground(replace(QUICK, alerts_url=url)) as playground:
        playground.panel("storm", count=250)
        playground.panel("fire", sender="alertmanager", **PAIR)
        playground.panel("fire", sender="alertmanager", resolved=True, **PAIR)
    told = [alert for payload in taken[:3] for alert in payload["alerts"]]
    causes = [(one["labels"]["source_workload"], one["annotations"]["summary"]) for one in told]
    assert (len(told), len({one["fingerprint"] for one in told}), len(set(causes))) == (250, 250, 12)
    assert causes.count(("loadgen", "shop/loadgen to shop/cart:8080 is dropped by policy")) > 110
    assert [payload["status"] for payload in taken[3:]] == ["firing", "resolved"]
    assert taken[3]["alerts"][0]["startsAt"] == taken[4]["alerts"][0]["startsAt"]


def test_what_fires_in_slack_is_edited_when_it_is_over(playground: Playground) -> None:
    playground.panel("fire", sender="pagerduty", channel=HERE, **PAIR)
    playground.panel("fire", sender="pagerduty", channel=HERE, resolved=True, **PAIR)
    (message,) = playground.messages(HERE)
    assert message["attachments"][0]["title"].startswith("Resolved")
    assert message["edited"]["user"] == "U0ALERTS01"


REFUSED = {
    "a webhook for nobody": ("fire", {"sender": "grafana", **PAIR}, "--alerts-url"),
    "a sender that nobody knows": ("fire", {"sender": "nagios", **PAIR}, "nobody sends"),
    "no end": ("fire", {"sender": "slack", "source": " ", "destination": "b", "port": 1}, "source is missing"),
    "too many": ("storm", {"count": 1e9}, "1 to 5000"),
    "back in time": ("move", {"seconds": -1}, "goes forward"),
    "no number": ("move", {"seconds": "soon"}, "no number"),
}


@pytest.mark.parametrize(("kind", "asked", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_said(playground: Playground, kind: str, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(NotPossible, match=words):
        playground.panel(kind, **asked)


def test_the_clock_moves_what_is_posted_and_tells_the_apps_processes(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    with running_playground(replace(QUICK, clock_file=file), clock=lambda: NOON) as playground:
        playground.say("ada", HERE, "before")
        assert playground.panel("move", seconds=3600) == {"ahead": 3600.0}
        playground.say("ada", HERE, "after")
        before, after = (float(message["ts"]) for message in playground.messages(HERE))
    assert (int(before), int(after)) == (int(NOON), int(NOON) + 3600)
    clock = "from datetime import UTC, datetime; import time; print(datetime.now(UTC).timestamp(), time.time())"
    module = tmp_path / "look.py"
    module.write_text(clock, encoding="utf-8")
    command = [sys.executable, "-m", "tools.moved_clock", str(file), "look"]
    environment = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
    seen = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    real = MovableClock()()
    assert [3590 < float(one) - real < 3610 for one in seen.stdout.split()] == [True, True]
