"""A real Bolt app talks with people in the playground."""

from typing import Any

from slack_bolt import App
from slack_sdk import WebClient

from tools.playground.server import Playground

from .conftest import Connect, app_of

CHANNEL = "#incident-42"


def buttons() -> list[dict[str, object]]:
    button = {
        "type": "button",
        "action_id": "evidence",
        "value": "key-1",
        "text": {"type": "plain_text", "text": "Evidence"},
    }
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*blocked*"}},
        {"type": "actions", "block_id": "next", "elements": [button]},
    ]


def test_a_command_is_acknowledged_answered_and_edited(playground: Playground, app: App, connect: Connect) -> None:
    seen: list[dict[str, object]] = []

    @app.command("/cilium")
    def command(ack, body, client):
        ack()
        seen.append(body)
        posted = client.chat_postMessage(channel=body["channel_id"], text="Asking…")
        client.chat_update(channel=posted["channel"], ts=posted["ts"], text="Blocked", blocks=buttons())

    connect(playground, app)
    receipt = playground.command("ada", CHANNEL, "/cilium", "why shop/a shop/b 8080")
    assert receipt["acknowledged"]
    answer = playground.wait_for(lambda: [item for item in playground.messages(CHANNEL) if item.get("edited")])[0]
    assert answer["text"] == "Blocked"
    assert answer["bot_id"] == "B0CILIUM01"
    assert len(playground.messages(CHANNEL)) == 1
    assert seen[0]["text"] == "why shop/a shop/b 8080"
    assert seen[0]["user_name"] == "ada"
    assert seen[0]["channel_name"] == "incident-42"


def test_the_words_of_an_acknowledgement_are_shown_to_the_asker_only(
    playground: Playground, app: App, connect: Connect
) -> None:
    @app.command("/cilium")
    def command(ack):
        ack("Usage: why A B")

    connect(playground, app)
    playground.command("ada", CHANNEL, "/cilium")
    (message,) = playground.messages(CHANNEL)
    assert (message["text"], message["only_for"]) == ("Usage: why A B", "U0ADA00001")


def test_a_mention_arrives_as_mention_and_message_and_is_answered_in_its_thread(
    playground: Playground, connect: Connect
) -> None:
    app = app_of(playground, ignoring_self_events_enabled=False)
    events: list[dict[str, object]] = []

    @app.event("app_mention")
    def mention(event, say):
        events.append(event)
        say(text="Looking", thread_ts=event["ts"])

    @app.event("message")
    def message(event):
        events.append(event)

    connect(playground, app)
    asked = playground.say("grace", CHANNEL, "@cilium can shop/a talk to api.stripe.com:443?")
    (reply,) = playground.wait_for(lambda: playground.replies(asked))
    playground.wait_for(lambda: len(events) == 3)
    by_type = {(event["type"], event.get("bot_id")): event for event in events}
    mentioned = by_type["app_mention", None]
    assert mentioned["text"] == "<@U0CILIUM01> can shop/a talk to <http://api.stripe.com:443|api.stripe.com:443>?"
    assert by_type["message", None]["channel_type"] == "channel"
    own = by_type["message", "B0CILIUM01"]
    assert own["thread_ts"] == asked["ts"]
    assert own["parent_user_id"] == "U0GRACE001"
    assert reply["text"] == "Looking"


def test_a_reply_in_a_thread_and_a_direct_message_say_where_they_are(
    playground: Playground, app: App, connect: Connect
) -> None:
    events: list[dict[str, object]] = []

    @app.event("message")
    def message(event):
        events.append(event)

    connect(playground, app)
    root = playground.say("ada", CHANNEL, "what is going on?")
    playground.say("marco", CHANNEL, "no idea", thread_ts=root["ts"])
    playground.say("marco", "@cilium", "why shop/a shop/b")
    playground.wait_for(lambda: len(events) == 3)
    reply = next(event for event in events if event.get("thread_ts"))
    direct = next(event for event in events if event["channel_type"] == "im")
    assert (reply["thread_ts"], reply["parent_user_id"]) == (root["ts"], "U0ADA00001")
    assert direct["channel"] == "D0MARCO001"


