"""The surfaces, one file for each, and the one list of them. None knows another; ``bot.surface`` is what they share."""

from redis import Redis

from bot.cards.cards import Cards
from bot.cards.kept import KeptCards
from bot.publish import Publisher
from bot.reports import Reports
from bot.surface import Surfaces
from bot.surfaces import card, kept, slack


def surfaces(publisher: Publisher, redis: Redis, *, prefix: str) -> Surfaces:
    """Return all surfaces, for every process that tells somebody something."""
    return Surfaces(
        {
            slack.NAME: slack.SlackSurface(publisher, Reports(redis, prefix=prefix)),
            card.NAME: card.CardSurface(Cards(KeptCards(redis, prefix=prefix))),
            kept.NAME: kept.KeptSurface(redis, prefix=prefix),
        }
    )
