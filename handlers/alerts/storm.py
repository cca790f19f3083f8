"""Many causes at once: what they come to together, and which few of them explain most."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.alerts.life import KeptCard

FEW = 4
"""Cards that need no summary."""
WINDOW = timedelta(minutes=10)
"""Cards that begin to fire no further apart than this belong together."""
LONGEST = timedelta(hours=2)
"""After this time a new storm begins, however steadily cards come."""
_MOST_OF_IT = 90
"""Per cent of the alerts that the leading causes explain."""


@dataclass(frozen=True, slots=True)
class Span:
    """From the first card of a storm that began to fire to the last."""

    since: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Storm:
    """Cards that began to fire together, those with the most alerts first.

    ``leading`` is how many of them explain ``share`` per cent of the alerts, rounded down.
    """

    span: Span
    cards: tuple[KeptCard, ...]
    leading: int
    share: int

    @property
    def alerts(self) -> int:
        """How many alerts told of them."""
        return sum(card.count for card in self.cards)

    @property
    def resolved(self) -> int:
        """How many of them are resolved."""
        return sum(not card.is_open for card in self.cards)

    @property
    def waiting(self) -> int:
        """How many of them wait for the answer to their question."""
        return sum(card.waits and card.is_open for card in self.cards)


def storm_of(cards: Iterable[KeptCard], known: Span | None = None) -> Storm | None:
    """Return the latest storm; where there is no new one, that which is known already; None where there is none.

    What is known stays a storm, though only few of its cards are left.
    """
    held: list[KeptCard] = []
    rest: list[list[KeptCard]] = []
    last = known.last if known else None
    for card in sorted(cards, key=lambda card: (card.fired_at, card.fingerprint)):
        if known and last and card.fired_at < known.since:
            continue
        if known and last and not rest and _goes_on(known.since, last, card.fired_at):
            held.append(card)
            last = max(last, card.fired_at)
        elif rest and _goes_on(rest[-1][0].fired_at, rest[-1][-1].fired_at, card.fired_at):
            rest[-1].append(card)
        else:
            rest.append([card])
    newer = [group for group in rest if len(group) > FEW]
    if newer:
        return _storm(newer[-1], Span(newer[-1][0].fired_at, newer[-1][-1].fired_at))
    return _storm(held, Span(known.since, last)) if held and known and last else None


def _goes_on(since: datetime, last: datetime, at: datetime) -> bool:
    return at - last <= WINDOW and at - since <= LONGEST


def _storm(cards: Iterable[KeptCard], span: Span) -> Storm:
    ordered = tuple(sorted(cards, key=lambda card: (-card.count, card.severity.order, card.first_at)))
    total = sum(card.count for card in ordered)
    told = leading = 0
    for card in ordered:
        told, leading = told + card.count, leading + 1
        if told * 100 >= total * _MOST_OF_IT:
            break
    return Storm(span, ordered, leading, told * 100 // max(1, total))
