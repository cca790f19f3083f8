"""Web API answers, as the real SDK and as bare HTTP see them."""

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tools.playground import web_api
from tools.playground.server import Playground

from .conftest import client_of

CHANNEL = "C0INCIDENT"


def error_of(call: Any, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**arguments)
    return str(refused.value.response["error"])


async def raw(playground: Playground, method: str, body: bytes, **headers: str) -> dict[str, Any]:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(playground.api_url + method, data=body, headers=form | headers) as response,
    ):
        answer: dict[str, Any] = await response.json()
        return answer


TOKENS = {
    "the bot's": ("auth.test", "xoxb-playground", None),
    "the app's": ("apps.connections.open", "xapp-playground", None),
    "none": ("auth.test", None, "not_authed"),
    "a wrong one": ("auth.test", "xoxb-other", "invalid_auth"),
    "the app's where the bot's is due": ("auth.test", "xapp-playground", "not_allowed_token_type"),
    "the bot's where the app's is due": ("apps.connections.open", "xoxb-playground", "not_allowed_token_type"),
    "none where none is due": ("api.test", None, None),
}


@pytest.mark.parametrize(("method", "token", "error"), TOKENS.values(), ids=TOKENS.keys())
async def test_tokens(playground: Playground, method: str, token: str | None, error: str | None) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    assert (await raw(playground, method, b"", **headers)).get("error") == error


async def test_form_and_json_bodies_and_a_token_argument(playground: Playground) -> None:
    form = b"token=xoxb-playground&channel=C0INCIDENT&text=form&blocks=%5B%7B%22type%22%3A%22divider%22%7D%5D"
    assert (await raw(playground, "chat.postMessage", form))["message"]["blocks"][0]["type"] == "divider"
    body = {"channel": CHANNEL, "text": "json", "blocks": [{"type": "divider"}]}
    headers = {"Authorization": "Bearer xoxb-playground", "Content-Type": "application/json; charset=utf-8"}
    sent = [json.dumps(body).encode(), b"{", b"[]"]
    answers = [await raw(playground, "chat.postMessage", item, **headers) for item in sent]
    assert [answer.get("error") for answer in answers] == [None, "invalid_json", "json_not_object"]
    assert [item["text"] for item in playground.messages(CHANNEL)] == ["form", "json"]


def test_unknown_methods_channels_users_and_messages_have_slacks_errors(client: WebClient) -> None:
    assert error_of(client.api_call, api_method="chat.shout") == "unknown_method"
    assert error_of(client.chat_postMessage, channel="C404", text="x") == "channel_not_found"
    assert error_of(client.chat_postMessage, channel="C0RANDOM01", text="x") == "not_in_channel"
    assert error_of(client.api_call, api_method="chat.postMessage", params={"channel": CHANNEL}) == "no_text"
    missing = error_of(client.chat_postMessage, channel=CHANNEL, text="x", thread_ts="1.000000")
    assert missing == "cannot_reply_to_message"
    assert error_of(client.chat_update, channel=CHANNEL, ts="1.000000", text="x") == "message_not_found"
    assert error_of(client.conversations_replies, channel=CHANNEL, ts="1.000000") == "thread_not_found"
    assert error_of(client.users_info, user="U404") == "user_not_found"
    assert error_of(client.views_open, trigger_id="1.2.3", view=modal()) == "invalid_trigger_id"


