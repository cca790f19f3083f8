"""Between two nodes: packets that pass outweigh a failed probe, packets that are lost prove it, the rest is doubt."""

from collections.abc import Callable

import pytest

from handlers.model.agent import AgentStatus, HealthProbe, PeerNode, ProbeWay
from handlers.model.flow import LostEvents
from handlers.model.parts import Part
from handlers.model.snapshot import Gap, Missing
from handlers.model.traffic import Protocol
from tests.knowledge.build import Cluster, ago, codes, peer, shop, the
from tests.reading import in_words

A, B = "shop/frontend-1", "shop/cart-1"
TIMED_OUT = "Connection timed out"
REFUSED = 'Get "http://192.168.0.2:4240/hello": dial tcp 192.168.0.2:4240: connect: connection refused'
ABOUT_NODES = {"NODES_DISCONNECTED", "NODES_IN_DOUBT", "NODES_NOT_LOOKED_AT", "PROBE_OUTWEIGHED"}


def probed(cluster: Cluster, of_n2: PeerNode) -> Cluster:
    return cluster.agent("n1", Part.AGENT_STATUS, AgentStatus("1.19.0", "Ok", "", {}, (), (of_n2,)))


def apart(at: float = 90, **errors: str) -> Cluster:
    """Return the shop, where n1's probes of n2 failed some seconds ago."""
    return probed(shop(), peer("n2", at=at, **(errors or {"host": TIMED_OUT, "endpoint": TIMED_OUT})))


def without_an_agent() -> Cluster:
    """Return the shop as n1 sees it while the agent of n2 is down: its node answers an echo, and refuses 4240."""
    probes = (
        HealthProbe(ProbeWay.ICMP, of_endpoint=False, at=ago(88)),
        HealthProbe(ProbeWay.HTTP, of_endpoint=False, error=REFUSED, at=ago(88)),
        HealthProbe(ProbeWay.ICMP, of_endpoint=True, error=TIMED_OUT, at=ago(88)),
        HealthProbe(ProbeWay.HTTP, of_endpoint=True, error="connect: no route to host", at=ago(88)),
    )
    return probed(shop(), PeerNode("n2", probes))


def lossy(cluster: Cluster) -> Cluster:
    cluster.lost = (LostEvents("n2", "HUBBLE_RING_BUFFER", 7),)
    return cluster


def deaf(cluster: Cluster, node: str) -> Cluster:
    cluster.silent = {node: "NODE_UNAVAILABLE"}
    return cluster


def unprobed(cluster: Cluster) -> Cluster:
    """Let the agents answer, without the view of their health probers."""
    for node in ("n1", "n2"):
        cluster.agent(node, Part.AGENT_STATUS, AgentStatus("1.19.0", "Ok", "", {}, (), None))
    return cluster


def unasked(cluster: Cluster) -> Cluster:
    """Let no agent be read."""
    for node in ("n1", "n2"):
        cluster.of_node[Part.AGENT_STATUS, node] = Missing(Gap.FORBIDDEN, "exec is not allowed")
    return cluster


def answer_left(cluster: Cluster, at: float) -> Cluster:
    """Let the cart's answer leave n2."""
    return cluster.answered(A, B, 8080, at=at, point="TO_OVERLAY", node="n2")


