"""What the app was granted decides what it may call and what it hears."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tools.playground.manifest import installed
from tools.playground.scopes import OF_EVENTS, may_hear
from tools.playground.server import running_playground
from tools.playground.settings import EVERY_SCOPE, SUBSCRIBED_EVENTS, PlaygroundSettings

from .conftest import client_of

POOR = replace(PlaygroundSettings(), scopes=frozenset({"chat:write", "users:read"}))

NEEDED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a reaction": ("reactions.add", {"channel": "C0INCIDENT", "timestamp": "1.1", "name": "eyes"}, "reactions:write"),
    "a public channel's name": ("conversations.info", {"channel": "C0INCIDENT"}, "channels:read"),
    "a direct conversation": ("conversations.info", {"channel": "D0ADA00001"}, "im:read"),
    "private channels": ("conversations.list", {"types": "private_channel"}, "groups:read"),
    "what was said": ("conversations.history", {"channel": "C0INCIDENT"}, "channels:history"),
    "joining": ("conversations.join", {"channel": "C0RANDOM01"}, "channels:join"),
    "a file": ("files.getUploadURLExternal", {"filename": "x", "length": 1}, "files:write"),
    "an address": ("users.lookupByEmail", {"email": "ada@playground.example"}, "users:read.email"),
    "a user group": ("usergroups.list", {}, "usergroups:read"),
}


@pytest.fixture(scope="module")
def poor() -> Iterator[WebClient]:
    with running_playground(POOR) as playground:
        yield client_of(playground)


@pytest.mark.parametrize(("method", "arguments", "scope"), NEEDED.values(), ids=NEEDED.keys())
def test_a_method_without_its_scope_says_what_is_missing(
    poor: WebClient, method: str, arguments: dict[str, Any], scope: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        poor.api_call(method, params=arguments)
    answer = refused.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", scope)
    assert answer["provided"] == "chat:write,users:read"


def test_what_was_granted_works_and_is_told_in_a_header(poor: WebClient) -> None:
    posted = poor.chat_postMessage(channel="C0INCIDENT", text="x")
    assert posted["ok"]
    assert posted.headers["X-OAuth-Scopes"] == "chat:write,users:read"
    assert "email" not in poor.users_info(user="U0ADA00001")["user"]["profile"]


def test_an_address_is_told_to_those_who_may_know_it(client: WebClient) -> None:
    assert client.users_info(user="U0ADA00001")["user"]["profile"]["email"] == "ada@playground.example"
    assert client.users_lookupByEmail(email="Ada@playground.example")["user"]["id"] == "U0ADA00001"


HEARD = {
    "a mention, without its scope": ("app_mention", {"chat:write"}, False),
    "a private channel's messages, with the public's scope": ("message.groups", {"channels:history"}, False),
    "somebody joined, with either scope": ("member_joined_channel", {"groups:read"}, True),
    "the Home tab, with none": ("app_home_opened", set[str](), True),
}


@pytest.mark.parametrize(("event", "granted", "expected"), HEARD.values(), ids=HEARD.keys())
def test_an_event_comes_with_its_scope_only(event: str, granted: set[str], expected: bool) -> None:
    assert may_hear(event, frozenset(granted)) is expected


def test_the_tables_agree() -> None:
    assert set(OF_EVENTS) == set(SUBSCRIBED_EVENTS)
    assert set().union(*OF_EVENTS.values()) <= EVERY_SCOPE


def test_the_products_manifest_asks_for_nothing_that_the_playground_does_not_know() -> None:
    settings = installed(ack_deadline=1.0)
    assert settings.scopes <= EVERY_SCOPE
    assert settings.subscriptions <= set(OF_EVENTS)
    assert [event for event in sorted(settings.subscriptions) if not may_hear(event, settings.scopes)] == []
    assert [command.command for command in settings.commands] == ["/cilium"]
    assert settings.ack_deadline == 1.0
