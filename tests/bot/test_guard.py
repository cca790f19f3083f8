"""Who may ask what, and how often."""

from collections.abc import Callable

import pytest
from redis import Redis

from bot.guard import Allowed, Guard, Rules
from bot.render.failure import FailureKind
from bot.slack_client import slack_client
from bot.usergroups import Usergroups
from bot.where import Via, Where
from handlers.commands.command import Role
from tools.playground.server import Playground

HOME = frozenset({"T1"})
GROUPS = {"SRE": frozenset({"ada"})}


def asker(user: str = "ada", channel: str = "C1", team: str = "T1") -> Where:
    return Where(team, channel, user, Via.COMMAND)


@pytest.fixture
def guard(redis: Redis) -> Callable[..., Guard]:
    return lambda **rules: Guard(Rules(HOME, **rules), redis, lambda group: GROUPS.get(group, frozenset()))


NO = FailureKind.NOT_ALLOWED
CASES: dict[str, tuple[dict[str, Allowed], Where, Role, FailureKind | None]] = {
    "everybody views": ({}, asker(), Role.VIEWER, None),
    "nobody operates": ({}, asker(), Role.OPERATOR, NO),
    "people of another workspace do not ask": ({}, asker(team="T2"), Role.VIEWER, NO),
    "where viewers are listed, others do not view": (
        {"viewers": Allowed(frozenset({"bob"}))},
        asker(),
        Role.VIEWER,
        NO,
    ),
    "a listed viewer views": ({"viewers": Allowed(frozenset({"ada"}))}, asker(), Role.VIEWER, None),
    "a channel may be listed": ({"viewers": Allowed(channels=frozenset({"C1"}))}, asker(), Role.VIEWER, None),
    "another channel is not": ({"viewers": Allowed(channels=frozenset({"C1"}))}, asker(channel="C2"), Role.VIEWER, NO),
    "members of a group view": ({"viewers": Allowed(usergroups=frozenset({"SRE"}))}, asker(), Role.VIEWER, None),
    "others do not": ({"viewers": Allowed(usergroups=frozenset({"SRE"}))}, asker("bob"), Role.VIEWER, NO),
    "members of a group operate": ({"operators": Allowed(usergroups=frozenset({"SRE"}))}, asker(), Role.OPERATOR, None),
    "an operator is a viewer too": (
        {"viewers": Allowed(frozenset({"bob"})), "operators": Allowed(frozenset({"ada"}))},
        asker(),
        Role.VIEWER,
        None,
    ),
    "a viewer is no operator": ({"viewers": Allowed(frozenset({"ada"}))}, asker(), Role.OPERATOR, NO),
}


@pytest.mark.parametrize("story", CASES)
def test_who_may_ask(guard: Callable[..., Guard], story: str) -> None:
    rules, where, role, kind = CASES[story]
    objection = guard(**rules).objection(where, role, "command")
    assert (objection.kind if objection else None) == kind
    assert objection is None or (objection.happened and objection.remedy)


def test_a_burst_of_fifty_questions_from_each_of_ten_people_passes(guard: Callable[..., Guard]) -> None:
    guarded = guard()
    people = [asker(f"user{number}") for number in range(10)]
    assert not any(guarded.objection(person, Role.VIEWER, "why") for person in people for _ in range(50))


def test_who_asks_too_much_is_told_how_long_to_wait_and_nobody_else_is(guard: Callable[..., Guard]) -> None:
    guarded = guard(questions_per_minute=3)
    answers = [guarded.objection(asker(), Role.VIEWER, "why") for _ in range(4)]
    assert [answer.kind if answer else None for answer in answers] == [None, None, None, FailureKind.RATE_LIMITED]
    assert answers[-1] is not None
    assert "Ask again in" in answers[-1].remedy
    assert guarded.objection(asker("bob"), Role.VIEWER, "why") is None


def test_after_the_minute_asking_is_possible_again(guard: Callable[..., Guard], redis: Redis) -> None:
    guarded = guard(questions_per_minute=1)
    guarded.objection(asker(), Role.VIEWER, "why")
    assert 0 < redis.ttl("cilium-triage:asked:T1:ada") <= 60
    redis.delete("cilium-triage:asked:T1:ada")  # what the end of the minute does
    assert guarded.objection(asker(), Role.VIEWER, "why") is None


def test_members_of_a_group_are_read_from_slack_and_remembered(slack: Playground) -> None:
    slack.reset()
    now = [0.0]
    groups = Usergroups(slack_client(slack.settings.bot_token, slack.api_url), clock=lambda: now[0])
    for at in (0.0, 299.0, 301.0):
        now[0] = at
        assert groups.members_of("S0ONCALL01") == {"U0ADA00001"}
    assert len(slack.calls("usergroups.users.list")) == 2


def test_what_was_known_of_a_group_stays_where_slack_does_not_answer(slack: Playground) -> None:
    slack.reset()
    now = [0.0]
    groups = Usergroups(slack_client(slack.settings.bot_token, slack.api_url), clock=lambda: now[0])
    groups.members_of("S0ONCALL01")
    now[0] = 400.0
    slack.cause(api_errors={"usergroups.users.list": ["missing_scope"]})
    assert groups.members_of("S0ONCALL01") == {"U0ADA00001"}


def test_nobody_is_in_a_group_that_was_never_read(slack: Playground) -> None:
    slack.reset()
    groups = Usergroups(slack_client(slack.settings.bot_token, slack.api_url))
    assert groups.members_of("S0NOWHERE") == frozenset()