def modal() -> dict[str, Any]:
    return {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": [{"type": "divider"}]}


def test_only_the_apps_own_messages_can_be_edited_and_deleted(playground: Playground, client: WebClient) -> None:
    said = playground.say("ada", CHANNEL, "mine")
    assert error_of(client.chat_update, channel=CHANNEL, ts=said["ts"], text="x") == "cant_update_message"
    assert error_of(client.chat_delete, channel=CHANNEL, ts=said["ts"]) == "cant_delete_message"


def test_an_edit_keeps_what_it_does_not_mention(client: WebClient) -> None:
    blocks = [{"type": "divider", "block_id": "b"}]
    posted = client.chat_postMessage(channel=CHANNEL, text="one", blocks=blocks)
    edited = client.chat_update(channel=CHANNEL, ts=posted["ts"], text="two")
    assert (edited["text"], edited["message"]["blocks"]) == ("two", blocks)
    emptied = client.chat_update(channel=CHANNEL, ts=posted["ts"], text="three", blocks=[])
    assert "blocks" not in emptied["message"]


def test_timestamps_are_unique_increasing_and_six_digits_long(client: WebClient, playground: Playground) -> None:
    for number in range(4):
        client.chat_postMessage(channel=CHANNEL, text=str(number))
    stamps = [item["ts"] for item in playground.messages(CHANNEL)]
    assert stamps == sorted(set(stamps))
    assert all(len(stamp.split(".")[1]) == 6 for stamp in stamps)


def test_history_is_newest_first_and_replies_are_oldest_first_in_pages(
    playground: Playground, client: WebClient
) -> None:
    root = playground.say("ada", CHANNEL, "root")
    playground.say("grace", CHANNEL, "next")
    for number in range(3):
        playground.say("marco", CHANNEL, f"reply {number}", thread_ts=root["ts"])
    history = client.conversations_history(channel=CHANNEL)["messages"]
    assert [item["text"] for item in history] == ["next", "root"]
    assert (history[1]["reply_count"], history[1]["reply_users"]) == (3, ["U0MARCO001"])
    pages = [page["messages"] for page in client.conversations_replies(channel=CHANNEL, ts=root["ts"], limit=3)]
    assert [[item["text"] for item in page] for page in pages] == [["root", "reply 0", "reply 1"], ["reply 2"]]
    newer = client.conversations_history(channel=CHANNEL, oldest=root["ts"])["messages"]
    assert [item["text"] for item in newer] == ["next"]


def test_ephemeral_messages_are_for_one_member_and_in_no_history(playground: Playground, client: WebClient) -> None:
    client.chat_postEphemeral(channel=CHANNEL, user="U0ADA00001", text="psst")
    assert playground.messages(CHANNEL)[0]["only_for"] == "U0ADA00001"
    assert client.conversations_history(channel=CHANNEL)["messages"] == []
    refused = error_of(client.chat_postEphemeral, channel=CHANNEL, user="USLACKBOT", text="x")
    assert refused == "user_not_in_channel"


def test_people_channels_and_groups(client: WebClient) -> None:
    assert client.auth_test()["bot_id"] == "B0CILIUM01"
    assert client.users_info(user="U0ADA00001")["user"]["profile"]["title"] == "On call"
    assert client.conversations_info(channel=CHANNEL)["channel"]["name"] == "incident-42"
    assert [item["name"] for item in client.users_conversations()["channels"]] == ["incident-42", "platform"]
    assert client.conversations_open(users="U0ADA00001")["channel"]["id"] == "D0ADA00001"
    assert "U0CILIUM01" in client.conversations_members(channel=CHANNEL)["members"]
    groups = client.usergroups_list()["usergroups"]
    assert [group["handle"] for group in groups] == ["sre-oncall", "platform"]
    assert client.usergroups_users_list(usergroup=groups[0]["id"])["users"] == ["U0ADA00001"]
    assert client.team_info()["team"]["id"] == "T0PLAYGRND"
    assert client.bots_info(bot="B0CILIUM01")["bot"]["name"] == "cilium"


def test_reactions_come_and_go(playground: Playground, client: WebClient) -> None:
    said = playground.say("ada", CHANNEL, "hello")
    client.reactions_add(channel=CHANNEL, timestamp=said["ts"], name="eyes")
    assert error_of(client.reactions_add, channel=CHANNEL, timestamp=said["ts"], name="eyes") == "already_reacted"
    found = client.reactions_get(channel=CHANNEL, timestamp=said["ts"])["message"]["reactions"]
    assert found == [{"name": "eyes", "users": ["U0CILIUM01"], "count": 1}]
    client.reactions_remove(channel=CHANNEL, timestamp=said["ts"], name="eyes")
    assert "reactions" not in playground.messages(CHANNEL)[0]


def test_a_stream_grows_and_ends_with_blocks(playground: Playground, client: WebClient) -> None:
    root = playground.say("ada", CHANNEL, "why?")
    started = client.chat_startStream(
        channel=CHANNEL, thread_ts=root["ts"], recipient_user_id="U0ADA00001", recipient_team_id="T0PLAYGRND"
    )
    client.chat_appendStream(channel=CHANNEL, ts=started["ts"], markdown_text="looking at ")
    client.chat_appendStream(channel=CHANNEL, ts=started["ts"], markdown_text="policies")
    client.chat_stopStream(channel=CHANNEL, ts=started["ts"], blocks=[{"type": "divider"}])
    (reply,) = playground.replies(root)
    assert reply["text"] == "looking at policies"
    assert [block["type"] for block in reply["blocks"]] == ["markdown", "divider"]
    late = error_of(client.chat_appendStream, channel=CHANNEL, ts=started["ts"], markdown_text="x")
    assert late == "message_not_in_streaming_state"


def test_a_thread_outlives_its_deleted_first_message(playground: Playground, client: WebClient) -> None:
    root = client.chat_postMessage(channel=CHANNEL, text="root")
    client.chat_postMessage(channel=CHANNEL, text="reply", thread_ts=root["ts"])
    client.chat_delete(channel=CHANNEL, ts=root["ts"])
    assert [item.get("subtype") for item in playground.messages(CHANNEL)] == ["tombstone", None]


async def test_a_permalink_leads_to_the_page(playground: Playground, client: WebClient) -> None:
    posted = client.chat_postMessage(channel=CHANNEL, text="x")
    link = client.chat_getPermalink(channel=CHANNEL, message_ts=posted["ts"])["permalink"]
    assert link == f"{playground.url}/archives/C0INCIDENT/p{posted['ts'].replace('.', '')}"
    async with aiohttp.ClientSession() as session, session.get(link) as page:
        assert "<title>Playground</title>" in await page.text()


async def test_an_upload_must_have_the_length_it_announced(playground: Playground, client: WebClient) -> None:
    asked = client.files_getUploadURLExternal(filename="x.txt", length=5)
    async with aiohttp.ClientSession() as session, session.post(asked["upload_url"], data=b"four") as response:
        assert response.status == 400
    missing = error_of(client.files_completeUploadExternal, files=[{"id": asked["file_id"]}], channel_id=CHANNEL)
    assert missing == "file_not_found"
    assert playground.files() == []


def test_bot_text_is_stored_as_slack_stores_it(client: WebClient, playground: Playground) -> None:
    client.chat_postMessage(
        channel=CHANNEL, text="a < b & c &amp; <@U0ADA00001> <http://x.example|x> http://y.example."
    )
    assert playground.messages(CHANNEL)[0]["text"] == (
        "a &lt; b &amp; c &amp; <@U0ADA00001> <http://x.example|x> <http://y.example>."
    )


def test_a_reset_forgets_everything(playground: Playground) -> None:
    client_of(playground).chat_postMessage(channel=CHANNEL, text="x")
    playground.reset()
    assert (playground.messages(CHANNEL), playground.calls(), playground.deliveries()) == ([], [], [])


def test_every_promised_method_is_there() -> None:
    promised = """
        api.test apps.connections.open assistant.threads.setStatus auth.test bots.info chat.appendStream chat.delete
        chat.getPermalink chat.postEphemeral chat.postMessage chat.startStream chat.stopStream chat.update
        conversations.history conversations.info conversations.join conversations.list conversations.members
        conversations.open conversations.replies files.completeUploadExternal files.getUploadURLExternal files.info
        reactions.add reactions.get reactions.remove team.info usergroups.list usergroups.users.list
        users.conversations users.info users.list users.lookupByEmail views.open views.publish views.push views.update
    """
    assert web_api.method_names() == promised.split()
