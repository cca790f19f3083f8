"""From the run to Slack: each place and each asker sees their part, and buttons are answered by who pressed them."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import redis
import structlog
from structlog.testing import capture_logs

from bot.audit import Act, Entry
from bot.behind import Behind, Look
from bot.channel_rules import Audience
from bot.publish import Publisher
from bot.render.progress import looking
from bot.reports import Reports
from bot.slack_client import slack_client
from bot.surface import Answer
from bot.surfaces.slack import SlackSurface, address_of, where_of
from bot.ticket import Address, Ticket
from bot.waiters import Waiters
from bot.where import Via, Where
from handlers.catalogue import understand
from handlers.model.ownership import Content, Owner
from handlers.model.report import FirstAnswer, Report
from handlers.rights.people import Person, read_people
from tests.rights.leaks import Names, names_in, names_said
from tests.scenarios.truth import FOLDER
from tools.playground.manifest import installed
from tools.playground.server import Playground, running_playground
from workers.answering import Answering
from workers.auditing import Auditing
from workers.looking import Looking
from workers.redacting import Redacting, asker_of
from workers.reviews import ReviewError, Reviews
from workers.rights import Rights, RightsOf
from workers.runner import Ran, run
from workers.sources.deadline import Deadline
from workers.sources.sysdump import SysdumpSource

MOMENT = "14-both-sides"
ASKED = "why shop/loadgen payments/checkout-api 443"
PEOPLE = read_people("people: [{slack: U0MARCO001, user: jane}, {slack: U0ADA00001, user: ada}]")
JANE, ADA = "U0MARCO001", "U0ADA00001"
READS = {"jane": ("shop", "payments"), "ada": ("shop",), "shop-readers": ("shop",)}
"""What namespaces a user or a group may read."""


@dataclass
class Cluster:
    """Stands for the API server."""

    fails: bool = False

    def review(self, person: Person, owner: Owner, deadline: Deadline) -> bool:
        if self.fails:
            raise ReviewError("the server fails")
        namespaces = {one for who in (person.user, *person.groups) for one in READS.get(who, ())}
        return owner.content is not Content.NODES and owner.namespace in namespaces


@dataclass
class Desk:
    """A worker's parts behind the run, with Slack and the API server in the test's hand."""

    playground: Playground
    client: redis.Redis
    publisher: Publisher
    cluster: Cluster = field(default_factory=Cluster)

    def __post_init__(self) -> None:
        self.reports = Reports(self.client)
        rights = Rights(
            lambda: PEOPLE,
            lambda _user: "",
            lambda _group: frozenset(),
            lambda _channel: Audience("", ("shop-readers",)),
            Reviews(self.cluster, self.client),
        )
        self.rights = RightsOf({"": rights})
        self.lines: list[Entry] = []
        told = Auditing(SlackSurface(self.publisher, self.reports), self.lines.append)
        self.surface = Redacting(told, self.rights, self.reports)
        self.channel = str(self.playground.say("ada", "#incident-42", "hello")["channel"])

    def ticket(self, user: str, channel: str = "") -> Ticket:
        where = Where("T", channel or self.channel, user, Via.COMMAND)
        placed = self.publisher.placeholder(where, looking("…"))
        return Ticket(f"{user}{placed.placeholder_ts}", ASKED, "why", False, address_of(placed), datetime.now(UTC))

    def press(self, what: Behind, user: str, ticket: Ticket) -> None:
        shown = next(one for one in self.said() if one["ts"] == where_of(ticket).placeholder_ts)
        value = next(
            button["value"]
            for block in shown["blocks"]
            for button in block.get("elements", ())
            if button.get("action_id") == Behind.EVIDENCE.value
        )
        whole_id = self.reports.whole_of(value)
        where = replace(where_of(ticket), user=user, via=Via.BUTTON)
        Looking(self.reports, self.publisher, self.rights, self.lines.append).show(Look(what, whole_id, where))

    def said(self, to: str | None = None) -> list[dict[str, Any]]:
        """Return what was said to everybody, or to one person alone."""
        return [one for one in self.playground.messages(self.channel) if one.get("only_for") == to]

    def files(self) -> list[str]:
        return [content.decode() for _name, content in self.playground.files()]


@pytest.fixture(scope="module")
def playground() -> Iterator[Playground]:
    with running_playground(installed()) as running:
        yield running


@pytest.fixture
def desk(playground: Playground, redis_client: redis.Redis) -> Desk:
    playground.reset()
    slack = slack_client(playground.settings.bot_token, playground.api_url)
    return Desk(playground, redis_client, Publisher(slack))


@pytest.fixture(scope="module")
def report() -> Report:
    source = SysdumpSource(FOLDER / MOMENT / "sysdump.zip")
    try:
        return run(understand(ASKED), source, owned=True).report
    finally:
        source.close()


@pytest.fixture(scope="module")
def names() -> Names:
    return names_in(FOLDER / MOMENT / "sysdump.zip")


def given(desk: Desk, report: Report) -> Answer:
    return Answer(report, desk.reports.save(report))


def test_a_channel_sees_what_all_of_it_may_and_who_asked_sees_the_rest_alone(
    desk: Desk, report: Report, names: Names
) -> None:
    desk.surface.answer(desk.ticket(JANE), given(desk, report))
    forbidden = names.forbidden_to(("shop",))
    assert names_said(json.dumps(desk.said()), forbidden) == []
    assert "a pod in a namespace that you may not read" in json.dumps(desk.said())
    (alone,) = desk.said(JANE)
    assert "checkout-ingress" in json.dumps(alone)


def test_who_may_read_no_more_than_the_channel_is_told_nothing_alone(desk: Desk, report: Report) -> None:
    desk.surface.answer(desk.ticket(ADA), given(desk, report))
    assert desk.said(ADA) == []


def test_a_first_answer_is_what_the_channel_may_see(desk: Desk, report: Report, names: Names) -> None:
    desk.surface.progress(desk.ticket(JANE), FirstAnswer(report, ("flows",)))
    assert names_said(json.dumps(desk.said()), names.forbidden_to(("shop",))) == []


def test_when_the_review_fails_nobody_sees_a_name(desk: Desk, report: Report, names: Names) -> None:
    desk.cluster.fails = True
    ticket = desk.ticket(JANE)
    desk.surface.answer(ticket, given(desk, report))
    desk.press(Behind.EVIDENCE, JANE, ticket)
    desk.press(Behind.PATCH, JANE, ticket)
    shown = json.dumps([desk.playground.messages(desk.channel), desk.files()])
    assert names_said(shown, names.forbidden_to(())) == []
    assert "Blocked at egress" in shown


def test_askers_share_a_run_and_never_a_redaction(desk: Desk, report: Report, names: Names) -> None:
    looks: list[str] = []

    def look(asked: object, progress: object) -> Ran:
        looks.append(str(asked))
        return Ran(report)

    waiters = Waiters(desk.client)
    tickets = [desk.ticket(JANE), desk.ticket(ADA)]
    for ticket in tickets:
        waiters.join(ticket)
    Answering({"": look}, waiters, desk.surface, desk.reports, soft_limit=40).answer(tickets[0], "run")
    assert looks == [ASKED]
    assert (len(desk.said(JANE)), len(desk.said(ADA))) == (1, 0)


@pytest.mark.parametrize("what", Behind)
def test_a_button_shows_the_thread_its_part_and_who_pressed_it_the_rest(
    desk: Desk, report: Report, names: Names, what: Behind
) -> None:
    ticket = desk.ticket(ADA)
    desk.surface.answer(ticket, given(desk, report))
    desk.press(what, ADA, ticket)
    assert names_said(json.dumps([desk.said(), desk.said(ADA), desk.files()]), names.forbidden_to(("shop",))) == []
    desk.press(what, JANE, ticket)
    assert names_said(json.dumps([desk.said(), desk.files()]), names.forbidden_to(("shop",))) == []
    assert "checkout-ingress" in json.dumps(desk.said(JANE))


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """All that is logged, whatever other tests of this process leave out."""
    kept = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with capture_logs() as lines:
        yield cast(list[Any], lines)
    structlog.configure(**kept)


def test_logs_hold_the_question_and_nothing_of_an_answer(
    desk: Desk, report: Report, names: Names, logged: list[Any]
) -> None:
    ticket = desk.ticket(JANE)
    waiters = Waiters(desk.client)
    waiters.join(ticket)
    Answering({"": lambda _asked, _progress: Ran(report)}, waiters, desk.surface, desk.reports, soft_limit=40).answer(
        ticket, "run"
    )
    desk.press(Behind.EVIDENCE, JANE, ticket)
    forbidden = names.forbidden_to(())
    assert {line["event"] for line in logged} >= {"looking", "looked", "shown"}
    assert names_said(json.dumps(logged), forbidden) == names_said(ASKED, forbidden)


def test_the_audit_log_says_who_was_shown_what_of_which_namespace(desk: Desk, report: Report) -> None:
    ticket = desk.ticket(JANE)
    desk.surface.answer(ticket, given(desk, report))
    desk.press(Behind.EVIDENCE, ADA, ticket)
    told = [(line.act, line.user, line.alone, dict(line.shown), bool(line.withheld)) for line in desk.lines]
    of_shop = {"shop": ("cilium-policies", "pods")}
    of_payments = {"payments": ("cilium-policies", "pods", "services")}
    assert told == [
        (Act.ANSWERED, JANE, False, of_shop, True),
        (Act.ANSWERED, JANE, True, {**of_shop, **of_payments}, True),
        (Act.SHOWN, ADA, False, of_shop, True),
    ]
    assert {line.verdict for line in desk.lines} == {"Blocked at egress"}
    assert [line.what for line in desk.lines] == [ASKED, ASKED, f"evidence of {ASKED}"]


def test_what_is_kept_for_the_thread_is_what_the_thread_saw(desk: Desk, report: Report, names: Names) -> None:
    """Bundles, cards and App Home are made of it."""
    ticket = desk.ticket(JANE)
    desk.surface.answer(ticket, given(desk, report))
    (kept,) = desk.reports.so_far(where_of(ticket))
    assert kept.ownership is None
    assert names_said(repr(kept), names.forbidden_to(("shop",))) == []


def test_of_a_cluster_whose_rights_nobody_reviews_there_is_the_verdict_alone(
    desk: Desk, report: Report, names: Names
) -> None:
    desk.surface.answer(replace(desk.ticket(JANE), cluster="elsewhere"), given(desk, report))
    assert names_said(json.dumps(desk.playground.messages(desk.channel)), names.forbidden_to(())) == []


def test_a_card_is_answered_as_its_channel_may_see() -> None:
    card = Ticket("1", ASKED, "why", False, Address("card", {"card": "T:C9:abc"}), datetime.now(UTC))
    assert asker_of(card) == ("", "C9")
