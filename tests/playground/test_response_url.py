"""The response_url of commands and clicks: five uses, thirty minutes, replace, delete."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from tools.playground.server import Playground, running_playground

from .conftest import QUICK, Connect, app_of, client_of

CHANNEL = "#incident-42"
BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def conversation(connect: Connect, clock: Clock) -> Iterator[tuple[Playground, WebClient, Any]]:
    """A playground and an app; calling the last value runs a command or click and returns its response_url."""
    with running_playground(QUICK, clock=clock) as playground:
        client = client_of(playground)
        app = app_of(playground)
        found: list[str] = []
        arrived = threading.Event()

        def keep(ack, body):
            ack()
            found.append(body["response_url"])
            arrived.set()

        app.command("/cilium")(keep)
        app.action("go")(keep)
        app.event("message")(lambda: None)
        connect(playground, app)

        def url_of(message: dict[str, Any] | None = None) -> WebhookClient:
            arrived.clear()
            if message is None:
                playground.command("ada", CHANNEL, "/cilium")
            else:
                playground.click(message, "go", "ada")
            assert arrived.wait(5)
            return WebhookClient(found[-1])

        yield playground, client, url_of
        playground.cut_sockets()


def test_five_uses_and_no_more(connect: Connect, clock: Clock) -> None:
    with conversation(connect, clock) as (playground, _, url_of):
        url = url_of()
        assert [url.send(text=f"answer {number}").status_code for number in range(6)] == [200] * 5 + [404]
        assert url.send(text="again").body == '{"ok": false, "error": "used_url"}'
        assert len(playground.messages(CHANNEL)) == 5
        assert {item["only_for"] for item in playground.messages(CHANNEL)} == {"U0ADA00001"}


def test_thirty_minutes_and_no_longer(connect: Connect, clock: Clock) -> None:
    with conversation(connect, clock) as (_, _, url_of):
        url = url_of()
        clock.now += 30 * 60
        assert url.send(text="just in time").status_code == 200
        clock.now += 1
        assert url.send(text="too late").body == '{"ok": false, "error": "expired_url"}'


def test_a_command_can_be_answered_for_everybody(connect: Connect, clock: Clock) -> None:
    with conversation(connect, clock) as (playground, _, url_of):
        url_of().send(text="for all", response_type="in_channel")
        assert playground.messages(CHANNEL)[-1]["only_for"] is None


def test_a_click_can_replace_and_delete_its_message(connect: Connect, clock: Clock) -> None:
    with conversation(connect, clock) as (playground, client, url_of):
        blocks = [{"type": "actions", "elements": [BUTTON]}]
        client.chat_postMessage(channel="C0INCIDENT", text="go?", blocks=blocks)
        (message,) = playground.messages(CHANNEL)
        url = url_of(message)
        url.send(text="went", replace_original=True)
        (replaced,) = playground.messages(CHANNEL)
        assert (replaced["text"], replaced["ts"], "blocks" in replaced) == ("went", message["ts"], False)
        url.send(delete_original=True)
        assert playground.messages(CHANNEL) == []


def test_bad_blocks_are_refused_and_the_url_stays_usable(connect: Connect, clock: Clock) -> None:
    with conversation(connect, clock) as (playground, _, url_of):
        url = url_of()
        assert url.send(blocks=[{"type": "marquee"}]).status_code == 400
        assert url.send(text="").status_code == 400
        assert url.send(text="fine").status_code == 200
        assert [item["text"] for item in playground.messages(CHANNEL)] == ["fine"]
