"""What comes of a watch, told where it belongs: in a message of its own, or on its card."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.cards.cards import Cards
from bot.cards.place import CardRef, Place
from bot.fixes.fix_watch import CardPlace, FixWatch
from bot.fixes.kept import FixWatches
from bot.publish import Publisher
from bot.render.fix import fix_message, last_word
from bot.reports import Reports
from bot.surface import Answer, UnavailableError
from handlers.alerts import life
from handlers.fixes.judge import Fix, FixState, first_look, judge, unanswered
from handlers.fixes.words import watched_for
from handlers.model.report import Report

LONGEST_SAID = 600
"""Characters of what is kept of the latest word."""
_ON_CARD = (FixState.APPLIED_STILL_BLOCKED, FixState.OPENED, FixState.FIXED, FixState.GONE)
"""What a card tells before the watch ends; that nothing happened is no news."""


@dataclass(frozen=True, slots=True)
class Telling:
    """The effects of a watch. An answer that is told twice is told the same."""

    watches: FixWatches
    reports: Reports
    publisher: Publisher
    cards: Cards
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def answered(self, watch_id: str, answer: Answer) -> None:
        """Hold an answer against the one of the beginning, and tell what is made of it.

        Raises:
            UnavailableError: if it could not be told now.
        """
        watch = self.watches.find(watch_id)
        if watch is None:
            return
        if not watch.before:
            if not answer.report_id:
                raise UnavailableError("the answer of the beginning was not kept")
            self._told(replace(watch, before=answer.report_id), first_look(answer.report), answer.report)
        elif before := self.reports.load(watch.before):
            self._told(watch, judge(before, answer.report), before)
        else:
            self._told(watch, unanswered("the answer of the beginning is kept no longer"), is_over=True)

    def failed(self, watch_id: str, why: str) -> None:
        """Tell that the cluster could not be asked."""
        if watch := self.watches.find(watch_id):
            self._told(watch, unanswered(why))

    def no_answer(self, watch: FixWatch) -> None:
        """End a watch whose last answer did not come."""
        self._told(watch, unanswered("no answer came in time"), is_over=True)

    def _told(self, watch: FixWatch, fix: Fix, before: Report | None = None, *, is_over: bool = False) -> None:
        now = self.now()
        is_over = is_over or fix.state.is_last or now >= watch.until
        if is_over and not fix.state.is_last:
            fix = replace(fix, sentence=watched_for(watch.span, fix.sentence))
        said = str(fix.sentence)[:LONGEST_SAID]
        told = replace(watch, state=fix.state, said=said, answered_at=now)
        if isinstance(watch.place, CardPlace):
            self._on_card(watch.place, fix, now, is_over=is_over)
        else:
            why = before.headline.reason if before else None
            shown = fix_message(
                fix, watch.question, watch.title, why=why, until=watch.until, by=watch.by, at=now, is_over=is_over
            )
            self.publisher.answer(watch.place, shown)
        if not is_over:
            self.watches.change(watch.id, lambda one: replace(told, before=one.before or told.before))
        elif self.watches.end(watch.id) and not isinstance(watch.place, CardPlace):
            # An edit notifies nobody; the one who asked to be told is.
            self.publisher.reply(watch.place, last_word(fix, watch.title))

    def _on_card(self, place: CardPlace, fix: Fix, now: datetime, *, is_over: bool) -> None:
        if not is_over and fix.state not in _ON_CARD:
            return
        ref = CardRef(Place(place.team, place.channel), place.fingerprint)
        words = str(fix.sentence)[:LONGEST_SAID]
        if fix.state is FixState.FIXED:
            self.cards.change(ref, lambda card: life.fixed(card, life.Fix(words, now)))
        else:
            self.cards.change(ref, lambda card: life.watched(card, words))
