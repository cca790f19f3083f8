"""A watch as a surface: each answer is held against the one of the beginning."""

from redis.exceptions import RedisError

from bot.fixes.fix_watch import SURFACE
from bot.fixes.telling import Telling
from bot.render.failure import Failure
from bot.surface import Answer, UnavailableError
from bot.ticket import Ticket
from handlers.model.report import FirstAnswer

NAME = SURFACE


class FixSurface:
    """Hands answers to the watch that the ticket's address names; one that has ended needs none."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    def progress(self, waiter: Ticket, told: str | FirstAnswer) -> bool:
        """Show nothing: what is certain before everything is read proves no fix."""
        return True

    def answer(self, waiter: Ticket, answer: Answer) -> None:
        """Judge it, and tell what comes of it."""
        try:
            self._telling.answered(str(waiter.address.place.get("watch")), answer)
        except RedisError as error:
            raise UnavailableError(type(error).__name__) from error

    def fail(self, waiter: Ticket, failure: Failure) -> None:
        """Tell that the cluster could not be asked this time."""
        try:
            self._telling.failed(str(waiter.address.place.get("watch")), failure.happened)
        except RedisError as error:
            raise UnavailableError(type(error).__name__) from error
