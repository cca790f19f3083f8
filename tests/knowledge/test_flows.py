"""``flows`` and ``talkers``: a connection counts once, whoever saw it; what was not heard is not nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.finding import Outcome
from handlers.model.flow import FlowPolicy, FlowVerdict
from handlers.model.report import Report
from handlers.model.table import Cell
from handlers.model.traffic import Protocol
from handlers.source import Source
from tests.cluster.lab import lab
from tests.cluster.record import unpacked_dump
from tests.knowledge.build import Cluster, codes, shop, the
from tests.reading import in_words
from workers.runner import run
from workers.sources.recorded import RecordingSource, ReplaySource
from workers.sources.sysdump import SysdumpSource
from workers.status import Status, status_of

A, B = "shop/frontend-1", "shop/cart-1"


def rows_of(report: Report, table: int = 0) -> list[tuple[Cell, ...]]:
    """Return the rows of a list of flows without their times."""
    return [row[1:] if report.command == "flows" else row for row in report.tables[table].rows]


SEEN: dict[str, tuple[Callable[[Cluster], Cluster], list[tuple[Cell, ...]]]] = {
    "both nodes saw it, and the reply": (
        lambda cluster: cluster.worked(A, B, 8080),
        [("shop/frontend", "shop/cart", "8080/TCP", "forwarded", "", 1)],
    ),
    "two connections that are alike": (
        lambda cluster: cluster.worked(A, B, 8080).worked(A, B, 8080, client_port=40_001),
        [("shop/frontend", "shop/cart", "8080/TCP", "forwarded", "", 2)],
    ),
    "a drop, its verdict and its retransmissions": (
        lambda cluster: cluster.dropped(A, B, 8080, times=3),
        [("shop/frontend", "shop/cart", "8080/TCP", "dropped", "POLICY_DENIED", 1)],
    ),
    "forwarded at one node and dropped at the other": (
        lambda cluster: cluster.sent(A, B, 8080).dropped(A, B, 8080, reason="POLICY_DENY", by=["CNP/shop/shut"]),
        [("shop/frontend", "shop/cart", "8080/TCP", "dropped", "POLICY_DENY by shop/shut", 1)],
    ),
    "a reply that was dropped": (
        lambda cluster: cluster.delivered(A, B, 8080).dropped(B, A, 40_000, client_port=8080, reason="CT_TRUNCATED"),
        [("shop/frontend", "shop/cart", "8080/TCP", "dropped", "CT_TRUNCATED", 1)],
    ),
    "an attempt that nobody answered": (
        lambda cluster: cluster.sent(A, B, 8080).sent(A, B, 8080, at=59),
        [("shop/frontend", "shop/cart", "8080/TCP", "forwarded", "no answer seen", 1)],
    ),
    "an attempt that was refused": (
        lambda cluster: cluster.delivered(A, B, 8080).refused(A, B, 8080),
        [("shop/frontend", "shop/cart", "8080/TCP", "forwarded", "refused by a reset", 1)],
    ),
    "the policy that allowed it": (
        lambda cluster: cluster.worked(A, B, 8080).delivered(
            A, B, 8080, flags="ACK", allowed_by=(FlowPolicy("CiliumNetworkPolicy", "shop", "in"),)
        ),
        [("shop/frontend", "shop/cart", "8080/TCP", "forwarded", "allowed by shop/in", 1)],
    ),
    "audit mode": (
        lambda cluster: cluster.audited(A, B, 8080),
        [("shop/frontend", "shop/cart", "8080/TCP", "audit", "passed only because of audit mode", 1)],
    ),
    "handed to the proxy": (
        lambda cluster: cluster.saw(A, B, 8080, verdict=FlowVerdict.REDIRECTED).answered(A, B, 8080),
        [("shop/frontend", "shop/cart", "8080/TCP", "redirected", "", 1)],
    ),
    "a request that the proxy refused": (
        lambda cluster: cluster.http(A, B, 8080, 403),
        [("shop/frontend", "shop/cart", "8080/TCP HTTP", "dropped", "403 GET http://x/", 1)],
    ),
    "a name that does not exist": (
        lambda cluster: cluster.asked(A, "nope.example").dns(A, "nope.example", rcode=3),
        [("shop/frontend", "kube-system/coredns", "53/UDP DNS", "forwarded", "NXDOMAIN nope.example.", 1)],
    ),
    "neighbour discovery is none": (
        lambda cluster: cluster.saw("fe80::1", "ff02::2", protocol=Protocol.ICMPV6, icmp_type=133),
        [],
    ),
}


@pytest.mark.parametrize(("see", "rows"), SEEN.values(), ids=SEEN.keys())
def test_a_connection_is_one_row(see: Callable[[Cluster], Cluster], rows: list[tuple[Cell, ...]]) -> None:
    report = see(shop().deploy("kube-system/coredns")).ask("flows")
    assert (rows_of(report) if rows else list(report.tables)) == rows


NARROWED = {
    "flows": 5,
    "flows shop/frontend": 4,
    "flows shop/frontend shop/cart": 2,
    "flows shop/cart shop/frontend": 2,
    "flows shop": 5,
    "flows world": 1,
    "flows pay": 0,
    "flows tcp": 4,
    "flows udp": 1,
    "flows icmp": 0,
    "flows http": 1,
    "flows dns": 1,
    "flows port 443": 1,
    "flows dropped": 2,
    "flows shop/frontend forwarded": 3,
    "flows 198.18.10.20": 1,
    "flows node/n2": 2,
    "flows since 30s": 0,
}


@pytest.mark.parametrize(("asked", "count"), NARROWED.items(), ids=NARROWED.keys())
def test_flows_are_narrowed_to_what_was_asked(asked: str, count: int) -> None:
    cluster = shop().deploy("kube-system/coredns", on="n1").deploy("shop/redis", on="n1").deploy("pay/idle", on="n1")
    cluster.saw(A, B, 8080, node="n1", flags="ACK").dropped("shop/redis-1", B, 9090)
    cluster.http(A, B, 8080, 403).saw(A, "reserved:world@198.18.10.20", 443, node="n1", flags="ACK")
    cluster.saw(A, "kube-system/coredns-1", 53, protocol=Protocol.UDP, node="n1")
    cluster.flows = [flow for flow in cluster.flows if not (flow.http and flow.node == "n2" and flow.is_reply)]
    report = cluster.ask(asked)
    rows = rows_of(report) if report.tables else []
    assert sum(int(str(row[-1])) for row in rows) == count


def test_what_was_dropped_opens_into_a_why() -> None:
    report = shop().dropped(A, B, 8080, times=2).worked(A, B, 9090).ask("flows shop")
    assert in_words(report).startswith("2 connections of shop in the last 15m, 1 pair; 1 dropped")
    dropped = the(report, "FLOWS_DROPPED")
    assert (dropped.outcome, dropped.follow_up) == (Outcome.PROBLEM, "why shop/frontend shop/cart 8080/TCP")
    assert status_of(report) is Status.PROBLEM


def test_an_attempt_without_an_answer_is_told_and_is_no_problem() -> None:
    report = shop().sent(A, B, 8080).ask("flows")
    assert in_words(report).startswith("1 connection of the cluster in the last 15m, 1 pair; 0 dropped, 1 not answered")
    assert the(report, "FLOWS_UNANSWERED").follow_up == "why shop/frontend shop/cart 8080/TCP"
    assert status_of(report) is Status.FINE


@pytest.mark.parametrize("asked", ["flows", "talkers", "flows shop dropped"])
def test_nothing_heard_is_never_nothing(asked: str) -> None:
    cluster = shop()
    cluster.silent = {"n2": "connection refused"}
    report = cluster.ask(asked)
    assert in_words(report).startswith("Cannot tell whether there were")
    assert "n2" in in_words(report)
    assert status_of(report) is Status.UNKNOWN


def test_nothing_seen_is_told_of_the_time_that_is_remembered() -> None:
    cluster = shop()
    cluster.remembers = {"n2": 25}
    assert in_words(cluster.ask("flows shop")).startswith("No flows of shop seen in the last 25s; n2 remembers")


def test_a_name_that_means_nothing_is_no_empty_list() -> None:
    report = shop().ask("flows shop/nobody")
    assert codes(report) == ["FLOWS_OF_WHOM"]
    assert status_of(report) is Status.UNKNOWN


def test_talkers_are_ranked_and_their_drops_stand_beside_them() -> None:
    cluster = shop().deploy("pay/ledger", on="n1").worked(A, B, 8080).worked(A, B, 8080, client_port=40_001)
    cluster.worked(A, B, 9090, flags="ACK").dropped(A, "pay/ledger-1", 5432)
    report = cluster.ask("talkers")
    assert rows_of(report) == [
        ("shop/frontend", "shop/cart", "8080/TCP, 9090/TCP", 6, 3, 0),
        ("shop/frontend", "pay/ledger", "5432/TCP", 2, 1, 1),
    ]
    assert report.tables[1].columns == ("from \\ to", "pay", "shop")
    assert rows_of(report, 1) == [("shop", "1 (1 dropped)", 3)]


def test_of_a_namespace_only_its_own_talk_is_told() -> None:
    cluster = shop().deploy("pay/ledger", on="n1").deploy("pay/api", on="n1")
    cluster.worked(A, B, 8080).worked("pay/api-1", "pay/ledger-1", 5432)
    assert [row[:2] for row in rows_of(cluster.ask("talkers pay"))] == [("pay/api", "pay/ledger")]


def answer_of(source: Source, question: str) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


@pytest.mark.parametrize(
    ("name", "question", "status"),
    [
        ("34-healthy-busy", "talkers", Status.FINE),
        ("44-one-of-two-backends-denied", "flows shop", Status.PROBLEM),
    ],
    ids=["all is well", "a denial"],
)
def test_recorded_flows_live_in_a_dump_and_replayed(name: str, question: str, status: Status, tmp_path: Path) -> None:
    with lab(name, tmp_path) as cluster:
        live = answer_of(RecordingSource(cluster.source(), tmp_path / "r.gz"), question)
    assert status_of(live) is status
    assert rows_of(live)
    dumped = answer_of(SysdumpSource(unpacked_dump(name, tmp_path)), question)
    assert (dumped.tables, codes(dumped)) == (live.tables, codes(live))
    replayed = answer_of(ReplaySource(tmp_path / "r.gz"), question)
    assert (replayed.tables, codes(replayed)) == (live.tables, codes(live))
