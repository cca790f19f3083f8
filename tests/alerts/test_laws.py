"""Laws of alerts: whatever is received, nothing is raised but one error, and what is asked can be asked."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.alerts.alert import MOST_ALERTS, NotAnAlertError, Received, State
from handlers.alerts.cards import Card, cards_of
from handlers.alerts.known import KNOWN
from handlers.alerts.questions import MOST_QUESTIONS, normal_form
from handlers.alerts.received import MOST_BYTES, of_document, received
from handlers.alerts.signal import Decision
from handlers.catalogue import CATALOGUE
from tests.alerts.payloads import Json, alert, packed, webhook
from tests.alerts.rows import ROWS
from tests.sampling import examples

_NAMES = sorted({name for entry in KNOWN for name in entry.every_name} | {"Watchdog", "CartIsSlow", "NodeDiskFull"})
_LABELS = (
    "namespace pod deployment statefulset service instance node source destination source_namespace job container to"
    " destination_workload exported_namespace exported_pod reason protocol cluster ingress name prometheus map_name"
).split()
_VALUES = st.one_of(
    st.sampled_from(
        "shop cart shop/cart cart-5d94896484-hfqfl 10.0.0.1 10.0.0.2:53 https://a.example/x reserved:world 50404"
        " monitoring/k8s why 5m since fresh node -n -- ::1 [::1]:53 a|b 99999999999 0 65536 :1 / // world icmp".split()
    ),
    st.text(max_size=40),
)
_KEYS = st.sampled_from(
    """alerts labels annotations status state commonLabels groupLabels truncatedAlerts receiver kind items reason
    message involvedObject type object event text attachments blocks fields title value elements color messages
    fallback subtype
    startsAt data firstTimestamp source name namespace""".split()
) | st.text(max_size=8)
_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(_KEYS, inside, max_size=5),
    max_leaves=25,
)


def asked(cards: tuple[Card, ...]) -> list[str]:
    return [question for card in cards for question in card.questions]


def holds(cards: tuple[Card, ...]) -> None:
    for card in cards:
        assert re.fullmatch(r"[0-9a-f]{16}", card.fingerprint)
        assert card.title.isprintable()
        assert len(card.title) <= 240
        assert card.reason
        assert len(card.questions) <= MOST_QUESTIONS
        assert card.decision is not Decision.IGNORE or not card.questions
    for question in asked(cards):
        assert str(CATALOGUE.understand(question)) == question
        assert question.isascii()


@settings(max_examples=examples(40), deadline=None)
@given(_ANY_JSON)
def test_any_json_gives_cards_or_one_error(document: Any) -> None:
    try:
        found = of_document(document)
    except NotAnAlertError:
        return
    holds(cards_of(found))


@settings(max_examples=examples(40), deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode(errors="replace")))
def test_any_bytes_give_cards_or_one_error(content: bytes) -> None:
    try:
        found = received(content)
    except NotAnAlertError:
        return
    holds(cards_of(found))


@settings(max_examples=examples(40), deadline=None)
@given(st.sampled_from(_NAMES), st.dictionaries(st.sampled_from(_LABELS), _VALUES, max_size=8), st.text(max_size=60))
def test_any_labels_ask_what_can_be_asked(name: str, labels: dict[str, str], words: str) -> None:
    cards = cards_of(of_document(webhook(alert(name, annotations={"description": words}, **labels))))
    assert cards
    holds(cards)


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS if isinstance(row.payload, dict)])
def test_the_order_of_fields_says_nothing(row: Any) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(one) for one in value] if isinstance(value, list) else value

    assert fingerprints(row.payload) == fingerprints(turned(row.payload))


def fingerprints(payload: Json) -> list[str]:
    return [card.fingerprint for card in cards_of(received(packed(payload)))]


def test_resolved_is_the_same_cause() -> None:
    labels = {"namespace": "shop", "pod": "cart-5d94896484-hfqfl"}
    firing, resolved = (
        cards_of(of_document(webhook(alert("KubePodNotReady", status, **labels)))) for status in ("firing", "resolved")
    )
    assert (firing[0].state, resolved[0].state) == (State.FIRING, State.RESOLVED)
    assert firing[0].fingerprint == resolved[0].fingerprint


def test_what_was_cut_off_is_named() -> None:
    cards = cards_of(of_document(webhook(alert("KubeNodeNotReady", node="lab-node-1"), truncatedAlerts=988)))
    assert "988 more alerts of the group were cut off" in cards[0].reason


def test_more_alerts_than_are_read_are_counted_as_cut_off() -> None:
    found = of_document(webhook(*[alert("Watchdog")] * (MOST_ALERTS + 7)))
    assert (len(found.alerts), found.cut_off) == (MOST_ALERTS, 7)


def test_a_storm_is_as_many_cards_as_causes() -> None:
    workloads = [f"app-{number}" for number in range(12)]
    pods = [f"{workload}-5d94896484-{suffix}" for workload in workloads for suffix in ("hfqfl", "zzzzz", "bcdfg")]
    storm = [alert("KubePodNotReady", namespace="shop", pod=pods[number % len(pods)]) for number in range(1000)]
    cards = cards_of(of_document(webhook(*storm)))
    assert len(cards) == 12
    assert sum(len(card.alerts) for card in cards) == 1000


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"foo": 1}', id="an object of another kind"),
        pytest.param(b"[1, 2]", id="a list of numbers"),
        pytest.param(b"{", id="half a document"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"hello everybody", id="words that ask nothing"),
        pytest.param(b" " * 20_000, id="blanks alone"),
        pytest.param(b"pod " * 5_000, id="a word many times"),
        pytest.param(b'{"kind": "Pod", "metadata": {"name": "x"}}', id="another object of Kubernetes"),
        pytest.param(b"[" * 100_000, id="a deep nest"),
        pytest.param(b" " * (MOST_BYTES + 1), id="more than is read"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_what_is_no_alert_is_refused(content: bytes) -> None:
    with pytest.raises(NotAnAlertError):
        received(content)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        pytest.param("drops shop", "drops shop", id="a namespace"),
        pytest.param("drops 5m", "", id="a namespace that reads as a time"),
        pytest.param("drops fresh", "", id="a namespace that reads as a keyword"),
        pytest.param("why a/b c/d; reboot", "", id="more than names"),
        pytest.param("reboot now", "", id="no command"),
    ],
)
def test_a_question_says_what_was_meant_or_is_left_out(text: str, normal: str) -> None:
    assert normal_form(text) == normal


def test_nothing_received_is_nothing_to_do() -> None:
    assert cards_of(Received(())) == ()
