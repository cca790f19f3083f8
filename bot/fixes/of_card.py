"""A card that proposed a patch watches by itself whether it works."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from bot.cards.place import CardRef
from bot.fixes.fix_watch import EVERY, LONGEST_SPAN, CardPlace, FixWatch, watch_id
from bot.fixes.kept import FixWatches, TooManyWatchesError
from handlers.model.report import Report

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CardWatching:
    """Begins the watches of cards. A card that is answered twice has one."""

    watches: FixWatches
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def begin(self, ref: CardRef, report: Report, report_id: str, cluster: str = "") -> None:
        """Watch what a patch was proposed for, held against this answer; without a patch there is nothing to watch.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        if not report.patches or not report_id:
            return
        place, at = ref.place, self.now()
        watch = FixWatch(
            watch_id(place.team, place.channel, report.question, ref.fingerprint),
            report.question,
            report.command,
            report.read_as or report.question,
            CardPlace(place.team, place.channel, ref.fingerprint),
            "",
            at,
            at + LONGEST_SPAN,
            cluster,
            before=report_id,
        )
        try:
            self.watches.begin(watch, due=at + EVERY)
        except TooManyWatchesError:
            log.info("a card is not watched", channel=place.channel, reason="too many watches")
