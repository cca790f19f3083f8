"""What people see of cards: one message for each cause, edited, whatever happens to those who write it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from bot.cards.asking import CARD, Asking
from bot.cards.cards import Cards
from bot.cards.kept import KeptCards
from bot.cards.manner import Manner
from bot.cards.place import CardRef, Place
from bot.cards.showing import Showing
from bot.cards.storms import Storms
from bot.conversations import Conversations
from bot.dispatch import Dispatcher
from bot.fixes.kept import FixWatches
from bot.fixes.of_card import CardWatching
from bot.publish import Publisher
from bot.render.failure import timeout
from bot.reports import Reports
from bot.slack_client import slack_client
from bot.surface import Answer
from bot.surfaces.card import CardSurface
from bot.ticket import Ticket
from bot.waiters import Waiters
from bot.watch import Watch
from bot.where import Via, Where
from handlers.alerts.life import KeptCard, muted
from handlers.alerts.received import of_document
from tests.alerts.payloads import alert, webhook
from tests.bot.samples import blocked_on_both_sides
from tools.embedded import EmbeddedRedis
from tools.playground.rate import RateLimits
from tools.playground.server import Playground, running_playground
from tools.playground.settings import PlaygroundSettings

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CHANNEL = "C0INCIDENT"
HERE = Place("T1", CHANNEL)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


class Room:
    """A channel with cards, and one process or another that shows them."""

    def __init__(self, slack: Playground, redis: Redis, url: str) -> None:
        self.slack, self.clock = slack, Clock()
        self.cards = Cards(KeptCards(redis), now=self.clock)
        self.reports = Reports(redis)
        self.surface = CardSurface(self.cards, CardWatching(FixWatches(redis), self.clock), self.clock)
        self.dispatcher = Dispatcher(url)
        self.redis = redis
        self.asking = Asking(self.cards, Watch(Waiters(redis), self.dispatcher), "prod")

    def process(self, cards: Cards | None = None) -> Showing:
        """A web process."""
        token, url = self.slack.settings.bot_token, self.slack.api_url
        publisher = Publisher(slack_client(token, url), slack_client(token, url, patient=False))
        return Showing(
            cards or self.cards,
            Storms(self.redis),
            self.reports,
            Conversations(self.redis),
            publisher,
            pace=timedelta(0),
        )

    def told(self, *alerts: Any) -> None:
        self.cards.take(of_document(webhook(*alerts)), HERE)

    def show(self, showing: Showing | None = None) -> None:
        """Show all that there is to be shown, which takes a minute."""
        showing = showing or self.process()
        for _ in range(60):
            self.clock.wait(seconds=1)
            showing.show(self.clock.now)

    def card(self) -> KeptCard:
        (entry,) = self.cards.of(HERE)
        return entry.card

    def ref(self) -> CardRef:
        return CardRef(HERE, self.card().fingerprint)

    def asked(self) -> list[Ticket]:
        self.asking.ask(self.clock.now)
        return list(Waiters(self.redis).listed())

    def answered(self) -> None:
        report = blocked_on_both_sides()
        (ticket,) = self.asked()
        self.surface.answer(ticket, Answer(report, self.reports.save(report)))

    def messages(self) -> list[dict[str, Any]]:
        """What stands in the channel itself."""
        return [one for one in self.slack.messages(CHANNEL) if one.get("thread_ts") in (None, one["ts"])]

    def said(self) -> list[str]:
        return [str(message["text"]) for message in self.messages()]

    def posts(self) -> int:
        return len(self.slack.calls("chat.postMessage"))


def drops(number: int = 1, status: str = "firing", destination: str = "cart", **labels: str) -> Any:
    ends = {"source": "shop/loadgen", "destination": f"shop/{destination}", "reason": "POLICY_DENIED"}
    found = alert("HubblePolicyDenied", status, **ends, **{"instance": str(number), "severity": "warning", **labels})
    return {**found, "fingerprint": f"{destination}{number}"}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Playground]:
    with running_playground(PlaygroundSettings(rates=RateLimits(enforced=False))) as running:
        yield running


@pytest.fixture
def room(workspace: Playground, redis: Redis, redis_server: EmbeddedRedis) -> Iterator[Room]:
    workspace.reset()
    found = Room(workspace, redis, redis_server.url)
    yield found
    found.dispatcher.close()


def test_a_card_lives_in_one_message(room: Room) -> None:
    def again_much_later() -> None:
        room.clock.wait(minutes=20)
        room.told(drops())

    steps: list[Callable[[], None]] = [
        lambda: room.told(drops()),
        lambda: room.told(drops(2)),
        room.answered,
        again_much_later,
        lambda: room.told(drops(1, "resolved"), drops(2, "resolved")),
    ]
    seen = []
    for step in steps:
        step()
        room.show()
        (text,) = room.said()
        seen.append(text)
    title = "shop/loadgen → shop/cart: packets are denied by policy"
    assert seen == [
        f"Firing: {title}",
        f"Firing: {title}",
        f"Firing: {title} – Blocked at egress",
        f"Still failing: {title} – Blocked at egress",
        f"Resolved after 24 min: {title}",
    ]


def test_the_card_says_what_the_answer_comes_to_and_its_thread_has_all_of_it(room: Room) -> None:
    room.told(drops(), drops(2))
    room.show()
    room.answered()
    room.show()
    (card,) = room.messages()
    shown = str(card["blocks"])
    assert "*Blocked at egress:* `shop/loadgen` → `payments/checkout-api`" in shown
    assert "*Why:*" in shown
    assert "warning · 2 alerts: HubblePolicyDenied · first 12:00 UTC" in shown
    (detail,) = room.slack.replies(card)
    assert "Blocked at egress" in str(detail["blocks"])


def test_the_same_alerts_again_edit_nothing(room: Room) -> None:
    room.told(drops())
    room.told(drops())
    room.show()
    assert (room.posts(), len(room.slack.calls("chat.update"))) == (1, 0)


def test_a_question_that_has_no_answer_is_said_in_words(room: Room) -> None:
    room.told(drops())
    (ticket,) = room.asked()
    room.surface.fail(ticket, timeout(timedelta(seconds=40), "flows"))
    room.show()
    (card,) = room.messages()
    assert "*Not diagnosed:* I gave up after 40 s. I was still waiting for flows." in str(card["blocks"])


def test_another_cluster_is_not_asked(room: Room) -> None:
    room.told(drops(cluster="staging"))
    assert room.asked() == []
    assert room.card().failure == "It is about the cluster staging; I look at prod."


def test_what_is_in_doubt_is_one_line_with_a_button(room: Room) -> None:
    room.told(alert("KubePodNotReady", namespace="shop"))
    assert room.asked() == []
    room.show()
    (card,) = room.messages()
    (line,) = card["blocks"]
    assert (line["accessory"]["value"], line["accessory"]["action_id"]) == ("drops shop", "ask_0")


def test_what_is_muted_is_kept_and_not_shown_until_it_is_heard_again(room: Room) -> None:
    room.told(drops())
    room.cards.change(room.ref(), lambda card: muted(card, room.clock.now + timedelta(hours=1), "U1"))
    room.show()
    assert room.said() == []
    room.clock.wait(hours=2)
    room.told(drops(2))
    room.show()
    assert len(room.said()) == 1


def test_the_rule_of_a_channel_is_asked_at_one_place(room: Room) -> None:
    quiet = replace(room.cards, manners=lambda place, card, at: Manner(has_detail=False, is_asked=False))
    quiet.take(of_document(webhook(drops())), HERE)
    assert room.asked() == []
    room.show(room.process(quiet))
    assert len(room.said()) == 1


def test_a_post_whose_acknowledgement_was_lost_is_found_again(room: Room) -> None:
    room.told(drops())
    room.slack.cause(lost_replies={"chat.postMessage": 1})
    room.show()
    assert len(room.said()) == 1


def test_where_nobody_may_look_for_a_lost_post_it_waits(room: Room) -> None:
    room.told(drops())
    room.slack.cause(lost_replies={"chat.postMessage": 1}, server_errors={"conversations.history": 1_000})
    showing = room.process()
    room.clock.wait(minutes=1)
    showing.show(room.clock.now)
    room.redis.delete(*room.redis.keys("*cards:turn*"))
    showing.show(room.clock.now)
    assert len(room.said()) == 1
    room.slack.cause(server_errors={"conversations.history": -1_000})
    room.redis.delete(*room.redis.keys("*cards:turn*"))
    showing.show(room.clock.now)
    assert len(room.said()) == 1


def test_a_process_that_was_lost_leaves_what_it_had_in_hand_to_another(room: Room) -> None:
    room.told(drops())
    outbox = room.cards.kept.outbox
    assert outbox.has_turn(HERE, "lost")
    outbox.take(HERE, room.clock.now)
    room.show()
    assert room.said() == []
    room.redis.delete(*room.redis.keys("*cards:turn*"))  # what the end of its turn does
    room.show()
    assert len(room.said()) == 1


def test_a_channel_that_slack_does_not_take_anything_for_stops_no_other(room: Room) -> None:
    room.cards.take(of_document(webhook(drops())), Place("T1", "C0NOWHERE"))
    room.told(drops())
    room.show()
    assert len(room.said()) == 1


def test_a_card_that_somebody_deleted_comes_back_only_while_it_fires(room: Room) -> None:
    def delete() -> None:
        (card,) = room.messages()
        slack_client(room.slack.settings.bot_token, room.slack.api_url).chat_delete(channel=CHANNEL, ts=card["ts"])

    room.told(drops())
    room.show()
    delete()
    room.told(drops(2))
    room.show()
    assert len(room.said()) == 1
    delete()
    room.told(drops(1, "resolved"), drops(2, "resolved"))
    room.show()
    assert room.said() == []


def test_a_card_of_which_nobody_tells_any_more_says_so(room: Room) -> None:
    room.told(drops())
    room.show()
    room.clock.wait(hours=20)
    room.told(drops())
    room.clock.wait(hours=20)
    room.show()
    assert room.said()[0].startswith("Firing")
    room.clock.wait(hours=20)
    room.show()
    assert room.said() == ["Nothing more heard since 08:01 UTC: shop/loadgen → shop/cart: packets are denied by policy"]


def test_in_its_thread_a_question_may_go_on(room: Room) -> None:
    room.told(drops())
    room.show()
    room.answered()
    room.show()
    (card,) = room.messages()
    thread = Where("T1", CHANNEL, "U1", Via.MENTION, thread_ts=card["ts"])
    assert Conversations(room.redis).latest(thread) == "why shop/loadgen payments/checkout-api 443"


def test_a_storm_has_a_summary(room: Room) -> None:
    for cause, count in enumerate((400, 300, 200, 30, 25, 20, 15, 10)):
        room.told(*(drops(number, destination=f"app{cause}") for number in range(count)))
    room.show()
    said = room.said()
    assert said[-1] == "3 causes explain 90 % of 1,000 alerts"
    assert (len(said), room.posts()) == (9, 9)
    room.told(*(drops(number, "resolved", destination=f"app{cause}") for cause in (7,) for number in range(10)))
    room.show()
    summary = room.messages()[-1]
    assert "1 resolved" in str(summary["blocks"])
    assert room.posts() == 9


def test_two_processes_double_nothing(room: Room) -> None:
    room.told(*(drops(destination=f"app{cause}") for cause in range(6)))
    room.clock.wait(minutes=1)
    one, other = room.process(), room.process()
    for _ in range(20):
        one.show(room.clock.now)
        other.show(room.clock.now)
    assert (len(room.said()), room.posts()) == (7, 7)


def test_the_answer_comes_to_the_surface_of_cards(room: Room) -> None:
    room.told(drops())
    (ticket,) = room.asked()
    assert (ticket.address.surface, ticket.text) == (CARD, "why shop/loadgen shop/cart")
