"""Delivery by signed HTTP to a real Bolt app behind a WSGI server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from tools.playground import signed_http
from tools.playground.server import Playground, running_playground

from .conftest import QUICK

CHANNEL = "#incident-42"


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(server: HTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/slack/events"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def bolt_over_http(app: App) -> Iterator[str]:
    with serving(make_server("127.0.0.1", 0, SlackRequestHandler(app), handler_class=_Silent)) as url:
        yield url


def test_bolt_accepts_the_signature_of_commands_events_and_clicks(
    playground: Playground, client: WebClient, app: App
) -> None:
    done: list[str] = []

    @app.command("/cilium")
    def command(ack):
        ack("by HTTP")

    @app.event("app_mention")
    def mention(event):
        done.append("mention")

    @app.event("message")
    def message():
        pass

    @app.action("go")
    def go(ack):
        ack()
        done.append("click")

    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    with bolt_over_http(app) as url:
        assert playground.use_request_url(url)
        assert playground.command("ada", CHANNEL, "/cilium", "a & b")["acknowledged"]
        assert playground.messages(CHANNEL)[-1]["text"] == "by HTTP"
        playground.say("ada", CHANNEL, "@cilium hello")
        playground.wait_for(lambda: "mention" in done)
        client.chat_postMessage(channel="C0INCIDENT", blocks=[{"type": "actions", "elements": [button]}], text="go?")
        posted = next(item for item in playground.messages(CHANNEL) if item["text"] == "go?")
        assert playground.click(posted, "go")["acknowledged"]
        playground.wait_for(lambda: "click" in done)
        playground.wait_for(lambda: len([item for item in playground.deliveries() if item["acknowledged"]]) >= 4)
        playground.use_request_url(None)


def test_a_url_that_does_not_repeat_the_challenge_is_not_used(playground: Playground) -> None:
    with serving(HTTPServer(("127.0.0.1", 0), answering(200))) as url:
        assert not playground.use_request_url(url)
    assert playground.command("ada", CHANNEL, "/cilium")["reason"] == "no_connection"


@pytest.mark.parametrize("url", ["http://example.com/slack", "ftp://127.0.0.1/", "http://127.0.0.1.example.com/"])
def test_a_request_url_elsewhere_is_refused(playground: Playground, url: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        playground.use_request_url(url)


def answering(status: int, *, no_retry: bool = False, requests: list[dict[str, str]] | None = None):
    """A server that answers the challenge, and everything else with one status."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            challenged = requests is not None and b'"url_verification"' in body
            if requests is not None and not challenged:
                requests.append({name.lower(): value for name, value in self.headers.items()} | {"body": body.decode()})
            self.send_response(200 if challenged else status)
            if no_retry:
                self.send_header("X-Slack-No-Retry", "1")
            answer = body if challenged else b""
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def test_a_failing_url_gets_three_retries_with_number_and_reason(playground: Playground) -> None:
    requests: list[dict[str, str]] = []
    with serving(HTTPServer(("127.0.0.1", 0), answering(500, requests=requests))) as url:
        assert playground.use_request_url(url)
        playground.say("ada", CHANNEL, "hello")
        playground.wait_for(lambda: len(playground.deliveries()) == 4)
    assert [(item.get("x-slack-retry-num"), item.get("x-slack-retry-reason")) for item in requests] == [
        (None, None),
        ("1", "http_error"),
        ("2", "http_error"),
        ("3", "http_error"),
    ]
    assert len({item["body"] for item in requests}) == 1
    verifier = SignatureVerifier("playground")
    assert all(
        verifier.is_valid(item["body"], item["x-slack-request-timestamp"], item["x-slack-signature"])
        for item in requests
    )


def test_an_app_may_ask_for_no_retries(playground: Playground) -> None:
    requests: list[dict[str, str]] = []
    with serving(HTTPServer(("127.0.0.1", 0), answering(500, no_retry=True, requests=requests))) as url:
        assert playground.use_request_url(url)
        playground.say("ada", CHANNEL, "hello")
        playground.wait_for(lambda: playground.deliveries())
        playground.say("ada", CHANNEL, "again")
        playground.wait_for(lambda: len(playground.deliveries()) == 2)
    assert len(requests) == 2


def test_the_request_url_in_the_settings_is_verified_when_the_app_is_up(app: App) -> None:
    @app.command("/cilium")
    def command(ack):
        ack()

    with bolt_over_http(app) as url, running_playground(replace(QUICK, request_url=url)) as playground:
        playground.wait_for(lambda: playground.command("ada", CHANNEL, "/cilium")["acknowledged"])


def test_the_signature_is_the_one_of_the_documentation() -> None:
    """The example of the Slack document "Verifying requests from Slack"."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
        b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
        b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
        b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signed_http.signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == expected
