"""The one entrance for alerts, wherever they come from, and for whatever happens to a card."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from redis.exceptions import RedisError

from bot.cards.kept import Entry, KeptCards, TooManyCardsError
from bot.cards.manner import Manners, usual
from bot.cards.place import CardRef, Place
from bot.measured import measured
from bot.metrics import ALERTS, CARDS, CardNews
from handlers.alerts.alert import Received
from handlers.alerts.cards import Card, cards_of
from handlers.alerts.life import Diagnosis, KeptCard, asked, diagnosed, is_to_be_asked, not_diagnosed, told

log = structlog.get_logger(__name__)


class NotKeptError(Exception):
    """Redis does not answer: nobody knows of these alerts, and their sender has to send them again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of alerts: cards that are kept, causes that are not about the network, causes beyond the limit."""

    cards: int = 0
    silent: int = 0
    left_out: int = 0
    cut_off: int = 0
    """Alerts that their sender cut off."""


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards of all channels."""

    kept: KeptCards
    manners: Manners = usual
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def take(self, received: Received, place: Place, *, delivery: str = "") -> Taken:
        """Take alerts in for a channel: each cause is told to its card. The same alerts again change nothing.

        ``delivery`` names the message that told of them where they have no times of their own: an edited message has
        the name of what it was before.

        Raises:
            NotKeptError: if Redis does not answer.
        """
        alerts = tuple(
            alert if alert.starts_at or not delivery else replace(alert, starts_at=delivery)
            for alert in received.alerts
        )
        news = cards_of(replace(received, alerts=alerts))
        at, kept, left_out = self.now(), 0, 0
        try:
            for card in news:
                try:
                    kept += self._tell(card, place, at, received.cut_off) is not None
                except TooManyCardsError:
                    left_out += 1
            if left_out:
                self.kept.note_full(place, at)
        except RedisError as error:
            raise NotKeptError(type(error).__name__) from error
        taken = Taken(kept, len(news) - kept - left_out, left_out, received.cut_off)
        measured.count(ALERTS, len(alerts))
        measured.count(CARDS, taken.cards, result=CardNews.KEPT)
        measured.count(CARDS, taken.silent, result=CardNews.SILENT)
        measured.count(CARDS, taken.left_out, result=CardNews.LEFT_OUT)
        log.info("alerts taken", channel=place.channel, alerts=len(alerts), cards=kept, left_out=left_out)
        return taken

    def change(self, ref: CardRef, step: Callable[[KeptCard], KeptCard]) -> KeptCard | None:
        """Put what ``step`` makes of a card in its place, and have it shown; None where there is no such card.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        return self.kept.change(ref, lambda card: None if card is None else step(card), self.now())

    def ask_if_never_asked(self, ref: CardRef, at: datetime) -> None:
        """Have the question of a card asked that was muted when it fired, and is not any more."""
        self.change(ref, lambda card: asked(card, at) if card.asked_at is None and is_to_be_asked(card, at) else card)

    def change_at(self, place: Place, ts: str, step: Callable[[KeptCard], KeptCard]) -> bool:
        """Put what ``step`` makes of the card that a message is in its place; False where the message is none.

        Raises:
            NotKeptError: if Redis does not answer.
        """
        try:
            ref = self.kept.stands_at(place, ts)
            return ref is not None and self.change(ref, step) is not None
        except RedisError as error:
            raise NotKeptError(type(error).__name__) from error

    def find(self, ref: CardRef) -> Entry | None:
        """Return what is kept of a card."""
        return self.kept.find(ref)

    def of(self, place: Place) -> tuple[Entry, ...]:
        """Return all that is kept of a channel."""
        return self.kept.of(place)

    def stands_at(self, place: Place, ts: str) -> CardRef | None:
        """Return the card that a message of a channel is, None where it is none."""
        return self.kept.stands_at(place, ts)

    def diagnosed(self, ref: CardRef, diagnosis: Diagnosis) -> None:
        """Note the answer to a card's question."""
        self.change(ref, lambda card: diagnosed(card, diagnosis))
        self.kept.questions.answered(ref)

    def not_diagnosed(self, ref: CardRef, failure: str) -> None:
        """Note why a card's question has no answer."""
        self.change(ref, lambda card: not_diagnosed(card, failure))
        self.kept.questions.answered(ref)

    def _tell(self, news: Card, place: Place, at: datetime, cut_off: int) -> KeptCard | None:
        def step(before: KeptCard | None) -> KeptCard | None:
            after = told(before, news, at, cut_off=cut_off)
            if after is None or not is_to_be_asked(after, at) or not self.manners(place, after, at).is_asked:
                return after
            return asked(after, at)

        return self.kept.change(CardRef(place, news.fingerprint), step, at)
