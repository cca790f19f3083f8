"""The surfaces, one file for each, and the one list of them. None knows another; ``bot.surface`` is what they share."""

from redis import Redis

from bot.cards.cards import Cards
from bot.cards.kept import KeptCards
from bot.fixes.kept import FixWatches
from bot.fixes.of_card import CardWatching
from bot.fixes.telling import Telling
from bot.publish import Publisher
from bot.reports import Reports
from bot.surface import Surfaces
from bot.surfaces import card, fix, kept, slack


def surfaces(publisher: Publisher, redis: Redis, *, prefix: str, are_rights_on: bool = False) -> Surfaces:
    """Return all surfaces, for every process that tells somebody something.

    Where ``are_rights_on`` no answer is shown to people who were not there, however little it says.
    """
    reports, cards = Reports(redis, prefix=prefix), Cards(KeptCards(redis, prefix=prefix))
    watches = FixWatches(redis, prefix=prefix)
    telling = Telling(watches, reports, publisher, cards)
    return Surfaces(
        {
            slack.NAME: slack.SlackSurface(publisher, reports, is_health_for_everybody=not are_rights_on),
            card.NAME: card.CardSurface(cards, CardWatching(watches)),
            kept.NAME: kept.KeptSurface(redis, prefix=prefix),
            fix.NAME: fix.FixSurface(telling),
        }
    )
