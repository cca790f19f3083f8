"""Shows cards in Slack: the latest of each, one post at a time in a channel, whichever process has the turn."""

import hashlib
import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from redis.exceptions import RedisError

from bot.cards.cards import Cards
from bot.cards.kept import Entry, Shown
from bot.cards.manner import Manner
from bot.cards.outbox import PACE, Item, ItemKind
from bot.cards.place import CardRef, Place
from bot.cards.storms import Storms
from bot.conversations import Conversations
from bot.measured import measured
from bot.metrics import SHOWN
from bot.publish import Publisher, PublishError, SlackUnavailableError
from bot.render.blocks import Message
from bot.render.card import card_message, storm_message
from bot.render.manners import card_buttons, held_message, muted_message
from bot.render.report import report_message
from bot.reports import Reports
from bot.where import Via, Where
from handlers.alerts.life import lapsed, lapses_at
from handlers.alerts.storm import storm_of

AWAY = timedelta(seconds=2)
"""How long a channel rests that Slack takes nothing for, where Slack does not say how long."""
_SUMMARY_BEFORE = timedelta(seconds=1)
"""How long before the cards of quiet hours their summary stands in the list."""
_DETAIL_AFTER = timedelta(seconds=2)
"""Details come after the cards of others that were diagnosed at the same time."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Showing:
    """Posts and edits. One for a process; all processes share the turns."""

    cards: Cards
    storms: Storms
    reports: Reports
    conversations: Conversations
    publisher: Publisher
    who: str = field(default_factory=lambda: uuid.uuid4().hex)
    pace: timedelta = PACE

    def show(self, at: datetime) -> None:
        """Show one thing in each channel whose turn is free.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        outbox = self.cards.kept.outbox
        for place in outbox.due(at):
            if outbox.has_turn(place, self.who):
                self._show_next(place, at)

    def _show_next(self, place: Place, at: datetime) -> None:
        outbox = self.cards.kept.outbox
        is_sent = False
        while not is_sent and (item := outbox.take(place, at)) is not None:
            try:
                is_sent = self._is_sent(place, item, at)
                measured.count(SHOWN, int(is_sent), what=item.kind)
            except SlackUnavailableError as error:
                log.warning("card comes later", channel=place.channel, reason=str(error))
                outbox.end_turn(place, after=timedelta(seconds=error.after) if error.after else AWAY)
                return
            except PublishError as error:
                # Shown when it changes next, if Slack takes it then.
                log.warning("card not shown", channel=place.channel, reason=str(error))
                is_sent = True
            except RedisError:
                raise
            except Exception as error:  # noqa: BLE001  (one card that cannot be shown must not stop the others)
                log.error("a card broke", channel=place.channel, card=str(item), error=type(error).__name__)
                is_sent = True
            outbox.done(place)
        outbox.end_turn(place, after=self.pace) if is_sent else outbox.give_turn(place)

    def _is_sent(self, place: Place, item: Item, at: datetime) -> bool:
        """Send what an item stands for; False where there is nothing to be sent."""
        if item.kind is ItemKind.STORM:
            return self._storm(place, at)
        if item.kind is ItemKind.QUIET:
            return self._quiet(place, datetime.fromisoformat(item.fingerprint))
        ref = CardRef(place, item.fingerprint)
        entry = self.cards.find(ref)
        if entry is None:
            return False
        if item.kind is ItemKind.LAPSE:
            return self._lapse(ref, at)
        return self._card(ref, entry, at) if item.kind is ItemKind.CARD else self._detail(ref, entry, at)

    def _lapse(self, ref: CardRef, at: datetime) -> bool:
        """Let a card lapse of which nobody told for long; one of which somebody did is looked at again later."""
        card = self.cards.change(ref, lambda card: lapsed(card, at))
        if card is not None and card.is_open:
            self.cards.kept.outbox.enter(ref.place, Item.lapse(ref.fingerprint), lapses_at(card))
        return False

    def _card(self, ref: CardRef, entry: Entry, at: datetime) -> bool:
        card, shown, kept = entry.card, entry.shown, self.cards.kept
        manner = self.cards.manners(ref.place, card, at)
        if not manner.is_shown:
            self._hold(ref, entry, manner, at)
        elif manner.is_asked and card.asked_at is None:
            self.cards.ask_if_never_asked(ref, at)
        if not manner.is_shown and not (shown.ts and manner.is_edited):
            return False
        if shown.held_until and not shown.ts and not card.is_open:
            # Nobody was told that it fired: that it ended is no news, or stands in the summary.
            return False
        shown_now = (
            muted_message(card, manner.mute)
            if manner.mute
            else card_message(card, str(ref), buttons=card_buttons(card))
        )
        words = _digest(shown_now)
        if shown.ts and shown.words == words:
            return False
        if not shown.ts:
            kept.show(ref, card, lambda now: replace(now, is_tried=True))
        posted = self.publisher.put(
            _where(ref.place, shown.ts),
            shown_now,
            name=f"card-{ref.fingerprint}-{card.first_at.timestamp():.6f}",
            may_stand=shown.is_tried,
            or_anew=card.is_open,
        )
        is_anew = posted.placeholder_ts != shown.ts
        blank = Shown() if is_anew else shown
        kept.show(ref, card, lambda _: replace(blank, ts=posted.placeholder_ts, words=words))
        if is_anew:
            kept.note_where(ref, posted.placeholder_ts)
        found = card.diagnosis
        if found and found.report_id and found.report_id != blank.detail and manner.has_detail:
            kept.outbox.enter(ref.place, Item.detail(ref.fingerprint), at, ahead=-_DETAIL_AFTER)
        return True

    def _hold(self, ref: CardRef, entry: Entry, manner: Manner, at: datetime) -> None:
        """See to it that what is not shown now is looked at again when that is over."""
        until, kept = manner.until, self.cards.kept
        if until is None:
            return
        kept.outbox.enter(ref.place, Item.card(ref.fingerprint), until)
        if not entry.shown.ts and entry.shown.held_until != until:
            kept.show(ref, entry.card, lambda now: replace(now, held_until=until))
            if manner.is_summed_up:
                kept.outbox.enter(ref.place, Item.quiet(until), until, ahead=_SUMMARY_BEFORE)

    def _quiet(self, place: Place, until: datetime) -> bool:
        """Tell what quiet hours held back, once."""
        held = [entry.card for entry in self.cards.of(place) if entry.shown.held_until == until and not entry.shown.ts]
        if not held:
            return False
        name = f"quiet-{until.timestamp():.0f}"
        self.publisher.put(_where(place, ""), held_message(held, until), name=name, may_stand=True)
        return True

    def _detail(self, ref: CardRef, entry: Entry, at: datetime) -> bool:
        card, shown = entry.card, entry.shown
        report_id = card.diagnosis.report_id if card.diagnosis else ""
        manner = self.cards.manners(ref.place, card, at)
        is_wanted = bool(report_id) and report_id != shown.detail and manner.has_detail
        report = self.reports.load(report_id) if is_wanted else None
        if report is None or not shown.ts:
            return False
        name = f"detail-{ref.fingerprint}-{card.first_at.timestamp():.6f}"
        if manner.has_each_detail:
            shown, name = replace(shown, detail_ts="", is_detail_tried=True), f"{name}-{report_id}"
        elif not shown.detail_ts:
            self.cards.kept.show(ref, card, lambda now: replace(now, is_detail_tried=True))
        posted = self.publisher.put(
            replace(_where(ref.place, shown.detail_ts), thread_ts=shown.ts),
            report_message(report, report_id=report_id),
            name=name,
            may_stand=shown.is_detail_tried,
        )
        thread = replace(posted, thread_ts=shown.ts)
        self.reports.answered(thread, report_id)
        self.conversations.asked(thread, report.question)
        self.cards.kept.show(
            ref,
            card,
            lambda now: replace(now, detail_ts=posted.placeholder_ts, detail=report_id, is_detail_tried=False),
        )
        return True

    def _storm(self, place: Place, at: datetime) -> bool:
        kept = self.storms.find(place)
        told = (one.card for one in self.cards.of(place) if self.cards.manners(place, one.card, at).is_shown)
        storm = storm_of(told, kept.span if kept else None)
        if storm is None:
            return False
        message = storm_message(storm, is_full=self.cards.kept.is_full(place))
        words = _digest(message)
        is_same = kept is not None and kept.span.since == storm.span.since
        shown = kept.shown if kept is not None and is_same else Shown()
        if shown.ts and shown.words == words:
            return False
        if not shown.ts:
            self.storms.keep(place, storm.span, replace(shown, is_tried=True))
        posted = self.publisher.put(
            _where(place, shown.ts),
            message,
            name=f"storm-{storm.span.since.timestamp():.6f}",
            may_stand=shown.is_tried,
        )
        self.storms.keep(place, storm.span, Shown(posted.placeholder_ts, words=words))
        return True


def _where(place: Place, ts: str) -> Where:
    return Where(place.team, place.channel, "", Via.INCIDENT, placeholder_ts=ts)


def _digest(message: Message) -> str:
    shown = json.dumps([message.text, message.blocks], sort_keys=True)
    return hashlib.sha256(shown.encode(errors="replace")).hexdigest()[:16]
