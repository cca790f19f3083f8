"""``maps``: how full the datapath's maps are, what a small limit means, and what a full one costs."""

from collections.abc import Callable
from typing import Any

import pytest

from handlers.model.agent import AgentStatus, LoadBalancerEntry, Metric, PolicyMapEntry
from handlers.model.finding import Outcome
from handlers.model.log import PodLog
from handlers.model.parts import Part
from tests.knowledge.build import Cluster, ago, codes, the
from tests.reading import in_words
from workers.status import Status, status_of

FRONTEND, CART = "shop/frontend-1", "shop/cart-1"
SIZES = {"TCP connection tracking": 1000, "Endpoint policy": 20, "IPv4 service": 100, "IPv4 service backend": 100}


def pressed(share: float, name: str = "ct4_global", **options: Any) -> Cluster:
    """Return the shop, where a map of n1 is in use to a part."""
    cluster = (
        Cluster(**options)
        .deploy("shop/frontend", on="n1")
        .deploy("shop/cart", on="n2", ports=("http:8080",))
        .healthy_agents()
    )
    for node, value in (("n1", share), ("n2", 0.01)):
        cluster.agent(node, Part.AGENT_METRICS, (Metric("cilium_bpf_map_pressure", {"map_name": name}, value),))
        cluster.agent(node, Part.AGENT_STATUS, AgentStatus("1.19.0", "Ok", "", {}, (), (), map_sizes=SIZES))
        cluster.agent(node, Part.AGENT_POLICY_MAP, ())
        cluster.agent(node, Part.AGENT_SERVICES, ())
        cluster.agent(node, Part.AGENT_LOG, PodLog("kube-system", f"cilium-{node}", "cilium-agent", ()))
    return cluster


def counted(entries: int) -> Cluster:
    """Return the shop with a policy map of one endpoint that has as many entries."""
    found = tuple(PolicyMapEntry(7, True, False, number, 6, 80, 24, 0, None) for number in range(entries))
    return pressed(0.1).agent("n1", Part.AGENT_POLICY_MAP, found)


def logged(seconds: float, line: str = "unable to sync policy map: no space left on device") -> Cluster:
    at = f"{ago(seconds):%Y-%m-%dT%H:%M:%SZ}"
    log = PodLog("kube-system", "cilium-n1", "cilium-agent", (f'{at} time={at} level=error msg="{line}"',))
    return pressed(0.1).agent("n1", Part.AGENT_LOG, log)


def counting(reason: str) -> Cluster:
    drops = Metric("cilium_drop_count_total", {"reason": reason, "direction": "INGRESS"}, 7)
    pressure = Metric("cilium_bpf_map_pressure", {"map_name": "ct4_global"}, 0.1)
    return pressed(0.1).agent("n1", Part.AGENT_METRICS, (drops, pressure))


SMALL = {"bpf_ct_global_tcp_max": "1000"}
CASES: dict[str, tuple[Callable[[], Cluster], str, Outcome]] = {
    "room enough": (lambda: pressed(0.3), "MAPS_HAVE_ROOM", Outcome.FINE),
    "nearly full": (lambda: pressed(0.95), "MAP_NEARLY_FULL", Outcome.PROBLEM),
    "a policy map beyond its limit": (lambda: pressed(1.68, "policy_00007"), "MAP_NEARLY_FULL", Outcome.PROBLEM),
    "a small limit, much in use": (lambda: pressed(0.41, **SMALL), "MAP_LIMIT_SMALL", Outcome.PROBLEM),
    "an entry refused just now": (lambda: logged(60), "MAP_REFUSES_ENTRIES", Outcome.PROBLEM),
    "a policy map counted full": (lambda: counted(19), "MAP_COUNTED_FULL", Outcome.PROBLEM),
    "drops for want of room": (
        lambda: pressed(0.5).dropped(FRONTEND, CART, 8080, reason="CT_MAP_INSERTION_FAILED"),
        "MAP_DROPS",
        Outcome.PROBLEM,
    ),
    "such drops of a lifetime": (
        lambda: counting("CT: Map insertion failed"),
        "MAP_DROPS_COUNTED",
        Outcome.FINE,
    ),
}


@pytest.mark.parametrize(("cluster", "code", "outcome"), CASES.values(), ids=list(CASES))
def test_what_a_map_tells(cluster: Callable[[], Cluster], code: str, outcome: Outcome) -> None:
    report = cluster().ask("maps")
    assert code in codes(report), in_words(report)
    assert {finding.outcome for finding in report.findings if finding.code == code} >= {outcome}
    assert status_of(report) is (Status.PROBLEM if outcome is Outcome.PROBLEM else Status.FINE)


QUIET: dict[str, Callable[[], Cluster]] = {
    "a small limit, hardly in use": lambda: pressed(0.02, **SMALL),
    "a small limit that the agent has not read": lambda: pressed(0.41, bpf_ct_global_tcp_max="500"),
    "an entry refused hours ago": lambda: logged(7200),
    "a policy map with room": lambda: counted(3),
    "drops for another reason": lambda: pressed(0.5).dropped(FRONTEND, CART, 8080),
}


@pytest.mark.parametrize("cluster", QUIET.values(), ids=list(QUIET))
def test_what_is_no_problem(cluster: Callable[[], Cluster]) -> None:
    assert status_of(cluster().ask("maps")) is Status.FINE


def test_a_small_limit_names_setting_value_and_share() -> None:
    small = the(pressed(0.412, **SMALL).ask("maps n1"), "MAP_LIMIT_SMALL")
    assert "bpf-ct-global-tcp-max is 1000 in cilium-config" in small.text
    assert "41.2 % are in use (cilium_bpf_map_pressure map_name=ct4_global 0.41)" in small.text
    assert small.advice.startswith("Raise bpf-ct-global-tcp-max")


def test_the_table_is_sorted_by_use_and_keeps_what_is_not_known_apart_from_zero() -> None:
    cluster = pressed(0.3)
    entry = LoadBalancerEntry("10.96.0.1:80", "TCP", ("10.0.2.11:8080", "10.0.2.12:8080"), "shop", "cart")
    cluster.agent("n1", Part.AGENT_SERVICES, (entry,))
    (table,) = cluster.ask("maps n1").tables
    assert table.rows[:3] == (
        ("n1", "ct4_global", "TCP connection tracking", 300, 1000, 30.0),
        ("n1", "lb4_services", "IPv4 service", 3, 100, 3.0),
        ("n1", "lb4_backends", "IPv4 service backend", 2, 100, 2.0),
    )


def test_metrics_without_pressure_are_no_roomy_maps() -> None:
    cluster = pressed(0.3).agent("n1", Part.AGENT_METRICS, ())
    report = cluster.ask("maps n1")
    assert the(report, "MAP_PRESSURE_UNTOLD").outcome is Outcome.UNKNOWN
    assert status_of(report) is Status.UNKNOWN


def test_metrics_that_cannot_be_read_leave_it_open() -> None:
    cluster = pressed(0.3)
    del cluster.of_node[Part.AGENT_METRICS, "n1"]
    assert status_of(cluster.ask("maps")) is Status.UNKNOWN
