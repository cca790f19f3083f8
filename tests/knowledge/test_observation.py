"""What flows showed: a table of events, and what they are worth."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from handlers.model.flow import EventType, FlowVerdict, LostEvents
from handlers.model.parts import Part
from handlers.model.snapshot import Gap
from handlers.model.traffic import Protocol
from tests.knowledge.build import Cluster, codes, shop, the

A, B = "shop/frontend-1", "shop/cart-1"
UDP = Protocol.UDP


def silent(cluster: Cluster, *nodes: str) -> Cluster:
    cluster.silent = dict.fromkeys(nodes, "no answer within 5 s")
    return cluster


def lossy(cluster: Cluster) -> Cluster:
    cluster.lost = (LostEvents("n1", "HUBBLE_RING_BUFFER", 500),)
    return cluster


def cut(cluster: Cluster) -> Cluster:
    cluster.truncated = True
    return cluster


@dataclass(frozen=True)
class Case:
    cluster: Callable[[], Cluster]
    observed: str
    words: str
    asked: str = "shop/deploy/cart 8080"


CASES = {
    "nothing at all": Case(shop, "nothing", "nobody tried"),
    "delivered and answered": Case(lambda: shop().worked(A, B, 8080), "forwarded", "answers return"),
    "behind its Service": Case(lambda: shop().worked(A, B, 8080), "forwarded", "answers return", "shop/svc/cart 80"),
    "delivered, and silence": Case(lambda: shop().delivered(A, B, 8080), "forwarded", "delivered; no answer was seen"),
    "refused": Case(lambda: shop().sent(A, B, 8080).refused(A, B, 8080), "forwarded", "reset"),
    "dropped": Case(lambda: shop().dropped(A, B, 8080), "dropped", "1 packet dropped as POLICY_DENIED on n2"),
    "three attempts are three packets, verdicts and drops alike": Case(
        lambda: shop().dropped(A, B, 8080, times=3), "dropped", "3 packets dropped"
    ),
    "left the sender, then dropped at the receiver": Case(
        lambda: shop().sent(A, B, 8080, at=60.01).dropped(A, B, 8080, at=60), "dropped", "on n2"
    ),
    "dropped at the receiver by a clock that lags": Case(
        lambda: shop().sent(A, B, 8080, at=58).dropped(A, B, 8080, at=60), "dropped", "on n2"
    ),
    "dropped, later answered": Case(
        lambda: shop().dropped(A, B, 8080, at=300).worked(A, B, 8080, at=60), "forwarded", "drops before that"
    ),
    "answered, later dropped": Case(
        lambda: shop().worked(A, B, 8080, at=300).dropped(A, B, 8080, at=60), "dropped", "packets passed before that"
    ),
    "who denies explicitly is named": Case(
        lambda: shop().dropped(A, B, 8080, reason="POLICY_DENY", by=("CiliumNetworkPolicy/shop/no",)),
        "dropped",
        "by shop/no",
    ),
    "audited": Case(
        lambda: shop().audited(A, B, 8080, at=60).worked(A, B, 8080, at=59.9), "audited", "audit mode let it pass"
    ),
    "audited, later dropped": Case(
        lambda: shop().audited(A, B, 8080, at=300).dropped(A, B, 8080, at=60), "dropped", "POLICY_DENIED"
    ),
    "another port": Case(lambda: shop().worked(A, B, 9090), "nothing", "nobody tried"),
    "another protocol": Case(lambda: shop().delivered(A, B, 8080, protocol=UDP), "nothing", "nobody tried"),
    "the other way round": Case(lambda: shop().worked(B, A, 8080), "nothing", "nobody tried"),
    "another pod": Case(lambda: shop().deploy("shop/other").worked("shop/other-1", B, 8080), "nothing", "nobody tried"),
    "too long ago": Case(lambda: shop().worked(A, B, 8080, at=1200), "nothing", "nobody tried"),
    "the socket's own event is no packet": Case(
        lambda: shop().saw(A, B, 8080, event=EventType.TRACE_SOCK, verdict=FlowVerdict.TRANSLATED),
        "nothing",
        "nobody tried",
    ),
    "UDP, delivered": Case(
        lambda: shop().delivered(A, B, 5353, protocol=UDP), "forwarded", "delivered", "shop/deploy/cart 5353/udp"
    ),
    "UDP, dropped and later delivered": Case(
        lambda: shop().dropped(A, B, 5353, protocol=UDP, at=99).delivered(A, B, 5353, protocol=UDP, at=50),
        "forwarded",
        "drops before that",
        "shop/deploy/cart 5353/udp",
    ),
    "ping and pong": Case(
        lambda: (
            shop()
            .saw(A, B, protocol=Protocol.ICMP, icmp_type=8, point="TO_ENDPOINT")
            .saw(B, A, protocol=Protocol.ICMP, icmp_type=0, point="TO_ENDPOINT", reply=True)
        ),
        "forwarded",
        "answers return",
        "shop/deploy/cart icmp",
    ),
    "the pong of another's ping is no ping": Case(
        lambda: shop().saw(A, B, protocol=Protocol.ICMP, icmp_type=0, reply=None),
        "nothing",
        "nobody tried",
        "shop/deploy/cart icmp",
    ),
    "ping, dropped": Case(
        lambda: shop().dropped(A, B, protocol=Protocol.ICMP, icmp_type=8),
        "dropped",
        "1 packet",
        "shop/deploy/cart icmp",
    ),
    "lost events cast doubt": Case(lambda: lossy(shop()), "nothing", "500 events were lost"),
    "a cut answer casts doubt": Case(lambda: cut(shop()), "nothing", "cut at its bound"),
    "the receiver's node is silent": Case(lambda: silent(shop(), "n2"), "no-data", "n2 was not heard"),
    "the sender's node is silent": Case(lambda: silent(shop(), "n1"), "no-data", "n1 was not heard"),
    "both nodes are silent": Case(lambda: silent(shop(), "n1", "n2"), "no-data", "n1, n2"),
    "a drop on one node outweighs the silence of the other": Case(
        lambda: silent(shop().dropped(A, B, 8080), "n1"), "dropped", "on n2"
    ),
    "a node that is no part of it may be silent": Case(
        lambda: silent(shop().deploy("shop/near", on="n1"), "n2"), "nothing", "nobody tried", "shop/deploy/near 80"
    ),
    "flows may not be read": Case(lambda: shop().without(Part.FLOWS), "no-data", "reading flows is not allowed"),
    "relay does not answer": Case(
        lambda: shop().without(Part.FLOWS, gap=Gap.UNREACHABLE), "no-data", "flows could not be read"
    ),
    "towards outside, leaving is all that can be seen": Case(
        lambda: shop().saw(A, "203.0.113.9", 443, point="TO_STACK"), "forwarded", "leave", "203.0.113.9 443"
    ),
    "towards outside, dropped after it left": Case(
        lambda: (
            shop()
            .saw(A, "203.0.113.9", 443, point="TO_NETWORK", at=60.1)
            .dropped(A, "203.0.113.9", 443, reason="NO_EGRESS_GATEWAY", ingress=False)
        ),
        "dropped",
        "NO_EGRESS_GATEWAY",
        "203.0.113.9 443",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_events_show(case: Case) -> None:
    report = case.cluster().ask(f"why shop/deploy/frontend {case.asked}")
    assert report.observed == case.observed
    assert case.words in report.headline.seen


APPLICATION = {
    "a reset": (lambda: shop().sent(A, B, 8080).refused(A, B, 8080), "NOTHING_LISTENS", "open"),
    "silence": (lambda: shop().delivered(A, B, 8080), "NO_ANSWER", "open"),
    "an answer": (lambda: shop().worked(A, B, 8080), "ANSWERED", "open"),
    "an answer that ends with a reset": (
        lambda: shop().worked(A, B, 8080).refused(A, B, 8080, at=50),
        "ANSWERED",
        "open",
    ),
    "a reset, later an answer": (
        lambda: shop().refused(A, B, 8080, at=300).worked(A, B, 8080, at=60, client_port=40_001),
        "ANSWERED",
        "open",
    ),
    "an answer, later a reset": (
        lambda: (
            shop()
            .worked(A, B, 8080, at=300)
            .sent(A, B, 8080, at=60.1, client_port=40_001)
            .refused(A, B, 8080, at=60, client_port=40_001)
        ),
        "NOTHING_LISTENS",
        "open",
    ),
}


@pytest.mark.parametrize(("cluster", "code", "expected"), APPLICATION.values(), ids=APPLICATION.keys())
def test_what_runs_there_says(cluster: Callable[[], Cluster], code: str, expected: str) -> None:
    report = cluster().ask("why shop/frontend shop/cart 80")
    assert code in codes(report)
    assert report.expected == expected


@pytest.mark.parametrize("port", [5353, 53])
def test_silence_of_a_datagram_is_no_problem(port: int) -> None:
    report = shop().delivered(A, B, port, protocol=UDP).ask(f"why shop/frontend shop/deploy/cart {port}/udp")
    assert "NO_ANSWER" not in codes(report)


def test_replies_that_are_dropped_are_told_apart_from_the_way_there() -> None:
    cluster = (
        shop()
        .delivered(A, B, 8080)
        .saw(
            B,
            A,
            40_000,
            client_port=8080,
            verdict=FlowVerdict.DROPPED,
            event=EventType.DROP,
            drop_reason="CT_MAP_INSERTION_FAILED",
            reply=None,
            node="n1",
        )
    )
    report = cluster.ask("why shop/frontend shop/cart 80")
    assert "on n1" in the(report, "REPLIES_DROPPED").text
    assert "DROPPED_NOT_BY_POLICY" not in codes(report)


def test_a_drop_that_is_no_policy_names_its_reason_and_remedy() -> None:
    report = shop().dropped(A, B, 8080, reason="CT_MAP_INSERTION_FAILED", times=4).ask("why shop/frontend shop/cart 80")
    finding = the(report, "DROPPED_NOT_BY_POLICY")
    assert "4 packets were dropped on n2 as CT_MAP_INSERTION_FAILED" in finding.text
    assert "bpf-ct-global-tcp-max" in finding.advice


def test_how_much_was_seen_is_said() -> None:
    cluster = silent(lossy(shop().worked(A, B, 8080)), "n2")
    budget = cluster.ask("why shop/frontend shop/cart 80").budget
    assert (budget.nodes_heard, budget.nodes_silent, budget.events_lost) == (("n1",), ("n2",), 500)
    assert budget.flows_seen == 3


def test_a_verdict_and_its_drop_are_one_packet() -> None:
    cluster = shop().dropped(A, B, 8080, times=2)
    assert len(cluster.flows) == 4
    assert "2 packets" in cluster.ask("why shop/frontend shop/cart 80").headline.seen
