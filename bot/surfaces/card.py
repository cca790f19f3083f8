"""A card as a surface: the answer to its question becomes its verdict, and the whole of it goes to its thread."""

from collections.abc import Callable
from datetime import UTC, datetime

from redis.exceptions import RedisError

from bot.cards.asking import CARD
from bot.cards.cards import Cards
from bot.cards.place import ref_of
from bot.fixes.of_card import CardWatching
from bot.render.card import diagnosis_of
from bot.render.failure import Failure, failure_text
from bot.surface import Answer, UnavailableError
from bot.ticket import Ticket
from handlers.model.report import FirstAnswer

NAME = CARD


class CardSurface:
    """Changes the card; whoever shows cards does the rest. The same answer twice leaves one."""

    def __init__(
        self, cards: Cards, watching: CardWatching, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._cards = cards
        self._watching = watching
        self._now = now

    def progress(self, waiter: Ticket, told: str | FirstAnswer) -> bool:
        """Show nothing: a card changes when there is an answer."""
        return True

    def answer(self, waiter: Ticket, answer: Answer) -> None:
        """Make the answer the card's verdict."""
        diagnosis = diagnosis_of(answer.report, answer.report_id, self._now(), waiter.cluster)
        ref = ref_of(_ref(waiter))
        self._change(lambda: self._cards.diagnosed(ref, diagnosis))
        self._change(lambda: self._watching.begin(ref, answer.report, answer.report_id, waiter.cluster))

    def fail(self, waiter: Ticket, failure: Failure) -> None:
        """Say on the card why it has no verdict."""
        self._change(lambda: self._cards.not_diagnosed(ref_of(_ref(waiter)), failure_text(failure)))

    def _change(self, work: Callable[[], None]) -> None:
        try:
            work()
        except RedisError as error:
            raise UnavailableError(type(error).__name__) from error


def _ref(waiter: Ticket) -> str:
    return str(waiter.address.place.get("card", ""))
