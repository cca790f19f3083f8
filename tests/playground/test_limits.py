"""What Slack's server refuses: a truth table over blocks, messages and views."""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tools.playground import limits
from tools.playground.server import Playground

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def words(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(length: int) -> Json:
    return {"type": "section", "text": words("x" * length)}


def fields(count: int, length: int = 1) -> Json:
    return {"type": "section", "fields": [words("x" * length)] * count}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "go", "text": plain("Go")} | more


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def numbered(count: int) -> list[Json]:
    return [button(action_id=f"a{index}") for index in range(count)]


def context(count: int) -> Json:
    return {"type": "context", "elements": [words("x")] * count}


def options(count: int, length: int = 1) -> list[Json]:
    return [{"text": plain("x" * length), "value": str(index)} for index in range(count)]


def menu(count: int, length: int = 1) -> Json:
    return {"type": "static_select", "action_id": "m", "placeholder": plain("?"), "options": options(count, length)}


def overflow(count: int) -> Json:
    return {"type": "overflow", "action_id": "o", "options": options(count)}


def table(rows: int, columns: int = 1) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def data_table(rows: int, **more: Any) -> Json:
    return {"type": "data_table", "caption": "Drops", "rows": [[{"type": "raw_text", "text": "x"}]] * rows} | more


def image(**more: Any) -> Json:
    return {"type": "image", "image_url": "http://127.0.0.1/x.png", "alt_text": "chart"} | more


def chart(segments: int) -> Json:
    return {
        "type": "data_visualization",
        "title": "t",
        "chart": {"type": "pie", "segments": [{"label": "x", "value": 1}] * segments},
    }


