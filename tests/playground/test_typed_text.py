"""What Slack makes of typed words: a truth table."""

import pytest

from tools.playground import typed_text
from tools.playground.workspace import Workspace

TYPED = {
    "plain words": ("why can't a reach b", "why can't a reach b"),
    "the three escapes": ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
    "a mention": ("@cilium why", "<@U0CILIUM01> why"),
    "a mention before a full stop": ("ask @ada.", "ask <@U0ADA00001>."),
    "nobody of that name": ("@nobody why", "@nobody why"),
    "everybody here": ("@here look", "<!here> look"),
    "a channel": ("see #platform", "see <#C0PLATFORM|>"),
    "a bare address": ("see https://x.example/a?b=1&c=2.", "see <https://x.example/a?b=1&amp;c=2>."),
    "a host name": ("to api.stripe.com", "to <http://api.stripe.com|api.stripe.com>"),
    "a host name with a port": ("api.stripe.com:443?", "<http://api.stripe.com:443|api.stripe.com:443>?"),
    "a host name with a path": ("x.io/a-b", "<http://x.io/a-b|x.io/a-b>"),
    "a name inside the cluster": ("cart.shop.svc.cluster.local", "cart.shop.svc.cluster.local"),
    "an IP address": ("10.0.0.1:8080", "10.0.0.1:8080"),
    "a pod": ("shop/cart-55c9f", "shop/cart-55c9f"),
    "a longer word than a domain": ("api.stripe.community", "api.stripe.community"),
    "a mail address": ("ask ada@example.com", "ask <mailto:ada@example.com|ada@example.com>"),
    "code": ("`api.stripe.com <x>`", "`api.stripe.com &lt;x&gt;`"),
    "a code block": ("```\n@ada a.com\n```", "```\n@ada a.com\n```"),
}


def pieces(typed: str) -> list[typed_text.Piece]:
    workspace = Workspace()
    return typed_text.pieces(typed, workspace.users.values(), workspace.channels.values())


@pytest.mark.parametrize(("typed", "text"), TYPED.values(), ids=TYPED.keys())
def test_message_text(typed: str, text: str) -> None:
    assert typed_text.as_message_text(pieces(typed)) == text


def test_command_text_is_raw_unless_the_manifest_asks_for_escapes() -> None:
    typed = "why @ada api.stripe.com <x>"
    found = pieces(typed)
    assert typed_text.as_command_text(typed, found, should_escape=False) == typed
    assert typed_text.as_command_text(typed, found, should_escape=True) == (
        "why <@U0ADA00001|ada> <http://api.stripe.com|api.stripe.com> &lt;x&gt;"
    )


def test_rich_text_carries_the_same_things_as_elements() -> None:
    block = typed_text.as_rich_text(pieces("@cilium why `a` x.io\n```b```"), "id")
    section, code = block["elements"]
    assert [leaf["type"] for leaf in section["elements"]] == ["user", "text", "text", "text", "link", "text"]
    assert section["elements"][2] == {"type": "text", "text": "a", "style": {"code": True}}
    assert code["elements"] == [{"type": "text", "text": "b"}]


def test_smart_quotes() -> None:
    assert typed_text.curl_quotes("why can't \"a\" reach 'b'") == "why can’t “a” reach ‘b’"


@pytest.mark.timeout(5)
@pytest.mark.parametrize("unit", ["a.", "@", "a@", "`", "http://", "a-", "#x", "<"])
def test_endless_input_is_read_in_linear_time(unit: str) -> None:
    typed_text.as_message_text(pieces(unit * (40_000 // len(unit))))
    typed_text.normalise_bot_text(unit * (40_000 // len(unit)))
