"""What a digest says of two moments: truth tables of what differs, and laws that hold for any two."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.digests.compare import Kind, compare
from handlers.digests.form import NotADigestError, digest_json, moment_from
from handlers.digests.moment import Moment, moment_of
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.report import Budget
from handlers.model.table import Table
from tests.digests.build import FRIDAY, MONDAY, dropped, drops, moment, problem, report, unknown, unread_agent

FULL = problem("MAP_NEARLY_FULL", "map {map} on {node} is {percent} % full", map="ct4", node="worker-1", percent=93)
FULLER = problem("MAP_NEARLY_FULL", "map {map} on {node} is {percent} % full", map="ct4", node="worker-1", percent=97)
ELSEWHERE = problem("MAP_NEARLY_FULL", "map {map} on {node} is full", map="ct4", node="worker-2", percent=99)
CRASHES = problem(
    "CILIUM_POD_CRASHES", "{who} crashed {age} ago", who="Agent cilium-jlzk7", nodes=("worker-1",), age="15s"
)
CRASHES_AGAIN = problem(
    "CILIUM_POD_CRASHES", "{who} crashed {age}", who="Agent cilium-x4r8z", nodes=("worker-1",), age="9s"
)
CRASHES_BOTH = problem("CILIUM_POD_CRASHES", "{who} crashed", who="Agent cilium-x4r8z", nodes=("worker-1", "worker-2"))
DENIED = "ingress of shop/cart denied by CiliumNetworkPolicy shop/cart-lock"
PAIRS = ("shop/web > shop/cart 8080/TCP", "shop/api > shop/cart 8080/TCP")
WORLD = ("198.18.10.7 (world)", "203.0.113.9 (world)")


def _from_world(address: str) -> list[Finding]:
    (found,) = dropped(DENIED, 8, "somebody > shop/cart 8080/TCP")
    return [replace(found, sentence=Sentence("…", {**found.values, "source": address}))]


EMPTY = problem("LINT_EMPTY_RULE", policy="shop/cart", place="/spec")


def _maps(share: float, *findings: Finding) -> Moment:
    table = Table("Maps", ("node", "map", "%"), (("worker-1", "ct4", share),))
    return moment(report("maps", *findings, tables=(table,)))


def _identities(count: int) -> Moment:
    found = Finding("IDENTITIES_HAVE_ROOM", Outcome.FINE, Sentence("…", {"count": count}))
    return moment(report("maps", found))


CHANGES: dict[str, tuple[Moment, Moment, list[str]]] = {
    "the same problem with another percentage stands": (
        moment(report("health", FULL)),
        moment(report("health", FULLER)),
        [],
    ),
    "the same on another node is another problem": (
        moment(report("health", FULL)),
        moment(report("health", FULL, ELSEWHERE)),
        ["new"],
    ),
    "one is over and another began": (
        moment(report("health", FULL)),
        moment(report("health", ELSEWHERE)),
        ["new", "cleared"],
    ),
    "another pod of the same workload, a moment later": (
        moment(report("health", CRASHES)),
        moment(report("health", CRASHES_AGAIN)),
        [],
    ),
    "a problem spreads to a second node": (
        moment(report("health", CRASHES)),
        moment(report("health", CRASHES_BOTH)),
        ["worse"],
    ),
    "what two questions tell alike is told once": (
        moment(report("health"), report("nodes")),
        moment(report("health", FULL), report("nodes", FULL)),
        ["new"],
    ),
    "an agent that is not read clears nothing of its node": (
        moment(report("health", FULL)),
        moment(report("health", gaps=(unread_agent("worker-1"),))),
        [],
    ),
    "an agent of another node that is not read hides nothing": (
        moment(report("health", FULL)),
        moment(report("health", gaps=(unread_agent("worker-3"),))),
        ["cleared"],
    ),
    "a check that could not be made clears nothing of its own": (
        moment(report("health", FULL)),
        moment(report("health", unknown("PART_MISSING", probe="health_maps_have_room"))),
        [],
    ),
    "a check of something else that could not be made hides nothing": (
        moment(report("health", FULL)),
        moment(report("health", unknown("PART_MISSING", probe="versions_agree"))),
        ["cleared"],
    ),
    "a cluster that does not answer clears nothing": (
        moment(report("health", FULL)),
        moment(report("health", unknown("UNREACHED"))),
        [],
    ),
    "a question that was not asked this time clears nothing": (
        moment(report("health", FULL)),
        moment(report("lint")),
        [],
    ),
    "drops with other counts of the same size stand": (
        moment(drops(*dropped(DENIED, 12))),
        moment(drops(*dropped(DENIED, 19))),
        [],
    ),
    "ten times the drops are worse": (
        moment(drops(*dropped(DENIED, 12))),
        moment(drops(*dropped(DENIED, 120))),
        ["worse"],
    ),
    "a tenth of the drops is better": (
        moment(drops(*dropped(DENIED, 120))),
        moment(drops(*dropped(DENIED, 12))),
        ["better"],
    ),
    "four times the drops in four times the time are as before": (
        moment(drops(*dropped(DENIED, 60), minutes=15)),
        moment(drops(*dropped(DENIED, 240), minutes=60)),
        [],
    ),
    "another pair that the same policy stops is worse": (
        moment(drops(*dropped(DENIED, 8, PAIRS[0]))),
        moment(drops(*dropped(DENIED, 16, *PAIRS))),
        ["worse"],
    ),
    "a pair of several that nobody tried any more stands": (
        moment(drops(*dropped(DENIED, 16, *PAIRS))),
        moment(drops(*dropped(DENIED, 8, PAIRS[0]))),
        [],
    ),
    "another client of the world is no other pair": (
        moment(drops(*_from_world(WORLD[0]))),
        moment(drops(*_from_world(WORLD[1]))),
        [],
    ),
    "drops of another cause": (
        moment(drops(*dropped(DENIED, 8))),
        moment(drops(*dropped("NO_EGRESS_GATEWAY", 8))),
        ["new", "cleared"],
    ),
    "drops seen by a node that is not heard now are not over": (
        moment(drops(*dropped(DENIED, 8))),
        moment(drops(silent=("worker-1",))),
        [],
    ),
    "drops seen by a node that is heard are over": (
        moment(drops(*dropped(DENIED, 8))),
        moment(drops(silent=("worker-2",))),
        ["cleared"],
    ),
    "as many events lost as were dropped leave it open": (
        moment(drops(*dropped(DENIED, 8))),
        moment(drops(lost=8)),
        [],
    ),
    "one event lost does not hide eight drops": (
        moment(drops(*dropped(DENIED, 8))),
        moment(drops(lost=1)),
        ["cleared"],
    ),
    "flows of a node that was not heard leave what policies say as it is": (
        moment(report("lint", EMPTY)),
        moment(report("lint", budget=Budget(("worker-1",), ("worker-2",)))),
        ["cleared"],
    ),
    "rules of which nobody knows whether they are used hide no other oddity": (
        moment(report("lint", EMPTY)),
        moment(report("lint", unknown("UNUSED_RULES_UNKNOWN"))),
        ["cleared"],
    ),
    "a map that fills up is worse": (_maps(41.0), _maps(72.0), ["worse"]),
    "a map that is nearly empty may double": (_maps(5.0), _maps(11.0), []),
    "a map of which a problem tells is told once": (_maps(41.0), _maps(95.0, FULL), ["new"]),
    "identities of another hundred pods are no news": (_identities(400), _identities(500), []),
    "identities that doubled are": (_identities(400), _identities(800), ["worse"]),
    "a policy that was changed since has dropped for the last time": (
        moment(drops()),
        moment(drops(problem("DROPS_BY_FORMER_POLICY", cause="a policy of before"))),
        [],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_differs(name: str) -> None:
    before, now, kinds = CHANGES[name]
    assert [str(change.kind) for change in compare(before, now).changes] == kinds


def test_a_first_digest_tells_all_that_stands() -> None:
    digest = compare(None, moment(report("health", FULL)))
    assert [change.kind for change in digest.changes] == [Kind.NEW]
    assert digest.is_worse
    assert not digest.is_unchanged


def test_what_could_not_be_looked_at_is_carried_until_it_can() -> None:
    unheard = compare(moment(report("health", FULL)), moment(report("health", gaps=(unread_agent("worker-1"),))))
    assert "93 % full" in str(unheard.unread[0])
    assert unheard.is_in_doubt
    still = compare(unheard.now, moment(report("health", FULLER)))
    assert not still.changes
    over = compare(unheard.now, moment(report("health")))
    assert [change.kind for change in over.changes] == [Kind.CLEARED]


def test_the_worst_is_told_first() -> None:
    before = moment(report("health", ELSEWHERE), report("lint"))
    mild = problem("LINT_EMPTY_RULE", policy="shop/cart", place="/spec")
    now = moment(report("health", CRASHES), report("lint", mild))
    assert [(change.kind, change.question) for change in compare(before, now).changes] == [
        (Kind.NEW, "health"),
        (Kind.NEW, "lint"),
        (Kind.CLEARED, "health"),
    ]


# -- laws -------------------------------------------------------------------------------------------------------------

_PROBLEMS = st.builds(
    lambda code, node, percent: problem(code, map="ct4", node=node, percent=percent),
    st.sampled_from(["MAP_NEARLY_FULL", "NODE_NOT_READY", "POLICY_REFUSED"]),
    st.sampled_from(["worker-1", "worker-2", "worker-3"]),
    st.integers(1, 99),
)
_DROPS = st.builds(
    lambda cause, count: dropped(cause, count)[0],
    st.sampled_from([DENIED, "CT_MAP_INSERTION_FAILED"]),
    st.integers(1, 500),
)
_GAPS = st.lists(st.sampled_from(["worker-1", "worker-2", "worker-3"]).map(unread_agent), max_size=2, unique=True)


@st.composite
def _moments(draw: st.DrawFn) -> Moment:
    reports = [
        report("health", *draw(st.lists(_PROBLEMS, max_size=4)), at=FRIDAY, gaps=tuple(draw(_GAPS))),
        drops(*draw(st.lists(_DROPS, max_size=2)), lost=draw(st.integers(0, 9))),
        report("lint", at=MONDAY),
    ]
    return moment_of(reports[: draw(st.integers(1, 3))])


@settings(max_examples=60)
@given(_moments())
def test_a_moment_differs_in_nothing_from_itself(now: Moment) -> None:
    digest = compare(now, now)
    assert not digest.changes
    assert digest.is_unchanged


@settings(max_examples=60)
@given(_moments(), _moments())
def test_new_and_standing_are_together_all_problems_and_nothing_is_lost(before: Moment, now: Moment) -> None:
    digest = compare(before, now)
    assert len(digest.problems) == len(now.problems)
    told = [change.kind for change in digest.changes]
    assert all(problem.kind is not Kind.CLEARED for problem in digest.problems)
    gone = {one.key for one in before.problems} - {one.key for one in now.problems}
    assert told.count(Kind.CLEARED) + len(digest.held) == len(gone)


@settings(max_examples=60)
@given(_moments(), _moments())
def test_the_next_digest_reads_what_this_one_wrote(before: Moment, now: Moment) -> None:
    digest = compare(before, now)
    assert moment_from(json.loads(json.dumps(digest_json(digest)))) == digest.now


@pytest.mark.parametrize("document", [None, 7, [], {}, {"moment": {}}, {"schema": 99}, {"moment": {"at": "never"}}])
def test_what_is_no_digest_is_refused(document: object) -> None:
    with pytest.raises(NotADigestError):
        moment_from(document)


def test_the_json_has_what_was_promised() -> None:
    document = digest_json(compare(moment(report("health", FULL)), moment(report("health", ELSEWHERE))))
    kinds: Sequence[str] = [change["kind"] for change in document["changes"]]
    assert kinds == ["new", "cleared"]
    assert document["problems"][0]["evidence"] == [
        {"source": "agent", "ref": "Node//worker-2", "pointer": "", "at": None, "excerpt": ""}
    ]
    assert document["unread"] == []
