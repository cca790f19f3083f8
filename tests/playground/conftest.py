"""A playground per test, and real Bolt apps connected to it by Socket Mode."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from tools.playground.server import Playground, running_playground
from tools.playground.settings import PlaygroundSettings

QUICK = PlaygroundSettings(retry_delays=(0.0, 0.02, 0.02))
IMPATIENT = replace(QUICK, ack_deadline=0.2)
"""For tests in which no acknowledgement ever comes."""
Connect = Callable[[Playground, App], SocketModeHandler]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Slack SDK sends loopback through a proxy when the environment names one."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def playground() -> Iterator[Playground]:
    with running_playground(QUICK) as running:
        yield running


@pytest.fixture
def impatient() -> Iterator[Playground]:
    with running_playground(IMPATIENT) as running:
        yield running


def client_of(playground: Playground, **options: Any) -> WebClient:
    return WebClient(token=playground.settings.bot_token, base_url=playground.api_url, **options)


def app_of(playground: Playground, **options: Any) -> App:
    """A real Bolt app, not connected yet: tests add listeners first."""
    return App(client=client_of(playground), signing_secret=playground.settings.signing_secret, **options)


@pytest.fixture
def client(playground: Playground) -> WebClient:
    return client_of(playground)


@pytest.fixture
def app(playground: Playground) -> App:
    return app_of(playground)


def _close(playground: Playground, handler: SocketModeHandler) -> None:
    """Close at once: the SDK's client would sit out its read timeouts (3 s and 1 s) if nothing woke it."""
    handler.client.auto_reconnect_enabled = False
    handler.client.closed = True
    if not playground.stopped:
        playground.cut_sockets()
    handler.client.enqueue_message("")
    try:
        handler.close()
    except AttributeError:
        # The SDK's own thread closed the cut socket between its look and its close (builtin/connection.py:186-192).
        handler.close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connect an app by Socket Mode, with the SDK's own client, until the end of the test."""
    with ExitStack() as stack:

        def connected(playground: Playground, app: App) -> SocketModeHandler:
            logging.getLogger("slack_bolt").setLevel(logging.ERROR)
            before = playground.connections()
            handler = SocketModeHandler(app, playground.settings.app_token)
            stack.callback(_close, playground, handler)
            handler.connect()
            playground.wait_connected(before + 1)
            return handler

        yield connected
