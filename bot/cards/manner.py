"""How a card is to be treated in its channel: the one place where its rules are asked.

Whoever takes alerts in, asks about them and shows them asks here each time, so that a rule that changes holds at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.cards.place import Place
from handlers.alerts.life import KeptCard


@dataclass(frozen=True, slots=True)
class Manner:
    """What is done with a card now.

    ``is_shown``: it is posted, and edited; a card that is not shown is kept and counted. ``is_asked``: its question is
    asked by itself. ``has_detail``: the whole answer goes to its thread.
    """

    is_shown: bool = True
    is_asked: bool = True
    has_detail: bool = True


Manners = Callable[[Place, KeptCard, datetime], Manner]
"""Returns what is done with a card at a moment."""


def usual(_place: Place, card: KeptCard, at: datetime) -> Manner:
    """Show everything that nobody muted."""
    is_muted = card.is_muted(at)
    return Manner(is_shown=not is_muted, is_asked=not is_muted)
