"""``drops``: silence is no all-clear, and a count is a count of what a person would count."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from handlers.model.finding import Outcome
from handlers.model.flow import LostEvents
from handlers.model.traffic import Protocol
from tests.knowledge.build import Cluster, codes, deny_all, shop, the
from tests.reading import in_words
from workers.status import Status, status_of

A, B = "shop/frontend-1", "shop/cart-1"

SILENT: dict[str, tuple[Callable[[Cluster], None], str]] = {
    "a node that relay does not hear": (
        lambda cluster: cluster.silent.update({"n2": "connection refused"}),
        "1 node was not heard (n2): connection refused",
    ),
    "a node that relay does not even list": (
        lambda cluster: cluster.unlisted.add("n2"),
        "1 node was not heard (n2): its Hubble is not known",
    ),
    "nodes that fail alike": (
        lambda cluster: cluster.silent.update({"n1": "n1: timeout", "n2": "n2: timeout"}),
        "2 nodes were not heard (n1, n2): it: timeout",
    ),
    "events that were lost": (
        lambda cluster: setattr(cluster, "lost", (LostEvents("n1", "HUBBLE_RING_BUFFER", 40),)),
        "40 events were lost",
    ),
    "an answer that was cut": (lambda cluster: setattr(cluster, "truncated", True), "the answer was cut at its bound"),
}


@pytest.mark.parametrize(("harm", "words"), SILENT.values(), ids=SILENT.keys())
def test_silence_is_no_all_clear(harm: Callable[[Cluster], None], words: str) -> None:
    cluster = shop()
    harm(cluster)
    report = cluster.ask("drops")
    assert in_words(report).startswith("Cannot tell what is dropped in the cluster")
    assert words in in_words(report).replace("The answer", "the answer")
    assert status_of(report) is Status.UNKNOWN


def test_the_drops_that_were_seen_are_told_though_a_node_was_silent() -> None:
    cluster = shop().policy(deny_all("shop", "cart")).dropped(A, B, 8080)
    cluster.silent = {"n1": "gone"}
    report = cluster.ask("drops")
    assert "1 drop in the cluster" in in_words(report)
    assert "1 node was not heard (n1): gone" in in_words(report)
    assert status_of(report) is Status.PROBLEM


def test_nothing_seen_is_told_of_the_time_that_is_remembered() -> None:
    cluster = shop()
    cluster.remembers = {"n2": 25}
    report = cluster.ask("drops")
    assert in_words(report).startswith("No drops seen in the cluster in the last 25s")
    assert "n2 remembers no more than that" in in_words(report)
    assert status_of(report) is Status.FINE


def test_what_passed_in_audit_mode_was_not_dropped() -> None:
    report = shop(policy_audit_mode="true").policy(deny_all("shop", "cart")).audited(A, B, 8080).ask("drops")
    assert in_words(report).startswith("No drops seen")
    assert "1 packet passed only because of audit mode" in in_words(report)
    assert status_of(report) is Status.FINE


def test_neighbour_discovery_is_one_line_and_no_problem() -> None:
    how: dict[str, Any] = {"reason": "UNSUPPORTED_L3_PROTOCOL", "protocol": Protocol.ICMPV6, "icmp_type": 133}
    cluster = shop().dropped("reserved:unknown@fe80::1", "reserved:unknown@ff02::2", **how)
    cluster.dropped("reserved:unknown@fe80::2", "reserved:unknown@ff02::2", **how)
    report = cluster.ask("drops")
    assert in_words(report).startswith("No drops seen")
    assert "IPv6 neighbour discovery" in the(report, "NEIGHBOUR_NOISE").text
    assert status_of(report) is Status.FINE


@pytest.mark.parametrize("asked", ["n2", "node/n2"])
def test_drops_of_one_node(asked: str) -> None:
    cluster = shop().deploy("pay/ledger", on="n1").dropped(A, B, 8080, node="n2", times=2)
    cluster.dropped(A, "pay/ledger-1", 5432, node="n1")
    cluster.silent = {"n1": "gone"}
    report = cluster.ask(f"drops {asked}")
    assert in_words(report).startswith("2 drops in")
    assert "NODES_NOT_HEARD" not in codes(report)


def test_names_that_share_an_address_are_told_by_the_flows_that_carry_one_alone() -> None:
    cluster = shop()
    for names, times in ((("api.stripe.example", "hooks.slack.example"), 12), (("hooks.slack.example",), 3)):
        known = len(cluster.flows)
        cluster.dropped(A, "198.18.10.20", 443, ingress=False, times=times)
        named = [replace(flow, destination=replace(flow.destination, names=names)) for flow in cluster.flows[known:]]
        cluster.flows[known:] = named
    (group,) = [finding for finding in cluster.ask("drops").findings if finding.outcome is Outcome.PROBLEM]
    assert (group.weight, group.values["destination"]) == (15, "hooks.slack.example (world)")


def test_one_policy_that_denies_many_clients_is_one_cause() -> None:
    cluster = shop().policy(deny_all("shop", "cart"))
    for number in range(9):
        cluster.deploy(f"shop/client{number}").dropped(f"shop/client{number}-1", B, 8080, times=2)
    report = cluster.ask("drops")
    assert in_words(report) == "18 drops in the cluster in the last 15m; 1 cause explains 100 %"
    assert codes(report).count("DROPS_BY_POLICY") == 5
    rest = the(report, "DROPS_ALIKE")
    assert (rest.values["pairs"], rest.weight) == (4, 8)
    (table,) = report.tables
    assert [row[:4] for row in table.rows] == [
        ("ingress of shop/cart denied by NetworkPolicy shop/deny-all", 18, 100.0, 9)
    ]


def test_causes_have_their_share_and_their_time() -> None:
    cluster = shop().deploy("pay/ledger", on="n2").policy(deny_all("shop", "cart"))
    cluster.dropped(A, B, 8080, times=3).dropped(A, "pay/ledger-1", 5432, reason="CT_MAP_INSERTION_FAILED")
    (table,) = cluster.ask("drops").tables
    assert [(row[1], row[2]) for row in table.rows] == [(3, 75.0), (1, 25.0)]
    assert all(str(first) <= str(last) for *_, first, last in table.rows)