def test_a_button_brings_message_value_and_a_response_url(
    playground: Playground, app: App, client: WebClient, connect: Connect
) -> None:
    bodies: list[dict[str, Any]] = []

    @app.action("evidence")
    def evidence(ack, body, respond):
        ack()
        bodies.append(body)
        respond("Here it is", replace_original=False)

    connect(playground, app)
    client.chat_postMessage(channel="C0INCIDENT", text="Blocked", blocks=buttons())
    (message,) = playground.messages(CHANNEL)
    assert playground.click(message, "evidence", "grace")["acknowledged"]
    told = playground.wait_for(lambda: [item for item in playground.messages(CHANNEL) if item["only_for"]])[0]
    assert (told["text"], told["only_for"]) == ("Here it is", "U0GRACE001")
    (body,) = bodies
    assert body["type"] == "block_actions"
    assert body["container"] == {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": "C0INCIDENT",
        "is_ephemeral": False,
    }
    (action,) = body["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("evidence", "next", "key-1")


def test_a_modal_is_opened_rejected_corrected_and_closed(playground: Playground, app: App, connect: Connect) -> None:
    label = {"type": "plain_text", "text": "Pod"}
    element = {"type": "plain_text_input", "action_id": "name"}
    view = {
        "type": "modal",
        "callback_id": "ask",
        "title": {"type": "plain_text", "text": "Ask"},
        "submit": {"type": "plain_text", "text": "Ask"},
        "blocks": [{"type": "input", "block_id": "pod", "label": label, "element": element}],
    }

    @app.command("/cilium")
    def command(ack, body, client):
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("ask")
    def submitted(ack, view):
        value = view["state"]["values"]["pod"]["name"]["value"]
        ack(response_action="errors", errors={"pod": "no such pod"}) if value == "nope" else ack()

    connect(playground, app)
    playground.command("ada", CHANNEL, "/cilium", "ask")
    playground.wait_for(lambda: playground.views("ada"))
    assert playground.views("grace") == []
    assert playground.submit("ada", {"pod": "nope"}) == {"pod": "no such pod"}
    assert playground.submit("ada", {"pod": "shop/a"}) is None
    assert playground.views("ada") == []


def test_a_home_tab_is_published_when_it_is_opened(playground: Playground, app: App, connect: Connect) -> None:
    @app.event("app_home_opened")
    def opened(event, client):
        view = {"type": "home", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Hello"}}]}
        client.views_publish(user_id=event["user"], view=view)

    connect(playground, app)
    playground.open_home("grace")
    home = playground.wait_for(lambda: playground.home("grace"))
    assert home["blocks"][0]["text"]["text"] == "Hello"
    assert playground.home("ada") is None


def test_a_file_goes_to_the_thread_with_its_content(playground: Playground, client: WebClient) -> None:
    root = playground.say("ada", CHANNEL, "evidence?")
    uploaded = client.files_upload_v2(
        channel="C0INCIDENT", thread_ts=root["ts"], filename="flows.yaml", title="Flows", content="a: 1\n"
    )
    (reply,) = playground.replies(root)
    assert reply["files"][0]["preview"] == "a: 1\n"
    assert playground.files() == [("flows.yaml", b"a: 1\n")]
    assert client.files_info(file=uploaded["file"]["id"])["file"]["title"] == "Flows"


def test_an_app_that_is_not_in_the_channel_hears_and_says_nothing_until_it_is_invited(
    playground: Playground, app: App, connect: Connect
) -> None:
    heard: list[str] = []

    @app.event("app_mention")
    def mention(event):
        heard.append(event["text"])

    @app.event("message")
    def message():
        pass

    connect(playground, app)
    playground.say("ada", "#random", "@cilium hello")
    hint = playground.messages("#random")[-1]
    assert (hint["only_for"], "not in this channel" in hint["text"]) == ("U0ADA00001", True)
    assert heard == []
    app.client.conversations_join(channel="C0RANDOM01")
    playground.say("ada", "#random", "@cilium hello again")
    playground.wait_for(lambda: heard)
    assert heard == ["<@U0CILIUM01> hello again"]


def test_another_app_posts_an_alert_as_a_bot_message_without_a_user(
    playground: Playground, app: App, connect: Connect
) -> None:
    events: list[dict[str, object]] = []

    @app.event({"type": "message", "subtype": "bot_message"})
    def message(event):
        events.append(event)

    connect(playground, app)
    alert = {"title": "[FIRING:1] CiliumDrops pay (prod api-1)", "color": "danger", "fallback": "CiliumDrops"}
    playground.post_as_app(CHANNEL, "Alertmanager", attachments=[alert])
    playground.wait_for(lambda: events)
    (event,) = events
    assert "user" not in event
    assert (event["bot_id"], event["username"], event["text"]) == ("B0ALERTS01", "Alertmanager", "")
    assert event["attachments"] == [alert | {"id": 1}]