CASES: dict[str, tuple[Callable[[], Cluster], str, str | None]] = {
    "packets passed after the probe": (lambda: apart().worked(A, B, 8080, at=60), "open", "PROBE_OUTWEIGHED"),
    "packets passed before the probe": (lambda: apart().worked(A, B, 8080, at=200), "unknown", "NODES_IN_DOUBT"),
    "a probe failed and nobody tries": (apart, "unknown", "NODES_IN_DOUBT"),
    "only the health endpoint does not answer": (lambda: apart(endpoint=TIMED_OUT), "unknown", "NODES_IN_DOUBT"),
    "the agent is down, its node is not": (without_an_agent, "open", None),
    "one of two ways to the node answers": (
        lambda: probed(
            shop(),
            PeerNode("n2", (HealthProbe(ProbeWay.ICMP, False), HealthProbe(ProbeWay.HTTP, False, TIMED_OUT))),
        ),
        "open",
        None,
    ),
    "packets leave and do not arrive": (lambda: shop().sent(A, B, 8080), "blocked", "NODES_DISCONNECTED"),
    "they do, and a probe failed too": (lambda: apart().sent(A, B, 8080), "blocked", "NODES_DISCONNECTED"),
    "they passed until a minute ago": (
        lambda: shop().worked(A, B, 8080, at=200).sent(A, B, 8080, at=60, client_port=40_001),
        "blocked",
        "NODES_DISCONNECTED",
    ),
    "one was lost long ago": (
        lambda: shop().sent(A, B, 8080, at=300).worked(A, B, 8080, at=60, client_port=40_001),
        "open",
        None,
    ),
    "answers leave and do not arrive": (
        lambda: answer_left(shop().sent(A, B, 8080, at=60).delivered(A, B, 8080, at=60), at=59),
        "blocked",
        "NODES_DISCONNECTED",
    ),
    "the client's node is silent, and its client goes on": (
        lambda: deaf(
            answer_left(shop().delivered(A, B, 8080, at=60), at=60).delivered(A, B, 8080, at=59, flags="ACK"), "n1"
        ),
        "open",
        None,
    ),
    "the receiver's node is silent": (lambda: deaf(shop().sent(A, B, 8080), "n2"), "unknown", "NODES_IN_DOUBT"),
    "the receiver's node lost events": (lambda: lossy(shop().sent(A, B, 8080)), "unknown", "NODES_IN_DOUBT"),
    "they left this second": (lambda: shop().sent(A, B, 8080, at=1), "unknown", "NODES_IN_DOUBT"),
    "nobody tries, and all is well": (shop, "open", None),
    "no flows, and the probes are well": (lambda: shop().without(Part.FLOWS), "open", None),
    "no flows, and one agent's probes are well": (
        lambda: probed(unprobed(shop().without(Part.FLOWS)), peer("n2")),
        "open",
        None,
    ),
    "no agents, and both nodes were heard": (lambda: unasked(shop()), "open", None),
    "neither flows nor agents": (
        lambda: unasked(shop().without(Part.FLOWS)),
        "unknown",
        "NODES_NOT_LOOKED_AT",
    ),
    "neither flows nor probes": (
        lambda: unprobed(shop().without(Part.FLOWS)),
        "unknown",
        "NODES_NOT_LOOKED_AT",
    ),
    "no agents, and events were lost": (lambda: lossy(unasked(shop())), "unknown", "NODES_NOT_LOOKED_AT"),
    "no agents, events were lost, and packets passed": (
        lambda: lossy(unasked(shop()).worked(A, B, 8080, at=60)),
        "open",
        None,
    ),
    "no agents, and one node was not heard": (
        lambda: deaf(unasked(shop()), "n2"),
        "unknown",
        "NODES_NOT_LOOKED_AT",
    ),
}


@pytest.mark.parametrize(("cluster", "expected", "code"), CASES.values(), ids=CASES.keys())
def test_what_is_told_of_two_nodes(cluster: Callable[[], Cluster], expected: str, code: str | None) -> None:
    report = cluster().ask("why shop/frontend shop/cart 80")
    assert [found for found in codes(report) if found in ABOUT_NODES] == ([code] if code else []), in_words(report)
    assert report.expected == expected


def test_on_one_node_nothing_lies_between() -> None:
    cluster = unasked(shop().deploy("shop/cache", on="n1").without(Part.FLOWS))
    assert cluster.ask("why shop/frontend shop/deploy/cache 80").expected == "open"


def test_a_ping_that_is_lost() -> None:
    cluster = shop().sent(A, B, protocol=Protocol.ICMP, icmp_type=8)
    report = cluster.ask("why shop/frontend shop/pod/cart-1 icmp")
    assert (report.expected, report.observed) == ("blocked", "nothing")
    assert "from n1 to n2 are lost between the nodes" in the(report, "NODES_DISCONNECTED").text


def test_a_probe_carries_its_age_and_what_it_met() -> None:
    text = the(apart(at=88).ask("why shop/frontend shop/cart 80"), "NODES_IN_DOUBT").text
    assert "the health probe 88s ago failed: Connection timed out" in text


def test_what_was_lost_last_is_what_was_seen() -> None:
    cluster = shop().worked(A, B, 8080, at=200).sent(A, B, 8080, at=60, client_port=40_001)
    seen = cluster.ask("why shop/frontend shop/cart 80").headline.seen
    assert "packets left n1, last at 11:59:00 UTC, and were not seen to arrive; packets passed before that" in seen
