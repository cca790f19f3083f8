"""What happens around an app: people come and go, channels appear, other apps post, reactions, dropped files."""

from typing import Any

import pytest
from slack_bolt import App
from slack_sdk.errors import SlackApiError

from tools.playground.impossible import NotPossible
from tools.playground.server import Playground

from .conftest import Connect

INCIDENT = "#incident-42"


def hear(app: App) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []

    @app.event("message")
    def message(event):
        heard.append(event)

    for name in (
        "reaction_added",
        "reaction_removed",
        "member_joined_channel",
        "member_left_channel",
        "channel_created",
        "channel_rename",
        "file_shared",
    ):
        app.event(name)(lambda event: heard.append(event))
    return heard


def test_channels_are_created_joined_renamed_and_left(playground: Playground, app: App, connect: Connect) -> None:
    heard = hear(app)
    connect(playground, app)
    made = playground.create_channel("inc-77", "grace")
    playground.say("ada", "#inc-77", "nobody hears this")
    playground.invite("#inc-77")
    playground.rename_channel("#inc-77", "inc-77-cart")
    playground.remove("#inc-77-cart")
    playground.invite("#inc-77-cart", "marco")
    seen = playground.wait_for(lambda: sorted(heard, key=lambda event: event["event_ts"]) if len(heard) == 4 else None)
    assert [event["type"] for event in seen] == [
        "channel_created",
        "member_joined_channel",
        "channel_rename",
        "member_left_channel",
    ]
    created, joined, renamed, left = seen
    assert created["channel"] | {"created": 0} == {"id": made, "name": "inc-77", "created": 0, "creator": "U0GRACE001"}
    assert (joined["user"], joined["channel"], joined["inviter"]) == ("U0CILIUM01", made, "U0ADA00001")
    assert (renamed["channel"]["id"], renamed["channel"]["name"]) == (made, "inc-77-cart")
    assert (left["user"], left["channel"]) == ("U0CILIUM01", made)
    assert app.client.conversations_info(channel=made)["channel"]["name"] == "inc-77-cart"
    with pytest.raises(NotPossible):
        playground.create_channel("INC 1")


def test_a_private_channel_does_not_exist_for_those_outside(playground: Playground, app: App) -> None:
    made = playground.create_channel("secret", private=True)
    client = app.client
    with pytest.raises(SlackApiError) as refused:
        client.conversations_info(channel=made)
    assert refused.value.response["error"] == "channel_not_found"
    kinds = "public_channel,private_channel"
    names = [
        channel["name"] for page in client.conversations_list(types=kinds, limit=2) for channel in page["channels"]
    ]
    assert names == ["incident-42", "platform", "random"]
    playground.invite("#secret")
    assert client.conversations_info(channel=made)["channel"]["is_private"] is True


def test_another_app_edits_its_alert_and_people_react_to_it(playground: Playground, app: App, connect: Connect) -> None:
    heard = hear(app)
    connect(playground, app)
    firing = {"title": "[FIRING:1] CiliumDrops", "color": "danger", "fields": [{"title": "pod", "value": "api-1"}]}
    posted = playground.post_as_app(INCIDENT, "PagerDuty", attachments=[firing], as_user=True)
    playground.edit_as_app(posted, attachments=[firing | {"title": "[RESOLVED] CiliumDrops", "color": "good"}])
    playground.react(posted, "eyes", "grace")
    playground.react(posted, "eyes", "grace")
    new, changed, added, removed = playground.wait_for(
        lambda: sorted(heard, key=lambda event: event["event_ts"]) if len(heard) == 4 else None
    )
    assert (new["bot_id"], new["user"], new["app_id"]) == ("B0ALERTS01", "U0ALERTS01", "A0ALERTS01")
    assert "subtype" not in new
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["attachments"][0]["title"] == "[RESOLVED] CiliumDrops"
    assert changed["previous_message"]["attachments"][0]["fields"] == [{"title": "pod", "value": "api-1"}]
    assert (added["type"], added["reaction"], added["user"]) == ("reaction_added", "eyes", "U0GRACE001")
    assert added["item"] == {"type": "message", "channel": "C0INCIDENT", "ts": posted["ts"]}
    assert removed["type"] == "reaction_removed"


def test_a_dropped_archive_is_announced_with_an_address_to_read_it(
    playground: Playground, app: App, connect: Connect
) -> None:
    heard = hear(app)
    connect(playground, app)
    playground.say("ada", INCIDENT, "what is wrong?", files={"sysdump.zip": b"PK\x03\x04\x00\xff"})
    seen = playground.wait_for(lambda: heard if len(heard) == 2 else None)
    by_type = {event["type"]: event for event in seen}
    (shared,) = by_type["message"]["files"]
    assert (by_type["message"]["subtype"], shared["mimetype"], shared["size"]) == ("file_share", "application/zip", 6)
    assert shared["url_private_download"].startswith(playground.url)
    assert by_type["file_shared"]["file_id"] == shared["id"]
