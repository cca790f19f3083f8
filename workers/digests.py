"""Tells digests: looks which are due, has each asked once, compares it with the last one, and posts it.

A run may be delivered twice and die anywhere. Its message carries a name made of the subscription and the time that it
is due, so that the second one finds the first and edits it; what it is compared with is written after the post.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from bot.digests.due import due_between
from bot.digests.kept import Subscriptions
from bot.digests.subscription import ENVIRONMENT, Subscription
from bot.measured import measured
from bot.metrics import DIGESTS, Told
from bot.publish import Publisher, PublishError, SlackUnavailableError
from bot.render.blocks import CHART, Message
from bot.render.digest import digest_message, missed_message, series_of, undone_message
from bot.where import Via, Where
from handlers.digests.compare import Digest, compare
from handlers.digests.moment import Moment
from handlers.digests.timetable import Timetable
from workers.digest_chart import drawn
from workers.digest_reports import NothingAnsweredError
from workers.origin import NotOpenedError
from workers.settings import Digest as DigestSettings

CATCH_UP = timedelta(hours=1)
"""How late a digest is still told; later it is only said that it was missed."""
LASTS = timedelta(minutes=6)
"""How long a run may take; after that another one takes its place."""
SIGN_OF_LIFE = timedelta(days=7)
"""How long a quiet subscription says nothing at most."""
_LOOK_BACK = timedelta(days=7)
"""How far back missed ones are counted."""
_LATE = timedelta(minutes=5)
"""After which a digest that is told says that it is late."""
_MOST_TRIES = 3

log = structlog.get_logger(__name__)

Look = Callable[[Subscription], Moment]
"""Asks the questions of a subscription, as those in its channel may see the answers."""


@dataclass(frozen=True, slots=True)
class DigestRuns:
    """The runs of all subscriptions. ``send`` queues one: its id, when it is due, and its cluster."""

    subscriptions: Subscriptions
    publisher: Publisher
    look: Look
    send: Callable[[str, str, str], None]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def look_for_due(self, of_settings: Iterable[DigestSettings] = ()) -> None:
        """Queue every digest that is due, and say which ones were missed.

        Raises:
            redis.RedisError: if Redis does not answer; the next look does the same again.
        """
        self._take_over(of_settings)
        now = self.now()
        for subscription in self.subscriptions.listed():
            due = () if subscription.is_paused else _due(subscription, now)
            if due and now - due[-1] <= CATCH_UP:
                self.send(subscription.id, due[-1].isoformat(), subscription.cluster)
            elif due:
                self._say_missed(subscription, due)

    def run(self, name: str, due: str) -> None:
        """Tell one digest that is due; nothing happens where that was done, or another process does it.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        subscription, moment = self.subscriptions.find(name), datetime.fromisoformat(due)
        if subscription is None or subscription.is_paused or subscription.told >= moment:
            return
        if not self.subscriptions.begin(name, moment, lasts=LASTS):
            return
        missed = [one for one in _due(subscription, moment) if one != moment]
        self.subscriptions.change(name, lambda one: replace(one, tries=one.tries + 1))
        try:
            self._tell(subscription, moment, _late(subscription, moment, self.now(), missed))
        except SlackUnavailableError as error:
            log.warning("digest_comes_later", digest=name, reason=str(error))
            self.subscriptions.end(name, moment)
        except BaseException:
            self.subscriptions.end(name, moment)
            raise

    def run_now(self, name: str, request: str) -> None:
        """Tell one digest because somebody wants it now; the next one is compared with it.

        ``request`` names the wish: delivered twice, it is told once.

        Raises:
            redis.RedisError: if Redis does not answer.
        """
        subscription = self.subscriptions.find(name)
        if subscription is not None:
            self._tell(subscription, None, ["asked for"], request)

    def _tell(self, subscription: Subscription, due: datetime | None, notes: Sequence[str], request: str = "") -> None:
        name = f"digest-{subscription.id}-{due.isoformat() if due else request}"
        try:
            moment = self.look(subscription)
        except (NotOpenedError, NothingAnsweredError) as error:
            self._undone(subscription, due, name, str(error))
            return
        digest = compare(self.subscriptions.last(subscription.id), moment)
        history = self.subscriptions.runs(subscription.id)
        now = self.now()
        is_posted = not self._is_silent(subscription, digest, due, now)
        if is_posted:
            note = " · ".join([_of(subscription), *notes])
            if not self._post(subscription, name, digest_message(digest, history, note=note), digest, history):
                measured.count(DIGESTS, result=Told.FAILED)
                self._settle(subscription, due)
                return
        is_late = due is not None and _is_late(due, now)
        measured.count(DIGESTS, result=Told.QUIET if not is_posted else Told.LATE if is_late else Told.SENT)
        self.subscriptions.tell(
            subscription.id,
            digest.now,
            lambda one: replace(
                one,
                told=max(one.told, due) if due else one.told,
                posted=now if is_posted else one.posted,
                tries=0,
            ),
        )

    def _is_silent(self, subscription: Subscription, digest: Digest, due: datetime | None, now: datetime) -> bool:
        is_fresh = subscription.posted is not None and now - subscription.posted < SIGN_OF_LIFE
        return subscription.timetable.is_quiet and digest.is_unchanged and due is not None and is_fresh

    def _post(
        self, subscription: Subscription, name: str, message: Message, digest: Digest, history: Sequence[Moment]
    ) -> bool:
        """Post a digest, and its picture where the workspace takes no chart; False where the channel takes nothing.

        Raises:
            SlackUnavailableError: if Slack could not take it now.
        """
        where = _place(subscription, name)
        try:
            stands = self.publisher.answer(where, message)
        except SlackUnavailableError:
            raise
        except PublishError as error:
            log.warning("digest_undeliverable", digest=subscription.id, reason=str(error))
            return False
        series = {} if digest.is_unchanged else series_of([*history, digest.now])
        picture = drawn("Drops by cause", series) if series and not self.publisher.takes(CHART) else None
        if picture is not None:
            try:
                self.publisher.attach(
                    stands, name="drops.png", content=picture.png, title="Drops by cause", alt_text=picture.in_words
                )
            except PublishError as error:
                log.info("picture_not_posted", digest=subscription.id, reason=str(error))
        return True

    def _undone(self, subscription: Subscription, due: datetime | None, name: str, reason: str) -> None:
        """Try again within the hour, and say in the end that it could not be told."""
        log.warning("digest_not_made", digest=subscription.id, reason=reason)
        if due is not None and subscription.tries + 1 < _MOST_TRIES:
            self.subscriptions.end(subscription.id, due)
            return
        measured.count(DIGESTS, result=Told.FAILED)
        try:
            self.publisher.answer(_place(subscription, name), undone_message(_of(subscription), reason))
        except SlackUnavailableError:
            raise
        except PublishError as error:
            log.warning("digest_undeliverable", digest=subscription.id, reason=str(error))
        self._settle(subscription, due)

    def _say_missed(self, subscription: Subscription, due: Sequence[datetime]) -> None:
        name = f"digest-{subscription.id}-missed-{due[-1].isoformat()}"
        why = "none could be made within the hour" if subscription.tries else "the scheduler was down"
        words = missed_message(_of(subscription), [_clock(subscription, one) for one in due], why)
        try:
            self.publisher.answer(_place(subscription, name), words)
        except SlackUnavailableError as error:
            log.warning("digest_comes_later", digest=subscription.id, reason=str(error))
            return
        except PublishError as error:
            log.warning("digest_undeliverable", digest=subscription.id, reason=str(error))
        measured.count(DIGESTS, len(due), result=Told.MISSED)
        self._settle(subscription, due[-1])

    def _settle(self, subscription: Subscription, due: datetime | None) -> None:
        if due is not None:
            self.subscriptions.change(subscription.id, lambda one: replace(one, told=max(one.told, due), tries=0))

    def _take_over(self, of_settings: Iterable[DigestSettings]) -> None:
        """Keep what the settings subscribe, and forget what they do no longer."""
        wanted = {_name_of(one): one for one in of_settings}
        there = {one.id for one in self.subscriptions.listed() if one.by == ENVIRONMENT}
        now = self.now()
        for name in wanted.keys() - there:
            one = wanted[name]
            timetable = Timetable(one.cron, one.zone, one.question, one.quiet)
            self.subscriptions.add(Subscription(name, "", one.channel, timetable, ENVIRONMENT, now, now))
        for name in there - wanted.keys():
            self.subscriptions.remove(name)


