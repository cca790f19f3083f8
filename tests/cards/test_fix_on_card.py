"""A card that proposed a patch says by itself what became of it."""

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from bot.cards.cards import Cards
from bot.cards.kept import KeptCards
from bot.cards.place import CardRef, Place
from bot.fixes.fix_watch import EVERY, LONGEST_SPAN
from bot.fixes.kept import FixWatches
from bot.fixes.of_card import CardWatching
from bot.fixes.telling import Telling
from bot.publish import Publisher
from bot.render.card import card_message
from bot.reports import Reports
from bot.slack_client import slack_client
from bot.surface import Answer
from bot.surfaces.card import CardSurface
from bot.ticket import Address, Ticket
from handlers.alerts.life import KeptCard, Stage
from handlers.alerts.received import of_document
from handlers.model.report import Report
from tests.alerts.payloads import alert, webhook
from tests.fixes.moments import ASKED, WRONG_PORT, A, B, before, denied, edited, opened

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HERE = Place("T1", "C1")


class Watched:
    """A card, its first answer, and answers to what it watches."""

    def __init__(self, redis: Redis) -> None:
        self.at = NOON
        self.cards = Cards(KeptCards(redis), now=lambda: self.at)
        self.watches, self.reports = FixWatches(redis), Reports(redis)
        told = alert("HubblePolicyDenied", "firing", source="shop/frontend", destination="shop/cart")
        self.cards.take(of_document(webhook(told)), HERE)
        self.ref = CardRef(HERE, self.cards.of(HERE)[0].card.fingerprint)
        surface = CardSurface(self.cards, CardWatching(self.watches, lambda: self.at), lambda: self.at)
        ticket = Ticket("t1", ASKED, "why", False, Address("card", {"card": str(self.ref)}), NOON)
        surface.answer(ticket, Answer(before(), self.reports.save(before())))

    def answered(self, report: Report) -> KeptCard:
        """Let time pass until the watch is due, and a worker answer; return the card."""
        self.at += EVERY * 2
        (watch,) = self.watches.take(self.at)
        no_slack = Publisher(slack_client("xoxb-none", "http://127.0.0.1:9/api/"))
        telling = Telling(self.watches, self.reports, no_slack, self.cards, lambda: self.at)
        telling.answered(watch.id, Answer(report, self.reports.save(report)))
        entry = self.cards.find(self.ref)
        assert entry is not None
        return entry.card


@pytest.fixture
def watched(redis: Redis) -> Watched:
    return Watched(redis)


def test_it_says_who_fixed_it_and_when(watched: Watched) -> None:
    assert watched.answered(denied().dropped(A, B, 8080, at=20).ask(ASKED)).watched == ""
    wrong = watched.answered(edited(denied().policy(WRONG_PORT), "allow").dropped(A, B, 8080, at=20).ask(ASKED))
    assert "still dropped, because " in wrong.watched
    assert "still dropped, because " in str(card_message(wrong).blocks)
    fixed = watched.answered(opened().worked(A, B, 8080, at=60).ask(ASKED))
    assert fixed.stage is Stage.FIXED
    said = str(card_message(fixed).blocks)
    assert "fixed by kubectl-edit of shop/allow at 11:57:00 UTC, packets pass since" in said
    assert "still dropped" not in said
    assert "*Was blocked at ingress:*" in said
    assert " – fixed by kubectl-edit of shop/allow at 11:57:00 UTC" in card_message(fixed).text
    assert watched.watches.listed() == ()


def test_it_has_a_last_word_when_nothing_was_done(watched: Watched) -> None:
    watched.at += LONGEST_SPAN
    card = watched.answered(denied().dropped(A, B, 8080, at=20).ask(ASKED))
    assert card.watched == "watched for 60 minutes: still blocked, nothing changed; the last drop is of 11:59:40 UTC"
    assert watched.watches.take(watched.at + timedelta(hours=1)) == ()
