"""Has the questions of cards asked: as tickets like anybody's, a few at a time, and none of them forgotten."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from redis.exceptions import RedisError

from bot.cards.cards import Cards
from bot.cards.place import CardRef
from bot.dispatch import QueueDownError
from bot.ticket import Address, Ticket
from bot.watch import Watch
from handlers.alerts.life import KeptCard
from handlers.catalogue import CATALOGUE
from handlers.commands.command import NotUnderstoodError

CARD = "card"
"""The name of the surface that an answer changes the card through."""
GIVEN_UP_AFTER = timedelta(minutes=20)
"""How long a card waits for its answer before it says that none came."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asking:
    """Takes the questions off the list. ``cluster`` is the one that tickets name; empty: any.

    ``clusters`` are those that workers look at now, of those that have a name; ``cluster_of`` is a channel's.
    """

    cards: Cards
    watch: Watch
    cluster: str = ""
    clusters: Callable[[], Collection[str]] = tuple
    cluster_of: Callable[[str], str] = lambda _channel: ""

    def ask(self, at: datetime) -> None:
        """Ask as many as there is room for, and look after those whose answer is late.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        questions = self.cards.kept.questions
        for ref in questions.overdue(at):
            self._look_after(ref, at)
        while (ref_to_ask := questions.take(at)) is not None:
            self._ask(ref_to_ask)

    def _look_after(self, ref: CardRef, at: datetime) -> None:
        entry = self.cards.find(ref)
        card = entry.card if entry else None
        if card is None or not card.waits or card.asked_at is None:
            self.cards.kept.questions.answered(ref)
        elif at - card.asked_at > GIVEN_UP_AFTER:
            self.cards.not_diagnosed(ref, "No worker answered; press Check again, or look at the workers.")
        else:
            # Whoever took it may have been lost before the ticket was entered; entered twice it is one.
            self.cards.kept.questions.prolong(ref, at)
            self._ask(ref)

    def _ask(self, ref: CardRef) -> None:
        entry = self.cards.find(ref)
        if entry is None or not entry.card.waits or not entry.card.is_open:
            self.cards.kept.questions.answered(ref)
            return
        card = entry.card
        known = self.clusters() or [one for one in (self.cluster,) if one]
        if card.cluster and known and card.cluster not in known:
            looked_at = ", ".join(sorted(known))
            self.cards.not_diagnosed(ref, f"It is about the cluster {card.cluster}; I look at {looked_at}.")
            return
        if len(known) > 1 and not self._cluster(ref, card):
            said = ", ".join(sorted(known))
            self.cards.not_diagnosed(ref, f"Neither it nor the channel says which cluster it is about: {said}.")
            return
        try:
            ticket = self._ticket(ref, card)
        except NotUnderstoodError as error:
            self.cards.not_diagnosed(ref, error.problem)
            return
        try:
            self.watch.enter(ticket)
        except (RedisError, QueueDownError) as error:
            # It is asked when it is overdue.
            log.warning("card not asked", error=type(error).__name__)

    def _ticket(self, ref: CardRef, card: KeptCard) -> Ticket:
        understood = CATALOGUE.understand(card.questions[0])
        asked_at = card.asked_at or card.fired_at
        return Ticket(
            hashlib.sha256(f"{ref} {asked_at.isoformat()}".encode()).hexdigest()[:32],
            str(understood),
            understood.command.name,
            card.asks > 1,
            Address(CARD, {"card": str(ref)}),
            asked_at,
            cluster=self._cluster(ref, card),
        )

    def _cluster(self, ref: CardRef, card: KeptCard) -> str:
        named = card.cluster if card.cluster in self.clusters() else ""
        return named or self.cluster_of(ref.place.channel) or self.cluster