def settings_of(listed: Sequence[Any]) -> tuple[DigestSettings, ...]:
    """Return the digests of the settings from what the scheduler sends."""
    return tuple(map(DigestSettings.model_validate, listed))


def _name_of(one: DigestSettings) -> str:
    return hashlib.sha256(one.model_dump_json().encode()).hexdigest()[:8]


def _due(subscription: Subscription, until: datetime) -> tuple[datetime, ...]:
    return due_between(subscription.timetable, max(subscription.told, until - _LOOK_BACK), until)


def _place(subscription: Subscription, name: str) -> Where:
    return Where(subscription.team, subscription.channel, "", Via.SCHEDULE, ticket=name)


def _of(subscription: Subscription) -> str:
    return f"digest {subscription.id}"


def _is_late(due: datetime, now: datetime) -> bool:
    return now - due > _LATE


def _late(subscription: Subscription, due: datetime, now: datetime, missed: Sequence[datetime]) -> list[str]:
    late = [f"of {_clock(subscription, due)}, told late"] if _is_late(due, now) else []
    gone = [f"missed before: {', '.join(_clock(subscription, one) for one in missed[-3:])}"] if missed else []
    return [*late, *gone]


def _clock(subscription: Subscription, at: datetime) -> str:
    return at.astimezone(ZoneInfo(subscription.timetable.zone)).strftime("%a %H:%M %Z")
