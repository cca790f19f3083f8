"""No question of a card is forgotten, whoever is lost between the list and the queue."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from bot.cards.asking import GIVEN_UP_AFTER, Asking
from bot.cards.cards import Cards
from bot.cards.kept import KeptCards
from bot.cards.place import CardRef, Place
from bot.cards.questions import LONGEST
from bot.dispatch import Dispatcher, queue_key
from bot.waiters import Waiters
from bot.watch import Watch
from handlers.alerts.life import Diagnosis, KeptCard
from handlers.alerts.received import of_document
from handlers.model.finding import Sentence
from tests.alerts.payloads import alert, webhook
from tools.embedded import EmbeddedRedis

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HERE = Place("T1", "C1")


class Office:
    """One card, and who has its question asked."""

    def __init__(self, redis: Redis, dispatcher: Dispatcher) -> None:
        self.redis = redis
        self.cards = Cards(KeptCards(redis), now=lambda: NOON)
        self.asking = Asking(self.cards, Watch(Waiters(redis), dispatcher))
        self.told("firing")

    def told(self, status: str) -> None:
        ends = {"source": "shop/loadgen", "destination": "shop/cart", "reason": "POLICY_DENIED"}
        self.cards.take(of_document(webhook(alert("HubblePolicyDenied", status, **ends))), HERE)

    def card(self) -> KeptCard:
        (entry,) = self.cards.of(HERE)
        return entry.card

    def ref(self) -> CardRef:
        return CardRef(HERE, self.card().fingerprint)

    def entered(self) -> list[str]:
        return [ticket.text for ticket in Waiters(self.redis).listed()]

    def queued(self) -> int:
        return int(self.redis.llen(queue_key("cilium-triage")))


@pytest.fixture
def office(redis: Redis, redis_server: EmbeddedRedis) -> Iterator[Office]:
    dispatcher = Dispatcher(redis_server.url)
    yield Office(redis, dispatcher)
    dispatcher.close()


def test_a_question_is_entered_once_however_many_processes_go_round(office: Office) -> None:
    for _ in range(3):
        office.asking.ask(NOON)
    assert (office.entered(), office.queued()) == (["why shop/loadgen shop/cart"], 1)


def test_what_a_lost_process_took_off_the_list_is_asked_when_it_is_overdue(office: Office) -> None:
    assert office.cards.kept.questions.take(NOON) is not None  # and here the process was killed
    office.asking.ask(NOON + LONGEST / 2)
    assert office.entered() == []
    office.asking.ask(NOON + LONGEST * 1.1)
    assert office.entered() == ["why shop/loadgen shop/cart"]


def test_a_question_that_is_overdue_stays_one_question(office: Office) -> None:
    office.asking.ask(NOON)
    office.asking.ask(NOON + LONGEST * 1.1)
    assert (len(office.entered()), office.queued()) == (1, 1)


def test_an_answer_that_never_comes_is_said(office: Office) -> None:
    office.asking.ask(NOON)
    office.asking.ask(NOON + GIVEN_UP_AFTER + timedelta(minutes=1))
    assert office.card().failure == "No worker answered; press Check again, or look at the workers."


def test_what_has_its_answer_gives_its_place_away(office: Office) -> None:
    office.asking.ask(NOON)
    words = Sentence("blocked", {})
    office.cards.diagnosed(office.ref(), Diagnosis("why a b", "Blocked", "bad", words, (), NOON))
    assert office.cards.kept.questions.overdue(NOON + timedelta(days=1)) == ()


def test_what_is_over_before_its_turn_is_not_asked(office: Office) -> None:
    office.told("resolved")
    office.asking.ask(NOON)
    assert (office.entered(), office.cards.kept.questions.waiting()) == ([], 0)
