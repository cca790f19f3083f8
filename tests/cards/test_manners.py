"""What people see of cards that are muted, held through quiet hours, or in a channel that wants verdicts alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from redis import Redis

from bot.cards.manner import ChannelManners
from bot.channel_rules import ChannelRules, QuietHours, Verbosity
from bot.mutes import Mutes, TooManyMutesError
from bot.surface import Answer
from bot.waiters import Waiters
from handlers.alerts.life import acknowledged, doubted, muted, unacknowledged
from handlers.alerts.manners import Mute, Scope, Target
from tests.bot.samples import blocked_on_both_sides
from tests.cards.test_showing import CHANNEL, NOON, Room, drops
from tools.embedded import EmbeddedRedis
from tools.playground.rate import RateLimits
from tools.playground.server import Playground, running_playground
from tools.playground.settings import PlaygroundSettings

TITLE = "shop/loadgen → shop/cart: packets are denied by policy"
HERE = Target(Scope.CHANNEL)


@dataclass
class Rules:
    """The rules of every channel, as a test sets them."""

    now: ChannelRules = field(default_factory=ChannelRules)


@pytest.fixture(scope="module")
def slack() -> Iterator[Playground]:
    with running_playground(PlaygroundSettings(rates=RateLimits(enforced=False))) as running:
        yield running


@dataclass
class Mannered:
    """A channel with cards whose manners are set."""

    room: Room
    rules: Rules
    mutes: Mutes

    def mute(self, **span: float) -> None:
        now = self.room.clock.now
        self.mutes.put(CHANNEL, Mute(HERE, "U0ADA", now, now + timedelta(**span)))

    def stands(self) -> list[str]:
        self.room.show()
        return self.room.said()


@pytest.fixture
def mannered(slack: Playground, redis: Redis, redis_server: EmbeddedRedis) -> Iterator[Mannered]:
    slack.reset()
    rules, mutes, room = Rules(), Mutes(redis), Room(slack, redis, redis_server.url)
    room.cards = replace(room.cards, manners=ChannelManners(lambda _channel: rules.now, mutes))
    yield Mannered(room, rules, mutes)
    room.dispatcher.close()


def test_a_muted_card_says_so_once_is_counted_and_is_shown_again_when_it_still_fires(mannered: Mannered) -> None:
    room = mannered.room
    room.told(drops())
    assert mannered.stands() == [f"Firing: {TITLE}"]
    mannered.mute(hours=1)
    room.told(drops(2))
    assert mannered.stands() == [f"Muted: {TITLE}"]
    assert "🔇 *Muted* until 21 Nov 13:01 UTC by <@U0ADA>" in str(room.messages()[0]["blocks"])
    edits = len(room.slack.calls("chat.update"))
    room.told(drops(3))
    mannered.stands()
    assert len(room.slack.calls("chat.update")) == edits
    room.clock.wait(hours=1)
    assert mannered.stands() == [f"Firing: {TITLE}"]
    assert "3 alerts" in str(room.messages()[0]["blocks"])


def test_a_cause_that_is_new_in_a_muted_channel_is_posted_when_the_mute_ends_unless_it_is_over(
    mannered: Mannered,
) -> None:
    mannered.mute(hours=1)
    mannered.room.told(drops(), drops(1, destination="redis"))
    assert mannered.stands() == []
    assert mannered.room.asked() == []
    mannered.room.told(drops(1, "resolved", destination="redis"))
    mannered.room.clock.wait(hours=1)
    assert mannered.stands() == [f"Firing: {TITLE}"]
    assert [ticket.text for ticket in mannered.room.asked()] == ["why shop/loadgen shop/cart"]


def test_a_snooze_is_of_one_card_and_can_be_lifted(mannered: Mannered) -> None:
    room = mannered.room
    room.told(drops())
    mannered.stands()
    room.cards.change(room.ref(), lambda card: muted(card, NOON + timedelta(hours=1), "U0ADA"))
    assert mannered.stands() == [f"Muted: {TITLE}"]
    room.cards.change(room.ref(), lambda card: muted(card, None, "U0ADA"))
    assert mannered.stands() == [f"Firing: {TITLE}"]


def test_quiet_hours_hold_all_but_what_is_critical_and_end_with_one_summary(mannered: Mannered) -> None:
    mannered.rules.now = ChannelRules(quiet_hours=QuietHours.parse("11:00-14:00 UTC"))
    room = mannered.room
    room.told(drops(), drops(1, destination="redis"), drops(1, destination="db", severity="critical"))
    critical = "Firing: shop/loadgen → shop/db: packets are denied by policy"
    assert mannered.stands() == [critical]
    room.told(drops(1, "resolved", destination="redis"))
    assert mannered.stands() == [critical]
    room.clock.wait(hours=2)
    summary = "While it was quiet: 2 causes, 1 still firing, 1 over"
    assert sorted(mannered.stands()) == sorted([critical, summary, f"Firing: {TITLE}"])
    assert sorted(mannered.stands()) == sorted([critical, summary, f"Firing: {TITLE}"])


def test_a_quiet_channel_is_told_what_was_found_to_be_wrong_and_nothing_else(mannered: Mannered) -> None:
    mannered.rules.now = ChannelRules(verbosity=Verbosity.QUIET)
    mannered.room.told(drops())
    assert mannered.stands() == []
    mannered.room.answered()
    assert mannered.stands() == [f"Firing: {TITLE} – Blocked at egress"]
    assert mannered.room.slack.replies(mannered.room.messages()[0])


@pytest.mark.parametrize(("verbosity", "replies"), [(Verbosity.NORMAL, 1), (Verbosity.VERBOSE, 2)])
def test_a_verbose_channel_gets_each_answer_as_a_reply(mannered: Mannered, verbosity: Verbosity, replies: int) -> None:
    mannered.rules.now = ChannelRules(verbosity=verbosity)
    room = mannered.room
    for minutes in (0, 20):
        room.clock.wait(minutes=minutes)
        room.told(drops())
        (ticket,) = room.asked()
        report = replace(blocked_on_both_sides(), taken_at=room.clock.now)
        room.surface.answer(ticket, Answer(report, room.reports.save(report)))
        Waiters(room.redis).answered(ticket)
        mannered.stands()
    assert len(room.slack.replies(room.messages()[0])) == replies


def test_a_card_shows_who_looks_after_it_and_who_doubts_it(mannered: Mannered) -> None:
    room = mannered.room
    room.told(drops())
    room.cards.change(room.ref(), lambda card: doubted(acknowledged(card, "U0ADA"), "U0ADA"))
    mannered.stands()
    shown = str(room.messages()[0]["blocks"])
    assert "👀 <@U0ADA>" in shown
    assert "1 says that this was not it" in shown
    room.cards.change(room.ref(), lambda card: unacknowledged(card, "U0ADA"))
    mannered.stands()
    assert "👀" not in str(room.messages()[0]["blocks"])


def test_mutes_are_bounded_and_those_that_are_over_make_room(redis: Redis) -> None:
    mutes = Mutes(redis)
    for number in range(50):
        mutes.put(CHANNEL, Mute(Target(Scope.NAMESPACE, f"n{number}"), "U1", NOON, NOON + timedelta(hours=1)))
    with pytest.raises(TooManyMutesError):
        mutes.put(CHANNEL, Mute(HERE, "U1", NOON, NOON + timedelta(hours=1)))
    later = NOON + timedelta(hours=2)
    mutes.put(CHANNEL, Mute(HERE, "U1", later, later + timedelta(hours=1)))
    assert [mute.target for mute in mutes.of(CHANNEL, later)] == [HERE]
    assert mutes.lift(CHANNEL, HERE)
    assert not mutes.lift(CHANNEL, HERE)
