"""What people type, and the question it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.catalogue import CATALOGUE, understand
from handlers.commands.command import NotUnderstoodError
from handlers.names.lexicon import LANGUAGES

UNDERSTOOD = {
    "positional": ("why shop/frontend shop/cart", "why shop/frontend shop/cart"),
    "port": ("why shop/frontend shop/cart 8080", "why shop/frontend shop/cart 8080"),
    "port and protocol": ("why shop/frontend shop/cart 53/udp", "why shop/frontend shop/cart 53/UDP"),
    "protocol before port": ("why shop/frontend shop/cart udp/53", "why shop/frontend shop/cart 53/UDP"),
    "protocol beside port": ("why shop/frontend shop/cart udp 53", "why shop/frontend shop/cart 53/UDP"),
    "port behind a colon": ("why shop/frontend shop/cart:8080", "why shop/frontend shop/cart 8080"),
    "ping": ("why shop/frontend shop/cart icmp", "why shop/frontend shop/cart icmp"),
    "kubectl short names": (
        "why shop/deploy/frontend shop/svc/cart 80",
        "why shop/deploy/frontend shop/svc/cart 80",
    ),
    "long kinds": ("why shop/deployments/frontend shop/services/cart", "why shop/deploy/frontend shop/svc/cart"),
    "kind as a word": ("why deployment shop/frontend service shop/cart", "why shop/deploy/frontend shop/svc/cart"),
    "node": ("why node/worker-1 shop/cart 80", "why node/worker-1 shop/cart 80"),
    "node as a word": ("why node worker-1 shop/cart 80", "why node/worker-1 shop/cart 80"),
    "entity": ("why world shop/frontend 443", "why world shop/frontend 443"),
    "address": ("why shop/frontend 198.18.10.10 443", "why shop/frontend 198.18.10.10 443"),
    "range": ("why shop/frontend 198.18.10.0/24", "why shop/frontend 198.18.10.0/24"),
    "address with port": ("why shop/frontend 198.18.10.10:443", "why shop/frontend 198.18.10.10 443"),
    "IPv6 with port": ("why shop/frontend [fd00::1]:443", "why shop/frontend fd00::1 443"),
    "bare names": ("why frontend cart 80", "why frontend cart 80"),
    "arrow": ("why shop/frontend -> shop/cart", "why shop/frontend shop/cart"),
    "typographic arrow": ("why shop/frontend→shop/cart", "why shop/frontend shop/cart"),
    "destination first": ("why to shop/cart from shop/frontend", "why shop/frontend shop/cart"),
    "port first": ("why 8080 shop/frontend shop/cart", "why shop/frontend shop/cart 8080"),
    "http request": (
        "why shop/frontend shop/cart 8080 http get /api/items",
        "why shop/frontend shop/cart 8080 http GET /api/items",
    ),
    "look back": ("why shop/frontend shop/cart since 1h", "why shop/frontend shop/cart since 1h"),
    "look back in words": (
        "why shop/frontend shop/cart in the last 30 minutes",
        "why shop/frontend shop/cart since 30m",
    ),
    "sentence": ("why can't shop/frontend reach shop/cart on 8080?", "why shop/frontend shop/cart 8080"),
    "smart quotes": ("why can’t “shop/frontend” reach ‘shop/cart’ on 8080?", "why shop/frontend shop/cart 8080"),
    "back-ticks": ("why can't `shop/frontend` reach `shop/cart:8080`", "why shop/frontend shop/cart 8080"),
    "can they": ("can payments/checkout talk to api.stripe.com:443?", "why payments/checkout api.stripe.com 443"),
    "Slack's link": (
        "can payments/checkout talk to <http://api.stripe.com|api.stripe.com>:443?",
        "why payments/checkout api.stripe.com 443",
    ),
    "Slack's link with a port": (
        "can payments/checkout talk to <http://api.stripe.com:443|api.stripe.com:443>?",
        "why payments/checkout api.stripe.com 443",
    ),
    "Slack's bare link": (
        "why payments/checkout <https://api.stripe.com>",
        "why payments/checkout api.stripe.com 443",
    ),
    "URL with a path": (
        "why payments/checkout https://api.stripe.com/v1/x",
        "why payments/checkout api.stripe.com 443",
    ),
    "Slack's mention": ("<@U012ABC> why shop/frontend shop/cart", "why shop/frontend shop/cart"),
    "Slack's escapes": ("why shop/frontend -&gt; shop/cart", "why shop/frontend shop/cart"),
    "passive": ("is shop/cart reachable from shop/frontend?", "why shop/frontend shop/cart"),
    "by": ("why can shop/cart not be reached by shop/frontend", "why shop/frontend shop/cart"),
    "capitals": ("Why Shop/Frontend Shop/Cart", "why shop/frontend shop/cart"),
    "identity by number": ("identity 50404", "identity 50404"),
    "node-local identity": ("identity 16777217", "identity 16777217"),
    "identity of an endpoint": ("identity shop/frontend", "identity shop/frontend"),
    "policies of a namespace": ("policies shop", "policies shop"),
    "policies of an endpoint": ("policies shop/deploy/cart", "policies shop/deploy/cart"),
    "drops everywhere": ("drops", "drops"),
    "drops of a namespace since": ("drops shop since 2h", "drops shop since 2h"),
    "drops of an endpoint": ("drops shop/cart fresh", "drops shop/cart"),
    "health": ("health", "health"),
    "health of a node": ("health node/worker-1", "health worker-1"),
}

NOT_UNDERSTOOD = {
    "nothing": "",
    "blank": " \t ",
    "chat": "hello there",
    "one end": "why shop/frontend",
    "three ends": "why shop/a shop/b shop/c",
    "two identities": "identity 1 2",
    "no identity": "identity",
    "no policies": "policies",
    "two drops": "drops shop payments",
    "two nodes": "health a b",
    "control characters": "\x00\x07\x1b[31m",
    "slashes": "//// ////",
    "endless": "why " + "x" * 100_000,
    "endless words": "why " + "shop/a " * 10_000,
    "right-to-left override": "why \u202eshop/a",
    "huge number": "identity " + "9" * 5_000,
}


@pytest.mark.parametrize(("text", "normal"), UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_words_make_the_question(text: str, normal: str) -> None:
    assert str(understand(text)) == normal


@pytest.mark.parametrize("normal", sorted({normal for _, normal in UNDERSTOOD.values()}))
def test_the_normal_form_asks_the_same_again(normal: str) -> None:
    assert str(understand(normal)) == normal
    assert understand(understand(normal).__str__()).question == understand(normal).question


@pytest.mark.parametrize("text", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD.keys())
def test_nonsense_gets_help_and_no_exception(text: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        understand(text)
    assert caught.value.problem
    assert caught.value.usage or caught.value.suggestions


LEFT_OVER = {
    "a port behind a namespace": ("changes shop:8080", "shop:8080"),
    "a port behind an endpoint that has none": ("audit shop/cart:80", "shop/cart:80"),
    "a second namespace": ("audit shop payments", "payments"),
    "a second span": ("l7 shop/cart since 5m 6m", "6m"),
    "a span behind another question's": ("lint shop since 5m 1h", "1h"),
}


@pytest.mark.parametrize(("text", "word"), LEFT_OVER.values(), ids=LEFT_OVER.keys())
def test_a_word_left_over_is_named_as_it_was_typed(text: str, word: str) -> None:
    with pytest.raises(NotUnderstoodError, match=f"“{word}”"):
        understand(text)


@pytest.mark.parametrize("text", ["why shop/a shop/b fresh", "fresh drops shop"[6:] + " fresh", "health fresh"])
def test_fresh_is_seen_and_is_no_part_of_the_question(text: str) -> None:
    asked = understand(text)
    assert asked.fresh
    assert "fresh" not in str(asked)


@given(st.text(max_size=300))
def test_any_text_is_a_question_or_is_refused(text: str) -> None:
    for start in ("", *CATALOGUE.commands):
        try:
            asked = understand(f"{start} {text}")
        except NotUnderstoodError:
            continue
        assert understand(str(asked)).question == asked.question


_NAME = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)


@given(_NAME, _NAME, _NAME, _NAME, st.integers(1, 65_535), st.sampled_from(["", "/TCP", "/UDP", "/SCTP"]))
def test_whatever_the_names_the_normal_form_holds(
    one: str, two: str, three: str, four: str, port: int, protocol: str
) -> None:
    # A first part of "node" is a node, whatever follows.
    if {one, three} & {"node", "nodes", "no"}:
        return
    normal = f"why {one}/{two} {three}/{four} {port}{protocol}"
    assert str(understand(normal)) == normal


_SPOKEN = sorted({word for table in LANGUAGES.values() for words in table.values() for word in words.split()})
_WORDS = st.one_of(
    st.sampled_from(_SPOKEN),
    st.sampled_from(
        ["shop/cart", "loadgen", "cart.shop:8080", "10.0.0.1", "8080", "53/udp", "503", "world", "node/n1"]
    ),
    st.sampled_from(
        ["since", "2h", "http", "GET", "/x", "-n", "fresh", "KELVIN\u212a", "\u017fhop/cart", "drops", "identity"]
    ),
)


@given(st.lists(_WORDS, min_size=1, max_size=12).map(" ".join))
def test_any_sentence_of_known_words_is_a_question_that_reads_back_or_is_refused(text: str) -> None:
    try:
        asked = understand(text)
    except NotUnderstoodError as refused:
        for suggestion in refused.suggestions:
            assert str(understand(suggestion)) == suggestion
        return
    assert understand(str(asked)).question == asked.question
