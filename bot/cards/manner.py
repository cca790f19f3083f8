"""How a card is to be treated in its channel: the one place where its rules are asked.

Whoever takes alerts in, asks about them and shows them asks here each time, so that a rule that changes holds at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.cards.place import Place
from bot.channel_rules import ChannelRules, Verbosity
from bot.mutes import Mutes
from handlers.alerts.life import KeptCard
from handlers.alerts.manners import Mute, Telling, Treatment, treatment


@dataclass(frozen=True, slots=True)
class Manner:
    """What is done with a card now.

    ``is_shown``: it is posted, and edited; a card that is not shown is kept and counted. ``is_edited``: one that stands
    already is kept up to date. ``is_asked``: its question is asked by itself. ``has_detail``: the whole answer goes to
    its thread, each time to a reply of its own where ``has_each_detail``.
    """

    is_shown: bool = True
    is_edited: bool = True
    is_asked: bool = True
    has_detail: bool = True
    has_each_detail: bool = False
    until: datetime | None = None
    """When it is looked at again, where it is not shown until then."""
    is_summed_up: bool = False
    """Whether it is told in the summary of that moment."""
    mute: Mute | None = None
    """Why only that it is muted is shown."""


Manners = Callable[[Place, KeptCard, datetime], Manner]
"""Returns what is done with a card at a moment."""


def usual(_place: Place, card: KeptCard, at: datetime) -> Manner:
    """Show everything that nobody muted."""
    return manner_of(treatment(card, at))


def manner_of(treated: Treatment, *, is_verbose: bool = False) -> Manner:
    """Return what a treatment comes to; ``is_verbose`` where every answer is wanted."""
    match treated.telling:
        case Telling.MUTED:
            return Manner(is_shown=False, is_asked=False, has_detail=False, until=treated.until, mute=treated.mute)
        case Telling.HELD:
            return Manner(is_shown=False, has_detail=False, until=treated.until, is_summed_up=True)
        case Telling.SILENT:
            return Manner(is_shown=False, has_detail=False)
    return Manner(has_each_detail=is_verbose)


@dataclass(frozen=True, slots=True)
class ChannelManners:
    """The manners that people set: mutes, quiet hours, and how much a channel wants to be told."""

    rules: Callable[[str], ChannelRules]
    """Returns the rules of a channel, given its id."""
    mutes: Mutes

    def __call__(self, place: Place, card: KeptCard, at: datetime) -> Manner:
        """Return what is done with a card at a moment.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        rules = self.rules(place.channel)
        treated = treatment(
            card,
            at,
            mutes=self.mutes.of(place.channel, at),
            quiet_until=rules.quiet_hours.until(at) if rules.quiet_hours else None,
            only_diagnosed=rules.verbosity is Verbosity.QUIET,
        )
        return manner_of(treated, is_verbose=rules.verbosity is Verbosity.VERBOSE)
