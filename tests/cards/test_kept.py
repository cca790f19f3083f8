"""Cards are taken in and kept: the same whoever takes them, however often, and however many at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.cards.cards import Cards, NotKeptError, Taken
from bot.cards.kept import KeptCards
from bot.cards.outbox import STORM, Item, Outbox
from bot.cards.place import CardRef, Place
from bot.cards.questions import MOST_AT_ONCE
from handlers.alerts.life import Stage, acknowledged
from handlers.alerts.received import of_document
from tests.alerts.payloads import alert, attachment, webhook

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HERE = Place("T1", "C1")


def drops(destination: str = "cart", number: int = 1, status: str = "firing", severity: str = "warning") -> Any:
    labels = {"source": "shop/loadgen", "destination": f"shop/{destination}", "severity": severity}
    told = alert("HubblePolicyDenied", status, reason="POLICY_DENIED", **labels, instance=str(number))
    return {**told, "fingerprint": f"{destination}{number}"}


def taken(cards: Cards, *alerts: Any, place: Place = HERE) -> Taken:
    return cards.take(of_document(webhook(*alerts)), place)


def to_be_shown(cards: Cards) -> Iterator[Item]:
    outbox = cards.kept.outbox
    while (item := outbox.take(HERE, NOON + timedelta(minutes=1))) is not None:
        outbox.done(HERE)
        yield item


@pytest.fixture
def cards(redis: Redis) -> Cards:
    return Cards(KeptCards(redis), now=lambda: NOON)


def test_alerts_of_one_cause_are_one_card(cards: Cards) -> None:
    assert taken(cards, drops(number=1), drops(number=2), alert("Watchdog")) == Taken(cards=1, silent=1)
    (entry,) = cards.of(HERE)
    assert (entry.card.count, entry.card.stage, entry.card.asks) == (2, Stage.FIRING, 1)


def test_a_delivery_that_is_repeated_changes_nothing(cards: Cards) -> None:
    taken(cards, drops())
    before = cards.of(HERE)
    taken(cards, drops())
    assert cards.of(HERE) == before


def test_many_processes_that_take_the_same_at_once_count_it_once(cards: Cards) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: taken(cards, drops(number=number % 10)), range(40)))
    (entry,) = cards.of(HERE)
    assert (entry.card.count, entry.card.asks, cards.kept.questions.waiting()) == (10, 1, 1)


def test_each_channel_has_a_card_of_its_own(cards: Cards) -> None:
    other = Place("T1", "C2")
    for place in (HERE, other):
        taken(cards, drops(), place=place)
    (entry,) = cards.of(other)
    cards.change(CardRef(other, entry.card.fingerprint), lambda card: acknowledged(card, "U1"))
    assert [one.card.acknowledged_by for place in (HERE, other) for one in cards.of(place)] == [(), ("U1",)]


def test_an_edited_message_is_the_message_that_it_was(cards: Cards) -> None:
    for status, colour in (("FIRING:1", "danger"), ("RESOLVED", "good")):
        said = of_document(attachment(f"[{status}] HubblePolicyDenied (shop/loadgen shop/cart)", color=colour))
        cards.take(said, HERE, delivery="1763736000.000100")
    (entry,) = cards.of(HERE)
    assert (entry.card.stage, entry.card.count) == (Stage.RESOLVED, 1)


def test_what_is_urgent_is_shown_and_asked_first(cards: Cards) -> None:
    taken(cards, drops("cart", severity="warning"), drops("pay", severity="critical"), drops("log", severity="info"))
    names = {entry.card.fingerprint: entry.card.severity for entry in cards.of(HERE)}
    shown = list(to_be_shown(cards))
    asked = [ref for ref in (cards.kept.questions.take(NOON) for _ in range(4)) if ref]
    assert [names.get(item.fingerprint) for item in shown] == ["critical", "warning", "info", None]
    assert [names[ref.fingerprint] for ref in asked] == ["critical", "warning", "info"]


def test_only_a_few_questions_are_asked_at_once(cards: Cards) -> None:
    taken(cards, *(drops(f"app{number}") for number in range(9)))
    questions = cards.kept.questions
    asked = [ref for ref in (questions.take(NOON) for _ in range(9)) if ref]
    assert (len(asked), questions.waiting()) == (MOST_AT_ONCE, 9 - MOST_AT_ONCE)
    questions.answered(asked[0])
    assert questions.take(NOON) is not None
    assert questions.take(NOON) is None


def test_a_question_that_nobody_answers_makes_room_and_is_told(cards: Cards) -> None:
    taken(cards, *(drops(f"app{number}") for number in range(MOST_AT_ONCE + 1)))
    questions = cards.kept.questions
    asked = {questions.take(NOON) for _ in range(MOST_AT_ONCE)}
    later = NOON + timedelta(minutes=10)
    assert set(questions.overdue(later)) == asked
    assert questions.take(later) is not None


def test_what_changes_twice_before_it_is_shown_is_shown_once(cards: Cards) -> None:
    taken(cards, drops(number=1))
    taken(cards, drops(number=2))
    (entry,) = cards.of(HERE)
    assert list(to_be_shown(cards)) == [Item.card(entry.card.fingerprint), STORM]
    assert cards.kept.outbox.due(NOON + timedelta(minutes=1)) == ()


def test_what_a_lost_process_had_in_hand_comes_first(cards: Cards) -> None:
    taken(cards, drops("cart"), drops("pay"))
    in_hand = cards.kept.outbox.take(HERE, NOON)
    assert cards.kept.outbox.take(HERE, NOON) == in_hand


def test_one_process_has_the_turn_of_a_channel(redis: Redis) -> None:
    mine, other = Outbox(redis), Outbox(redis)
    assert [mine.has_turn(HERE, "a"), other.has_turn(HERE, "b")] == [True, False]
    assert other.has_turn(Place("T1", "C2"), "b")
    mine.give_turn(HERE)
    assert other.has_turn(HERE, "b")


def test_of_more_causes_than_are_kept_it_is_said_how_many(redis: Redis) -> None:
    cards = Cards(KeptCards(redis, most=2))
    assert taken(cards, *(drops(f"app{number}") for number in range(3))) == Taken(cards=2, left_out=1)
    assert cards.kept.is_full(HERE)


def test_everything_that_is_kept_expires(cards: Cards, redis: Redis) -> None:
    taken(cards, drops())
    cards.kept.questions.take(NOON)
    taken(cards, drops("pay"))
    assert {str(key): redis.ttl(key) > 0 for key in redis.scan_iter("*")} == dict.fromkeys(map(str, redis.keys()), True)


def test_without_redis_nobody_says_that_it_was_taken() -> None:
    with Redis(port=1, retry=Retry(NoBackoff(), 0)) as gone, pytest.raises(NotKeptError):
        taken(Cards(KeptCards(gone)), drops())
