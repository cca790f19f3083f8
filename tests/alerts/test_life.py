"""The life of a card, told as what alerts say minute by minute."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.alerts.alert import State
from handlers.alerts.cards import Card, cards_of
from handlers.alerts.counted import MOST_SEEN
from handlers.alerts.life import (
    Diagnosis,
    Fix,
    KeptCard,
    Stage,
    asked,
    diagnosed,
    fixed,
    is_to_be_asked,
    lapsed,
    not_diagnosed,
    told,
)
from handlers.alerts.received import of_document
from handlers.alerts.severity import Severity
from handlers.model.finding import Sentence
from tests.alerts.payloads import alert, attachment, kubernetes_event, webhook

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PAIR = {"source": "shop/loadgen", "destination": "shop/cart", "reason": "POLICY_DENIED"}
BLOCKED = Sentence("blocked", {})


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def drops(number: int = 1, status: str = "firing", started: str = "2026-11-21T12:00:00Z", **labels: str) -> Any:
    told_by = alert("HubblePolicyDenied", status, **{**PAIR, "instance": f"10.0.0.{number}", **labels})
    return {**told_by, "fingerprint": f"{number:016x}", "startsAt": started}


def news(*alerts: Any) -> Card:
    (card,) = cards_of(of_document(webhook(*alerts)))
    return card


def life(*steps: tuple[float, Card]) -> KeptCard:
    kept: KeptCard | None = None
    for minutes, card in steps:
        kept = told(kept, card, at(minutes))
    assert kept is not None
    return kept


def an_answer(minutes: float) -> Diagnosis:
    return Diagnosis("why shop/loadgen shop/cart", "Blocked at ingress", "bad", BLOCKED, (), at(minutes))


FIRES, ENDS = news(drops()), news(drops(status="resolved"))

COURSES = [
    pytest.param([(0, FIRES)], (Stage.FIRING, 1, 1), id="it fires"),
    pytest.param([(0, FIRES), (1, FIRES), (2, FIRES)], (Stage.FIRING, 1, 1), id="a delivery is repeated"),
    pytest.param([(0, FIRES), (1, news(drops(2)))], (Stage.FIRING, 2, 1), id="another alert of the cause"),
    pytest.param([(0, FIRES), (5, ENDS)], (Stage.RESOLVED, 1, 1), id="it is resolved"),
    pytest.param([(0, FIRES), (5, ENDS), (6, ENDS)], (Stage.RESOLVED, 1, 1), id="resolved is repeated"),
    pytest.param([(0, FIRES), (5, ENDS), (6, FIRES)], (Stage.RESOLVED, 1, 1), id="a firing comes late"),
    pytest.param(
        [(0, news(drops(), drops(2))), (5, ENDS)], (Stage.FIRING, 2, 1), id="one of two is resolved: it still fires"
    ),
    pytest.param(
        [(0, news(drops(), drops(2))), (5, ENDS), (6, news(drops(2, "resolved")))],
        (Stage.RESOLVED, 2, 1),
        id="both of two are resolved",
    ),
    pytest.param(
        [(0, FIRES), (5, ENDS), (30, news(drops(started="2026-11-21T12:30:00Z")))],
        (Stage.FIRING, 2, 2),
        id="it fires again within a while: the same card",
    ),
    pytest.param(
        [(0, FIRES), (5, ENDS), (500, news(drops(started="2026-11-21T20:20:00Z")))],
        (Stage.FIRING, 1, 1),
        id="it fires again the next day: a new card",
    ),
    pytest.param(
        [(0, FIRES), (1, news(drops(started="2026-11-21T12:01:00Z"))), (2, ENDS)],
        (Stage.RESOLVED, 2, 1),
        id="resolved ends an alert whenever it is said to have started",
    ),
]


@pytest.mark.parametrize(("steps", "expected"), COURSES)
def test_a_card_lives(steps: list[tuple[float, Card]], expected: tuple[Stage, int, int]) -> None:
    kept = life(*steps)
    assert (kept.stage, kept.count, kept.fired) == expected


@pytest.mark.parametrize(
    "card",
    [
        pytest.param(ENDS, id="resolved, and never told before"),
        pytest.param(news(alert("Watchdog")), id="not about the network"),
    ],
)
def test_nothing_is_kept(card: Card) -> None:
    assert told(None, card, START) is None


def test_a_message_in_words_is_ended_by_its_resolved_one() -> None:
    firing = cards_of(of_document(attachment("[FIRING:1] HubblePolicyDenied (shop/loadgen shop/cart)")))
    ended = cards_of(of_document(attachment("[RESOLVED] HubblePolicyDenied (shop/loadgen shop/cart)", color="good")))
    kept = told(None, firing[0], START)
    assert kept is not None
    after = told(kept, ended[0], at(3))
    assert after is not None
    assert (firing[0].fingerprint == ended[0].fingerprint, after.stage) == (True, Stage.RESOLVED)


def test_an_exact_end_ends_what_was_written_too() -> None:
    written = cards_of(of_document(attachment("[FIRING:1] HubblePolicyDenied (shop/loadgen shop/cart)")))[0]
    both = life((0, FIRES), (1, Card(**{**_fields(written), "fingerprint": FIRES.fingerprint})), (9, ENDS))
    assert (both.count, both.stage, both.lasted(at(99))) == (2, Stage.RESOLVED, timedelta(minutes=9))


def _fields(card: Card) -> dict[str, Any]:
    return {name: getattr(card, name) for name in card.__dataclass_fields__}


def test_an_answer_makes_it_diagnosed_and_a_later_alert_says_that_it_still_fails() -> None:
    kept = diagnosed(life((0, FIRES)), an_answer(1))
    soon, later = told(kept, FIRES, at(5)), told(kept, FIRES, at(12))
    assert soon is not None
    assert later is not None
    assert (kept.stage, soon.stage, later.stage) == (Stage.DIAGNOSED, Stage.DIAGNOSED, Stage.STILL_FAILING)
    assert (later.first_at, later.last_at) == (at(0), at(12))


def test_a_fix_stands_until_it_is_told_that_it_still_fails() -> None:
    kept = fixed(diagnosed(life((0, FIRES)), an_answer(1)), Fix("kubectl-edit of shop/cart at 12:02", at(2)))
    soon, later = told(kept, FIRES, at(3)), told(kept, FIRES, at(13))
    assert soon is not None
    assert later is not None
    assert (soon.stage, later.stage) == (Stage.FIXED, Stage.STILL_FAILING)


def test_an_answer_that_comes_after_the_end_leaves_it_resolved() -> None:
    assert diagnosed(life((0, FIRES), (1, ENDS)), an_answer(2)).stage is Stage.RESOLVED


def test_no_answer_says_why_and_keeps_the_earlier_one() -> None:
    kept = not_diagnosed(diagnosed(life((0, FIRES)), an_answer(1)), "I gave up after 40 s.")
    assert (kept.failure, kept.diagnosis) == ("I gave up after 40 s.", an_answer(1))


def test_its_question_is_asked_at_once_and_again_ever_later_as_long_as_it_is_told() -> None:
    kept = life((0, FIRES))
    asked_at = []
    for minute in range(0, 12 * 60, 5):
        kept = told(kept, FIRES, at(minute)) or kept
        if is_to_be_asked(kept, at(minute)):
            kept = asked(kept, at(minute))
            asked_at.append(minute)
    assert asked_at == [0, 15, 45, 105, 225, 465]


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(life((0, FIRES), (1, ENDS)), id="resolved"),
        pytest.param(life((0, news(alert("KubePodNotReady", namespace="shop")))), id="in doubt"),
        pytest.param(fixed(life((0, FIRES)), Fix("x", at(1))), id="fixed"),
    ],
)
def test_no_question_is_asked(kept: KeptCard) -> None:
    assert not is_to_be_asked(kept, at(90))


def test_more_alerts_than_are_told_apart_stay_bounded() -> None:
    many = of_document(webhook(*(drops(number) for number in range(MOST_SEEN + 500))))
    kept = told(None, cards_of(many)[0], START)
    assert kept is not None
    assert (kept.count, kept.is_counted_whole, len(kept.seen), len(kept.firing)) == (MOST_SEEN, False, 2000, 2000)


WRITTEN = cards_of(of_document(attachment("[FIRING:1] HubblePolicyDenied (shop/cart POLICY_DENIED shop/loadgen)")))[0]
DROPPED = "Incoming packet dropped (policy_denied) from shop/loadgen TCP 8080."
EVENT = cards_of(of_document(kubernetes_event("PacketDrop", DROPPED, namespace="shop", name="cart-0")))[0]


@pytest.mark.parametrize(
    ("card", "still", "over"),
    [
        pytest.param(EVENT, 59, 61, id="an event of Kubernetes, after an hour"),
        pytest.param(WRITTEN, 359, 361, id="a message, after six"),
        pytest.param(FIRES, 25 * 60, 27 * 60, id="a webhook's alert, after more than a day"),
    ],
)
def test_an_alert_of_which_nobody_tells_any_more_lapses(card: Card, still: float, over: float) -> None:
    kept = life((0, card))
    gone = lapsed(kept, at(over))
    assert (lapsed(kept, at(still)), gone.stage, gone.has_lapsed) == (kept, Stage.RESOLVED, True)
    again = told(gone, card, at(over + 600))
    assert again is not None
    assert (again.stage, again.fired, again.first_at) == (Stage.FIRING, 2, at(0))


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        pytest.param({"severity": "critical"}, Severity.CRITICAL, id="critical"),
        pytest.param({"severity": "page"}, Severity.CRITICAL, id="a page"),
        pytest.param({"priority": "P3"}, Severity.WARNING, id="Opsgenie's P3"),
        pytest.param({"severity": "none"}, Severity.INFO, id="none"),
        pytest.param({}, Severity.UNSAID, id="unsaid"),
        pytest.param({"severity": "purple"}, Severity.UNSAID, id="a word of nobody's"),
    ],
)
def test_severity_is_read(labels: dict[str, str], severity: Severity) -> None:
    told_by = alert("HubblePolicyDenied", **PAIR, **labels)
    assert life((0, news(told_by))).severity is severity


def test_the_most_urgent_alert_counts() -> None:
    kept = life((0, news(drops(severity="warning"))), (1, news(drops(2, severity="critical"))))
    assert kept.severity is Severity.CRITICAL


def test_where_it_is_can_be_told() -> None:
    kept = life((0, news(drops(cluster="prod"))))
    assert (kept.cluster, kept.namespaces, kept.names) == ("prod", ("shop",), ("HubblePolicyDenied",))


TOLD = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(["firing", "resolved"]), st.integers(0, 2)), min_size=1, max_size=8
)
"""Deliveries: which alert, how it stands, and which of its starts."""


def fate(steps: list[tuple[float, Card]]) -> tuple[object, ...]:
    kept: KeptCard | None = None
    for minutes, card in steps:
        kept = told(kept, card, at(minutes))
    return () if kept is None else (kept.is_open, kept.count, kept.fired, set(kept.firing), kept.resolved_at)


@settings(max_examples=30)
@given(TOLD, st.randoms(use_true_random=False))
def test_deliveries_that_are_repeated_change_nothing(told_of: list[tuple[int, str, int]], chance: Random) -> None:
    """A sender repeats what was not acknowledged: at once, or when it has sent other things already."""
    deliveries = [news(drops(number, status, f"2026-11-21T1{start}:00:00Z")) for number, status, start in told_of]
    once = [(float(minute), delivery) for minute, delivery in enumerate(deliveries)]
    again: list[tuple[float, Card]] = []
    for minute, delivery in once:
        late = [one for one in deliveries[: int(minute)] if one.state is State.FIRING]
        again += [(minute, delivery)] * 2 + [(minute, one) for one in late if chance.random() < 0.3]
    assert fate(again) == fate(once)
