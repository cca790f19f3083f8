"""What becomes of calls to Slack is counted, that which is tried again included."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.measured import measured
from bot.metrics import SLACK_429, SLACK_CALLS, Call
from bot.slack_client import slack_client


class Answers:
    """A Slack that gives these answers, one after the other."""

    def __init__(self) -> None:
        self.left: list[tuple[int, str]] = []
        self.url = ""


@pytest.fixture
def slack() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, body = answers.left.pop(0)
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        answers.url = f"http://127.0.0.1:{server.server_port}/api/"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield answers
        server.shutdown()


OK = (200, '{"ok": true}')
BUSY = (429, '{"ok": false, "error": "ratelimited"}')
NO = (200, '{"ok": false, "error": "channel_not_found"}')
BROKEN = (503, '{"ok": false, "error": "service_unavailable"}')


def counted() -> dict[str, float]:
    calls = {str(one): measured.value(SLACK_CALLS, result=one) for one in Call}
    return {**calls, "429": measured.value(SLACK_429)}


@pytest.mark.parametrize(
    ("answers", "patient", "expected"),
    [
        ([OK], True, {"taken": 1}),
        ([BUSY, BUSY, OK], True, {"taken": 1, "429": 2}),
        ([BUSY], False, {"rate-limited": 1, "429": 1}),
        ([NO], True, {"refused": 1}),
        ([BROKEN], False, {"unavailable": 1}),
        ([], False, {"unavailable": 1}),
    ],
    ids=["taken", "taken after two waits", "not waited for", "refused", "out of order", "no answer"],
)
def test_a_call_is_counted_by_what_became_of_it(
    slack: Answers, answers: list[tuple[int, str]], patient: bool, expected: dict[str, float]
) -> None:
    slack.left = list(answers)
    url = slack.url if answers else "http://127.0.0.1:9/api/"
    before = counted()
    call: Callable[[], Any] = slack_client("xoxb-test", url, patient=patient).auth_test
    if answers and answers[-1] is OK:
        call()
    else:
        with pytest.raises((SlackApiError, OSError)):
            call()
    after = counted()
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == expected