ACCEPTED = {
    "fifty blocks": [{"type": "divider"}] * 50,
    "section text of 3000": [section(3000)],
    "ten fields of 1000": [fields(10, 1000)],
    "header of 150": [{"type": "header", "text": plain("x" * 150)}],
    "context of ten": [context(10)],
    "actions of 25": [actions(*numbered(25))],
    "button text of 75": [actions(button(text=plain("x" * 75)))],
    "button value of 2000": [actions(button(value="x" * 2000))],
    "action_id of 255": [actions(button(action_id="x" * 255))],
    "same action_id in two blocks": [actions(button()), actions(button())],
    "markdown of 12000": [{"type": "markdown", "text": "x" * 12_000}],
    "menu of 100": [actions(menu(100))],
    "overflow of five": [actions(overflow(5))],
    "table of 100 by 20": [table(100, 20)],
    "data table of 101 rows": [data_table(101)],
    "pie of six": [chart(6)],
    "image with alt text": [image()],
    "rich text": [
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}
    ],
    "section with button": [section(1) | {"accessory": button(style="danger")}],
}
REFUSED = {
    "51 blocks": ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "section text of 3001": ([section(3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    "empty section text": ([section(0)], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "section without text": ([{"type": "section"}], "missing required field: text or fields [json-pointer:/blocks/0]"),
    "eleven fields": ([fields(11)], "no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
    "field of 2001": ([fields(1, 2001)], "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"),
    "header of 151": (
        [{"type": "header", "text": plain("x" * 151)}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "header in mrkdwn": (
        [{"type": "header", "text": words("x")}],
        "must be a valid enum value [json-pointer:/blocks/0/text/type]",
    ),
    "context of eleven": ([context(11)], "no more than 10 items allowed [json-pointer:/blocks/0/elements]"),
    "actions of 26": ([actions(*numbered(26))], "no more than 25 items allowed [json-pointer:/blocks/0/elements]"),
    "no actions": ([actions()], "must be more than 0 items [json-pointer:/blocks/0/elements]"),
    "button text of 76": (
        [actions(button(text=plain("x" * 76)))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "button in mrkdwn": (
        [actions(button(text=words("x")))],
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/text/type]",
    ),
    "button value of 2001": (
        [actions(button(value="x" * 2001))],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "button of an unknown style": (
        [actions(button(style="warning"))],
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    "button with an unknown property": (
        [actions(button(disabled=True))],
        "invalid additional property: disabled [json-pointer:/blocks/0/elements/0]",
    ),
    "action_id of 256": (
        [actions(button(action_id="x" * 256))],
        "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
    ),
    "same action_id twice in a block": (
        [actions(button(), button())],
        "action_id go already exists in this block [json-pointer:/blocks/0/elements/1/action_id]",
    ),
    "block_id of 256": (
        [{"type": "divider", "block_id": "x" * 256}],
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    "same block_id twice": (
        [{"type": "divider", "block_id": "b"}, {"type": "divider", "block_id": "b"}],
        "block_id b already exists [json-pointer:/blocks/1/block_id]",
    ),
    "markdown of 12001": (
        [{"type": "markdown", "text": "x" * 12_001}],
        "must be less than 12001 characters [json-pointer:/blocks/0/text]",
    ),
    "markdown of 12001 in two": (
        [{"type": "markdown", "text": "x" * 6001}] * 2,
        "markdown blocks must be less than 12001 characters together [json-pointer:/blocks]",
    ),
    "menu of 101": ([actions(menu(101))], "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]"),
    "option label of 76": (
        [actions(menu(1, 76))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]",
    ),
    "overflow of six": (
        [actions(overflow(6))],
        "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "table of 101 rows": ([table(101)], "no more than 100 items allowed [json-pointer:/blocks/0/rows]"),
    "two tables": ([table(1), table(1)], "only one table is allowed [json-pointer:/blocks/1]"),
    "table of 21 columns": ([table(1, 21)], "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"),
    "data table of one row": ([data_table(1)], "no less than 2 items allowed [json-pointer:/blocks/0/rows]"),
    "data table page of 101": (
        [data_table(2, page_size=101)],
        "must be between 1 and 100 [json-pointer:/blocks/0/page_size]",
    ),
    "data table without caption": (
        [data_table(2, caption=None)],
        "missing required field: caption [json-pointer:/blocks/0]",
    ),
    "pie of seven": ([chart(7)], "no more than 6 items allowed [json-pointer:/blocks/0/chart/segments]"),
    "image without alt text": ([image(alt_text=None)], "missing required field: alt_text [json-pointer:/blocks/0]"),
    "image from a file": ([image(image_url="file:///x")], "invalid url [json-pointer:/blocks/0/image_url]"),
    "unknown block": ([{"type": "marquee"}], "unsupported type: marquee [json-pointer:/blocks/0/type]"),
    "block without type": ([{}], "missing required field: type [json-pointer:/blocks/0]"),
    "block that is text": (["x"], "must provide an object [json-pointer:/blocks/0]"),
    "unknown element": (
        [actions({"type": "lever"})],
        "unsupported type: lever [json-pointer:/blocks/0/elements/0/type]",
    ),
    "input as an accessory": (
        [section(1) | {"accessory": {"type": "plain_text_input", "action_id": "x"}}],
        "unsupported type: plain_text_input [json-pointer:/blocks/0/accessory/type]",
    ),
}


@pytest.mark.parametrize("blocks", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(blocks: list[Json]) -> None:
    assert [str(item) for item in limits.block_violations(blocks)] == []


@pytest.mark.parametrize(("blocks", "complaint"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(blocks: list[Json], complaint: str) -> None:
    assert complaint in [str(item) for item in limits.block_violations(blocks)]


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": plain("Ask"), "blocks": [{"type": "divider"}]} | more


def an_input() -> Json:
    return {"type": "input", "label": plain("x"), "element": {"type": "plain_text_input", "action_id": "a"}}


VIEWS = {
    "a hundred blocks are fine": (modal(blocks=[{"type": "divider"}] * 100), None),
    "101 blocks": (
        modal(blocks=[{"type": "divider"}] * 101),
        "no more than 100 items allowed [json-pointer:/view/blocks]",
    ),
    "title of 25": (modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
    "title in mrkdwn": (modal(title=words("x")), "must be a valid enum value [json-pointer:/view/title/type]"),
    "submit of 25": (modal(submit=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/submit/text]"),
    "private_metadata of 3001": (
        modal(private_metadata="x" * 3001),
        "must be less than 3001 characters [json-pointer:/view/private_metadata]",
    ),
    "callback_id of 256": (
        modal(callback_id="x" * 256),
        "must be less than 256 characters [json-pointer:/view/callback_id]",
    ),
    "input without submit": (modal(blocks=[an_input()]), "missing required field: submit [json-pointer:/view/submit]"),
    "input with submit is fine": (modal(blocks=[an_input()], submit=plain("Go")), None),
    "unknown type": (modal(type="drawer"), "must be a valid enum value [json-pointer:/view/type]"),
}


@pytest.mark.parametrize(("view", "complaint"), VIEWS.values(), ids=VIEWS.keys())
def test_views(view: Json, complaint: str | None) -> None:
    found = [str(item) for item in limits.view_violations(view)]
    assert found == [] if complaint is None else complaint in found


def test_the_server_answers_with_the_pointer_in_response_metadata(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel="C0INCIDENT", text="x", blocks=[{"type": "divider"}, section(3001)])
    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] failed to match all allowed schemas [json-pointer:/blocks/1/text]",
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]",
    ]
    assert answer["errors"][1] == "must be less than 3001 characters [json-pointer:/blocks/1/text/text]"


def test_all_texts_together_are_limited(client: WebClient) -> None:
    client.chat_postMessage(channel="C0INCIDENT", text="x", blocks=[section(3000)] * 4)
    with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
        client.chat_postMessage(channel="C0INCIDENT", text="x", blocks=[section(3000)] * 5)


def test_long_text_is_truncated_when_posted_and_refused_when_edited(client: WebClient, playground: Playground) -> None:
    posted = client.chat_postMessage(channel="C0INCIDENT", text="x" * 40_001)
    assert len(playground.messages("#incident-42")[0]["text"]) == 40_000
    with pytest.raises(SlackApiError, match="msg_too_long"):
        client.chat_update(channel="C0INCIDENT", ts=posted["ts"], text="x" * 4001)


def test_a_view_that_is_refused_opens_nothing(client: WebClient, playground: Playground) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.views_publish(user_id="U0ADA00001", view={"type": "home", "blocks": [{"type": "marquee"}]})
    assert refused.value.response["error"] == "invalid_arguments"
    assert "[json-pointer:/view/blocks/0/type]" in refused.value.response["response_metadata"]["messages"][0]
    assert playground.home("ada") is None


def test_stored_blocks_have_identifiers_and_defaults(client: WebClient) -> None:
    nameless = {"type": "button", "text": plain("Go")}
    posted = client.chat_postMessage(channel="C0INCIDENT", text="x", blocks=[section(1), actions(nameless)])
    first, second = posted["message"]["blocks"]
    assert first["block_id"]
    assert first["text"]["verbatim"] is False
    assert second["elements"][0]["action_id"]
    assert second["elements"][0]["text"]["emoji"] is True
