"""Shortcuts, and a modal whose menus the app fills as a person types."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_bolt import App

from tools.playground.impossible import NotPossible
from tools.playground.server import Playground, running_playground
from tools.playground.settings import Shortcut

from .conftest import QUICK, Connect, app_of

DECLARED = (
    Shortcut(name="Triage this", callback_id="triage", description="Why?", on_messages=True),
    Shortcut(name="Ask about the cluster", callback_id="ask", description="Ask", on_messages=False),
)


@pytest.fixture
def equipped() -> Iterator[Playground]:
    with running_playground(replace(QUICK, shortcuts=DECLARED)) as running:
        yield running


def option(value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": value}, "value": value}


def modal() -> dict[str, Any]:
    menu = {
        "type": "external_select",
        "action_id": "name",
        "min_query_length": 2,
        "initial_option": option("shop/cart"),
    }
    label = {"type": "plain_text", "text": "From"}
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Ask"},
        "submit": {"type": "plain_text", "text": "Ask"},
        "blocks": [{"type": "input", "block_id": "from", "label": label, "element": menu}],
    }


def test_a_shortcut_brings_the_message_it_was_used_on(equipped: Playground, connect: Connect) -> None:
    app = app_of(equipped)
    used: list[dict[str, Any]] = []

    @app.message_shortcut("triage")
    def triage(ack, body):
        ack()
        used.append(body)

    app.event("message")(lambda: None)
    connect(equipped, app)
    alert = equipped.post_as_app("#incident-42", "Alertmanager", attachments=[{"title": "CiliumDrops"}])
    assert equipped.shortcut("ada", "triage", alert)["acknowledged"]
    (body,) = used
    assert (body["type"], body["callback_id"], body["channel"]["id"]) == ("message_action", "triage", "C0INCIDENT")
    assert body["message"]["attachments"][0]["title"] == "CiliumDrops"
    assert body["message_ts"] == alert["ts"]
    with pytest.raises(NotPossible):
        equipped.shortcut("ada", "ask", alert)


def test_a_global_shortcut_opens_a_modal_that_suggests_and_submits(equipped: Playground, connect: Connect) -> None:
    app = app_of(equipped)
    submitted: list[Any] = []

    @app.global_shortcut("ask")
    def ask(ack, body, client):
        client.views_open(trigger_id=body["trigger_id"], view=modal())
        ack()

    @app.options("name")
    def names(ack, payload):
        ack(
            options=[
                option(f"shop/{payload['value']}"),
                option("x" * 151) if payload["value"] == "bad" else option("a"),
            ]
        )

    @app.view("")
    def view(ack, view):
        submitted.append(view["state"]["values"]["from"]["name"]["selected_option"]["value"])
        ack()

    connect(equipped, app)
    equipped.shortcut("ada", "ask")
    equipped.submit("ada", {})
    equipped.shortcut("ada", "ask")
    assert equipped.suggestions("ada", "name", "c") == []
    assert [item["value"] for item in equipped.suggestions("ada", "name", "payment")] == ["shop/payment", "a"]
    with pytest.raises(NotPossible):
        equipped.suggestions("ada", "name", "bad")
    with pytest.raises(NotPossible):
        equipped.submit("ada", {"from": "never/offered"})
    equipped.submit("ada", {"from": "shop/payment"})
    assert submitted == ["shop/cart", "shop/payment"]


def test_suggestions_need_a_modal(equipped: Playground, app: App) -> None:
    with pytest.raises(NotPossible):
        equipped.suggestions("ada", "name", "cart")
