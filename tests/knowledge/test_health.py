"""``health``: what is ill, what is only noted, and what was not looked at."""

from dataclasses import replace

import pytest

from handlers.model.agent import Controller, EndpointLogEntry, Metric
from handlers.model.finding import Outcome
from handlers.model.parts import Part
from handlers.model.report import Report
from tests.knowledge.build import Cluster, ago, node, shop, the
from workers.status import Status, status_of

FAILED = Metric("cilium_policy_change_total", {"outcome": "fail"}, 3)


def test_a_count_of_a_lifetime_is_a_note_and_no_problem() -> None:
    report = shop().agent("n1", Part.AGENT_METRICS, (FAILED,)).ask("health")
    note = the(report, "IMPORT_ERRORS")
    assert note.outcome is Outcome.FINE
    assert note.text == "Since it started, the agent of n1 failed to import 3 policy changes"
    assert status_of(report) is Status.FINE


def of_nodes(count: int) -> Report:
    cluster = Cluster()
    cluster.nodes = [node(f"n{number}", number) for number in range(1, count + 1)]
    return cluster.pod("shop/frontend", on="n1").healthy_agents().ask("health")


def test_a_large_cluster_is_told_which_agents_were_not_asked_and_how_to() -> None:
    report = of_nodes(60)
    unread = the(report, "AGENT_UNREAD")
    assert (unread.values["count"], unread.outcome) == (20, Outcome.UNKNOWN)
    assert "health NODE" in unread.advice
    assert "n41" in unread.text
    assert status_of(report) is Status.UNKNOWN
    assert status_of(of_nodes(40)) is Status.FINE


FAILS = (Controller("regenerate", 3, "no", None),)
STATES = {
    "a new identity, 20 s ago": ("waiting-for-identity", 20, (), "ENDPOINT_CHANGES"),
    "a new policy, 20 s ago": ("regenerating", 20, (), "ENDPOINT_CHANGES"),
    "it has lasted": ("regenerating", 200, (), "ENDPOINT_NOT_READY"),
    "it fails": ("regenerating", 20, FAILS, "ENDPOINT_NOT_READY"),
    "nobody tells since when": ("regenerating", None, (), "ENDPOINT_NOT_READY"),
    "a state that does not end by itself": ("not-ready", 20, (), "ENDPOINT_NOT_READY"),
}


@pytest.mark.parametrize(("state", "age", "failing", "code"), STATES.values(), ids=STATES.keys())
def test_an_endpoint_may_leave_the_state_ready_for_a_moment(
    state: str, age: float | None, failing: tuple[Controller, ...], code: str
) -> None:
    cluster = shop()
    log = () if age is None else (EndpointLogEntry("OK", "", state, ago(age)),)
    changed = [replace(one, log=log, failing=failing) for one in cluster.agent_endpoints("n2", state=state)]
    report = cluster.agent("n2", Part.AGENT_ENDPOINTS, tuple(changed)).ask("health")
    assert the(report, code).values["state"] == state
    assert (status_of(report) is Status.FINE) == (code == "ENDPOINT_CHANGES")
