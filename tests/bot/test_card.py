"""How cards look: state and verdict first, one grey line last, and no harm in somebody else's words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.render.blocks import Message
from bot.render.card import card_message, diagnosis_of, storm_message
from handlers.alerts.life import Diagnosis, Fix, KeptCard, Line, Stage
from handlers.alerts.severity import Severity
from handlers.alerts.signal import Decision
from handlers.alerts.storm import FEW, Span, Storm, storm_of
from handlers.model.finding import Sentence
from tests.bot.samples import blocked_on_both_sides, open_and_seen

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOSTILE = "<!channel> <@U1> <https://evil.example|here> `x` *b* ~s~ &amp; @here\n> quote\r\u202eevil\u2066 ```"


def card(**others: object) -> KeptCard:
    blank = KeptCard(
        fingerprint="f1",
        title="shop/loadgen → shop/cart: packets are denied by policy",
        reason="packets are dropped: policy is the first suspect",
        decision=Decision.TRIAGE,
        severity=Severity.CRITICAL,
        cluster="prod",
        namespaces=("shop",),
        names=("HubblePolicyDenied",),
        questions=("why shop/loadgen shop/cart", "drops shop/cart"),
        stage=Stage.FIRING,
        first_at=NOON,
        fired_at=NOON,
        last_at=NOON,
        count=1,
    )
    return replace(blank, **others)  # type: ignore[arg-type]


BLOCKED = diagnosis_of(blocked_on_both_sides(), "r1", NOON, "prod")
OPEN = diagnosis_of(open_and_seen(), "r2", NOON, "prod")


def first_line(message: Message) -> str:
    return str(message.blocks[0]["text"]["text"]).splitlines()[0]


@pytest.mark.parametrize(
    ("kept", "line"),
    [
        pytest.param(card(), "🔔 *Firing:*", id="firing"),
        pytest.param(card(waits=True, asks=1), "🔔 *Firing:*", id="being looked into"),
        pytest.param(card(stage=Stage.DIAGNOSED, diagnosis=BLOCKED), "⛔ *Firing:*", id="blocked"),
        pytest.param(card(stage=Stage.DIAGNOSED, diagnosis=OPEN), "🟢 *Firing:*", id="open"),
        pytest.param(card(stage=Stage.STILL_FAILING, diagnosis=BLOCKED), "⛔ *Still failing:*", id="still failing"),
        pytest.param(card(stage=Stage.FIXED, diagnosis=BLOCKED, fix=Fix("by x", NOON)), "🛠️ *Fixed:*", id="fixed"),
        pytest.param(
            card(stage=Stage.RESOLVED, diagnosis=BLOCKED, resolved_at=NOON + timedelta(minutes=75)),
            "✅ *Resolved after 1 h 15 min:*",
            id="resolved",
        ),
    ],
)
def test_the_first_line_says_how_it_stands(kept: KeptCard, line: str) -> None:
    shown = card_message(kept)
    assert first_line(shown) == f"{line} shop/loadgen → shop/cart: packets are denied by policy"
    assert shown.text.endswith("packets are denied by policy") or "–" in shown.text


@pytest.mark.parametrize(
    ("name", "title", "line"),
    [
        ("CartLatencyHigh", "shop/cart: Cart Latency High", "❔ shop/cart: Cart Latency High"),
        ("CartSlow", "shop/cart: is not ready", "❔ CartSlow – shop/cart: is not ready"),
    ],
)
def test_what_is_offered_is_named_once(name: str, title: str, line: str) -> None:
    assert first_line(card_message(card(names=(name,), title=title, decision=Decision.ASK))) == line


def test_a_diagnosed_card_has_verdict_reason_fix_and_buttons() -> None:
    shown = card_message(card(stage=Stage.DIAGNOSED, diagnosis=BLOCKED), "T1:C1:f1")
    opening, body, buttons, grey = shown.blocks
    assert "*Blocked at egress:* `shop/loadgen` → `payments/checkout-api`" in opening["text"]["text"]
    assert [line.partition(":*")[0] for line in body["text"]["text"].splitlines()][:2] == ["*Why", "*Also at ingress"]
    assert [(one["action_id"], one["value"]) for one in buttons["elements"]] == [
        ("patch", "r1"),
        ("evidence", "r1"),
        ("card_check", "T1:C1:f1"),
    ]
    assert grey["elements"][0]["text"] == "critical · 1 alert: HubblePolicyDenied · first 12:00 UTC"


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        pytest.param(card(count=7, last_at=NOON + timedelta(minutes=9)), "7 alerts", id="how many"),
        pytest.param(card(last_at=NOON + timedelta(minutes=9)), "first 12:00, last 12:09 UTC", id="when"),
        pytest.param(card(fired=3), "fired 3 times", id="how often it fired"),
        pytest.param(card(asks=2), "checked 2 times", id="how often it was looked into"),
        pytest.param(card(cut_off=40), "40 more cut off by their sender", id="what was cut off"),
        pytest.param(card(count=2_000, seen=("x",) * 2_000), "2,000+ alerts", id="more than are counted"),
    ],
)
def test_the_grey_line_says(kept: KeptCard, words: str) -> None:
    assert words in str(card_message(kept).blocks[-1])


def test_no_answer_is_said_beside_the_earlier_one() -> None:
    shown = str(card_message(card(diagnosis=BLOCKED, stage=Stage.DIAGNOSED, failure="The worker went away.")).blocks)
    assert "⚠️ *Not diagnosed:* The worker went away." in shown
    assert "Blocked at egress" in shown


@pytest.mark.parametrize(
    ("looked_at", "note"),
    [
        pytest.param("prod", "", id="the alert's own"),
        pytest.param("", "`prod`; CILIUM_TRIAGE_CLUSTER does not name what was looked at.", id="one without a name"),
        pytest.param("lab", "`prod`; looked at is `lab`.", id="another"),
    ],
)
def test_where_another_cluster_may_have_been_looked_at_the_card_says_so(looked_at: str, note: str) -> None:
    found = replace(BLOCKED, cluster=looked_at)
    shown = str(card_message(card(stage=Stage.DIAGNOSED, diagnosis=found)).blocks)
    assert ("*Note:*" in shown, note in shown) == (bool(note), True)


def hostile(words: str) -> list[Message]:
    sentence = Sentence("{a}", {"a": words})
    found = Diagnosis(words, words, "bad", sentence, (Line("Why", sentence),), NOON, report_id="r")
    kept = card(
        title=words,
        names=(words,),
        reason=words,
        failure=words,
        diagnosis=found,
        questions=(words,),
        stage=Stage.DIAGNOSED,
        waits=True,
        fix=Fix(words, NOON),
    )
    fixed, offered = replace(kept, stage=Stage.FIXED), replace(kept, decision=Decision.ASK)
    storm = Storm(Span(NOON, NOON), (kept,) * (FEW + 1), 2, 90)
    return [card_message(kept), card_message(fixed), card_message(offered), storm_message(storm)]


def mrkdwn(block: object) -> list[str]:
    if isinstance(block, dict):
        own = [block["text"]] if block.get("type") == "mrkdwn" else []
        return own + [text for value in block.values() for text in mrkdwn(value)]
    return [text for item in block for text in mrkdwn(item)] if isinstance(block, list | tuple) else []


@settings(max_examples=25)
@example(HOSTILE)
@given(st.text(max_size=60))
def test_hostile_words_do_nothing(words: str) -> None:
    for shown in hostile(words):
        for text in (shown.text, *mrkdwn(list(shown.blocks))):
            assert "<" not in text
            assert ">" not in text
            assert "\r" not in text
            assert not set(text) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200f\x1b")
            assert text.count("`") % 2 == 0


def test_hostile_words_make_no_markup_of_their_own() -> None:
    for shown in hostile(HOSTILE):
        for text in mrkdwn(list(shown.blocks)):
            words = "".join(text.split("`")[::2])
            assert "*b*" not in words
            assert "~s~" not in words


@pytest.mark.parametrize("length", [1, 500, 4_000])
def test_a_card_of_any_length_is_within_slacks_limits(length: int) -> None:
    for shown in hostile("<" * length):
        assert len(shown.text) <= 4_000
        assert all(len(text) <= 3_000 for text in mrkdwn(list(shown.blocks)))


def causes(*counts: int, apart: float = 1) -> list[KeptCard]:
    return [
        card(fingerprint=str(number), count=count, fired_at=NOON + timedelta(minutes=number * apart))
        for number, count in enumerate(counts)
    ]


def test_a_few_cards_are_no_storm() -> None:
    assert storm_of(causes(*[100] * FEW)) is None


def test_cards_that_come_one_after_the_other_are_no_storm() -> None:
    assert storm_of(causes(*[100] * 20, apart=11)) is None


def test_a_storm_is_led_by_the_causes_that_explain_most() -> None:
    storm = storm_of(causes(30, 400, 20, 340, 10, 150, 10, 10, 10, 10, 5, 5))
    assert storm is not None
    assert (storm.leading, storm.share, storm.alerts) == (4, 92, 1_000)
    assert [one.count for one in storm.cards][:3] == [400, 340, 150]


def test_a_storm_stays_one_when_its_cards_go() -> None:
    many = causes(*[10] * 8)
    storm = storm_of(many)
    assert storm is not None
    left = storm_of(many[2:4], storm.span)
    assert left is not None
    assert (left.span.since, len(left.cards)) == (NOON, 2)


def test_later_cards_belong_to_it_while_they_come_soon() -> None:
    many = causes(*[10] * 8)
    storm = storm_of(many[:5])
    assert storm is not None
    grown = storm_of(many, storm.span)
    assert grown is not None
    assert (grown.span.since, len(grown.cards)) == (NOON, 8)


def test_another_storm_has_a_summary_of_its_own() -> None:
    early, late = causes(*[10] * 6), causes(*[10] * 6)
    hours = timedelta(hours=5)
    late = [replace(one, fingerprint=f"late{one.fingerprint}", fired_at=one.fired_at + hours) for one in late]
    first = storm_of(early)
    assert first is not None
    second = storm_of([*early, *late], first.span)
    assert second is not None
    assert second.span.since == NOON + hours


def test_the_summary_says_how_few_explain_how_much() -> None:
    storm = storm_of(causes(500, 240, 200, 10, 10, 10, 10, 10, 5, 5))
    assert storm is not None
    shown = storm_message(storm)
    assert shown.text == "3 causes explain 94 % of 1,000 alerts"
    assert "10 causes since 12:00 UTC" in str(shown.blocks[-1])


def test_where_no_cause_leads_the_summary_counts() -> None:
    storm = storm_of(causes(*[10] * 8))
    assert storm is not None
    shown = storm_message(storm, is_full=True)
    assert shown.text == "8 causes explain 80 alerts"
    assert "further causes had no room" in str(shown.blocks[-1])
