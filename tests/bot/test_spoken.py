"""Every message has a text of its own: the maker of messages sees to it, and every story looks at what was posted."""

import ast
from pathlib import Path
from typing import Any

import pytest

from bot.render.blocks import actions, button, context, header, message, section
from bot.render.spoken import aloud
from tests.bot.told import untold

BLOCKS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "markup": ([section("*Blocked:* _by_ `deny-all` ~no~")], "Blocked: by deny-all no"),
    "code in bold, and names with underscores": (
        [section("*`shop/cart`* my_pod_name 2*3*4")],
        "shop/cart my_pod_name 2*3*4",
    ),
    "people, channels and links": (
        [section("<@U1> in <#C1> <https://x.example/a|the page> <https://y.example>")],
        "in the page https://y.example",
    ),
    "a date by its words": ([context("<!date^1^{date}|2026-11-20 12:26 UTC>")], "2026-11-20 12:26 UTC"),
    "escaped signs": ([section("a &lt;b&gt; &amp; c")], "a <b> & c"),
    "several blocks, no buttons": (
        [header("Digest"), section("One."), *actions([button("Why?", "ask_1", "why")]), context("late", "soon")],
        "Digest. One. late. soon",
    ),
    "a table by its cells": (
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "pod"}], [{"type": "raw_text", "text": "cart"}]]}],
        "pod. cart",
    ),
    "a picture by what stands for it": (
        [{"type": "image", "alt_text": "Drops by cause", "image_url": "x"}],
        "Drops by cause",
    ),
    "signs alone": ([section("… ⛔")], ""),
}


@pytest.mark.parametrize(("blocks", "expected"), BLOCKS.values(), ids=BLOCKS.keys())
def test_blocks_are_read_aloud_without_their_markup(blocks: list[dict[str, Any]], expected: str) -> None:
    assert aloud(blocks) == expected


@pytest.mark.parametrize("text", ["", "  ", "…", "⛔ *", "---"])
def test_a_message_without_words_gets_those_of_its_blocks(text: str) -> None:
    assert message([section("*Blocked* by `deny-all`")], text).text == "Blocked by deny-all"
    assert message([section("*Blocked*")], "Blocked at ingress").text == "Blocked at ingress"


TEXTS = {
    "Blocked at ingress: shop/cart": [],
    "": ["fewer than two words"],
    "…": ["fewer than two words"],
    "*Blocked* at ingress": ["bold"],
    "Looking into `why a b`": ["code"],
    "Ask <@U1> about it": ["a mention as Slack writes it"],
    "This content can't be displayed": ["what Slack says where there is no text"],
    "Blocked &amp;lt;b&amp;gt; there": ["escaped twice"],
    "done :white_check_mark: there": ["an emoji by its name"],
    "ports 8080:tcp:9090 are open": [],
}


@pytest.mark.parametrize(("text", "wrong"), TEXTS.items(), ids=map(repr, TEXTS))
def test_the_law_knows_what_cannot_be_read_out(text: str, wrong: list[str]) -> None:
    assert untold(text) == wrong


def test_only_the_maker_of_messages_makes_one() -> None:
    root = Path(__file__).parents[2] / "bot"
    made = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Message"
    ]
    assert {place.partition(":")[0] for place in made} == {"render/blocks.py", "publish.py"}
