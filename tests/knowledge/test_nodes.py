"""``nodes``: what a failed probe is worth beside packets, and what else keeps nodes apart."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.model.agent import AddressPool, AgentStatus, Encryption, KnownNode
from handlers.model.cluster import Condition
from handlers.model.event import Event
from handlers.model.finding import Outcome
from handlers.model.parts import Part
from tests.knowledge.build import Cluster, ago, codes, peer, shop, the
from tests.reading import in_words
from workers.status import Status, status_of

A, B = "shop/frontend-1", "shop/cart-1"
TIMED_OUT = "Connection timed out"
REFUSED = 'Get "http://192.168.0.2:4240/hello": dial tcp 192.168.0.2:4240: connect: connection refused'


def probed(at: float, **errors: str) -> Cluster:
    """Return the shop, where n1's newest probes of n2 are some seconds old."""
    status = AgentStatus("1.19.0", "Ok", "", {}, (), (peer("n2", at=at, **errors),), routing="Tunnel", tunnel="vxlan")
    return shop().agent("n1", Part.AGENT_STATUS, status)


def without_flows(cluster: Cluster) -> Cluster:
    return cluster.without(Part.FLOWS)


CASES: dict[str, tuple[Callable[[], Cluster], str | None, Status]] = {
    "the endpoint did not answer just now": (
        lambda: probed(20, endpoint=TIMED_OUT),
        "HEALTH_ENDPOINT_UNREACHABLE",
        Status.PROBLEM,
    ),
    "the node did not answer just now": (
        lambda: probed(20, host=TIMED_OUT, endpoint=TIMED_OUT),
        "NODE_UNREACHABLE",
        Status.PROBLEM,
    ),
    "it did not answer some time ago": (
        lambda: probed(90, endpoint=TIMED_OUT),
        "NODES_MAY_BE_APART",
        Status.UNKNOWN,
    ),
    "and nobody can look at flows": (
        lambda: without_flows(probed(90, endpoint=TIMED_OUT)),
        "NODES_MAY_BE_APART",
        Status.UNKNOWN,
    ),
    "packets have passed since": (
        lambda: probed(90, endpoint=TIMED_OUT).worked(A, B, 8080, at=60),
        "PROBE_OUTWEIGHED",
        Status.FINE,
    ),
    "packets left and did not arrive": (
        lambda: probed(90, endpoint=TIMED_OUT).sent(A, B, 8080, at=60),
        "NODES_DISCONNECTED",
        Status.PROBLEM,
    ),
    "its agent refused, and answers now": (
        lambda: probed(90, host=REFUSED, endpoint=TIMED_OUT),
        "PROBE_IS_OLD",
        Status.FINE,
    ),
    "all is well": (lambda: probed(90), "NODES_CONNECTED", Status.FINE),
}


@pytest.mark.parametrize(("cluster", "code", "status"), CASES.values(), ids=list(CASES))
@pytest.mark.parametrize("question", ["nodes n1 n2", "nodes", "nodes n2", "health"])
def test_what_a_probe_is_worth(question: str, cluster: Callable[[], Cluster], code: str, status: Status) -> None:
    report = cluster().ask(question)
    assert code in codes(report), in_words(report)
    assert status_of(report) is status, in_words(report)


def test_packets_lost_need_no_failed_probe_between_two_nodes() -> None:
    lost = the(probed(90).sent(A, B, 8080, at=60).ask("nodes n2 n1"), "NODES_DISCONNECTED")
    assert (lost.values["node"], lost.values["peer"]) == ("n1", "n2")
    assert "in the VXLAN tunnel (8472/UDP)" in lost.text
    assert "8472/UDP pass from n1 to n2" in lost.advice


def test_a_fresh_failure_of_one_prober_makes_the_older_one_of_another_current() -> None:
    cluster = probed(20, endpoint=TIMED_OUT)
    cluster.agent("n2", Part.AGENT_STATUS, AgentStatus("1.19.0", "Ok", "", {}, (), (peer("n1", at=30),)))
    report = cluster.ask("nodes")
    assert [finding.code for finding in report.findings if finding.outcome is Outcome.PROBLEM] == [
        "HEALTH_ENDPOINT_UNREACHABLE"
    ]


def test_an_agent_that_refuses_and_is_not_heard_is_down_and_its_node_is_not() -> None:
    cluster = probed(90, host=REFUSED, endpoint=TIMED_OUT)
    del cluster.of_node[Part.AGENT_STATUS, "n2"]
    assert the(cluster.ask("nodes n1 n2"), "PEER_AGENT_REFUSES").outcome is Outcome.PROBLEM


def test_the_tables_tell_addresses_and_probes() -> None:
    report = probed(90, endpoint=TIMED_OUT).ask("nodes n1 n2")
    nodes, probes = report.tables
    assert [row[0] for row in nodes.rows] == ["n1", "n2"]
    assert probes.rows[0][:4] == ("n1", "n2", "health endpoint", "ICMP")
    assert probes.rows[0][5:] == (TIMED_OUT, "90s ago")


def test_a_node_that_is_not_there() -> None:
    report = shop().ask("nodes n1 n22")
    assert the(report, "NODE_UNKNOWN").values["candidates"] == ("n2",)
    assert status_of(report) is Status.UNKNOWN


def given(count: int, size: int = 30) -> Cluster:
    """Return the shop, where n2 has given some of its addresses, most to a batch job."""
    names = ("router", "health", *(f"shop/batch-79fd58bfd-{number:05}" for number in range(count - 2)))
    status = AgentStatus(
        *("1.19.0", "Ok", "", {}, (), (peer("n1"),)),
        pools=(AddressPool("IPv4", count, size, "10.0.2.0/27"),),
        given_to=names,
    )
    return shop().agent("n2", Part.AGENT_STATUS, status)


def refused(cluster: Cluster, at: float, message: str = "failed to setup network: range is full") -> Cluster:
    event = Event("shop", "Pod", "batch-1", "FailedCreatePodSandBox", message, "kubelet", "n2", 3, ago(300), ago(at))
    return cluster.events(event)


POOLS: dict[str, tuple[Callable[[], Cluster], str, Outcome]] = {
    "all are given": (lambda: given(30), "ADDRESSES_EXHAUSTED", Outcome.PROBLEM),
    "nearly all are": (lambda: given(28), "ADDRESSES_NEARLY_GONE", Outcome.FINE),
    "nearly all are, and a pod was refused": (lambda: refused(given(29), 30), "ADDRESSES_REFUSED", Outcome.PROBLEM),
    "a pod was refused before some were given back": (lambda: refused(given(9), 30), "ADDRESSES_LEFT", Outcome.FINE),
    "a pod was refused, and nothing counts": (lambda: refused(shop(), 30), "ADDRESSES_REFUSED", Outcome.PROBLEM),
    "a pod was refused long ago": (lambda: refused(given(29), 3000), "ADDRESSES_NEARLY_GONE", Outcome.FINE),
    "a pod failed for another reason": (
        lambda: refused(given(9), 30, "failed to pull the image"),
        "ADDRESSES_LEFT",
        Outcome.FINE,
    ),
}


@pytest.mark.parametrize(("cluster", "code", "outcome"), POOLS.values(), ids=list(POOLS))
@pytest.mark.parametrize("question", ["nodes n2", "health"])
def test_addresses_left(question: str, cluster: Callable[[], Cluster], code: str, outcome: Outcome) -> None:
    report = cluster().ask(question)
    assert the(report, code).outcome is outcome
    worst = Outcome.PROBLEM in {finding.outcome for finding in report.findings}
    assert worst is (outcome is Outcome.PROBLEM)


def test_who_took_the_addresses_and_who_waits() -> None:
    full = the(refused(given(30), 30).ask("nodes n2"), "ADDRESSES_EXHAUSTED")
    assert "30 of 30 of its pod CIDR 10.0.2.0/27" in full.text
    assert "most to shop/batch (28)" in full.text
    assert "1 pod could not start (FailedCreatePodSandBox: range is full, last 30s ago)" in full.text
    assert full.evidence[1].ref == "Pod/shop/batch-1"


def test_a_node_that_is_not_ready_says_why() -> None:
    cluster = shop()
    stopped = Condition("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", ago(600))
    cluster.nodes[1] = replace(cluster.nodes[1], ready=False, condition=stopped)
    finding = the(cluster.ask("nodes n2"), "NODE_NOT_READY")
    assert finding.text == (
        "Node n2 is not ready (Unknown since 11:50:00 UTC): Kubelet stopped posting node status; "
        "its Cilium agent answers all the same"
    )


HOST_POLICY = """
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: lockdown}
spec:
  nodeSelector: {matchLabels: {pool: edge}}
  ingress:
  - fromEntities: [cluster]
    toPorts: [{ports: [{port: "4240", protocol: TCP}, {port: "4244", protocol: TCP}]}]
"""


def firewalled(policy: str = HOST_POLICY, **options: str) -> Cluster:
    cluster = shop(**{"enable_host_firewall": "true", "tunnel_protocol": "vxlan", **options}).policy(policy)
    cluster.nodes[1] = replace(cluster.nodes[1], labels={"pool": "edge"})
    return cluster


def test_a_host_policy_that_forgets_kubelet_and_the_tunnel() -> None:
    denied = the(firewalled().ask("nodes n1 n2"), "HOST_POLICY_DENIES")
    assert denied.values["uses"] == ("10250/TCP (kubelet)", "8472/UDP (VXLAN tunnel)")
    assert denied.values["policies"] == ("CiliumClusterwideNetworkPolicy//lockdown",)
    assert "nodeSelector pool=edge" in denied.text


@pytest.mark.parametrize(
    "cluster",
    [
        pytest.param(lambda: firewalled(HOST_POLICY.split("    toPorts")[0]), id="it lets the cluster in"),
        pytest.param(lambda: firewalled(enable_host_firewall="false"), id="the host firewall is off"),
        pytest.param(lambda: firewalled(HOST_POLICY.replace("edge", "core")), id="it selects other nodes"),
    ],
)
def test_host_policies_that_keep_nobody_out(cluster: Callable[[], Cluster]) -> None:
    report = cluster().ask("nodes n1 n2")
    assert "HOST_POLICY_DENIES" not in codes(report)
    assert status_of(report) is Status.FINE, in_words(report)


def listing(*known: KnownNode) -> Cluster:
    """Return the shop, where n1's agent knows these nodes."""
    return shop().agent("n1", Part.AGENT_NODES, known)


def known(number: int, *, ip: str = "", cidr: str = "", source: str = "custom-resource") -> KnownNode:
    return KnownNode(
        *(f"n{number}", (ip or f"192.168.0.{number}",), (cidr or f"10.0.{number}.0/24",), (), source, "default")
    )


@pytest.mark.parametrize(
    ("others", "code"),
    [
        pytest.param((known(2),), "NODES_KNOWN", id="as it is"),
        pytest.param((), "NODE_NOT_KNOWN", id="not at all"),
        pytest.param((known(2, ip="192.168.9.9"),), "NODE_KNOWN_OTHERWISE", id="by an old address"),
        pytest.param((known(2, cidr="10.9.0.0/24"),), "NODE_KNOWN_OTHERWISE", id="by an old range"),
    ],
)
def test_an_agent_knows_the_other_node(others: tuple[KnownNode, ...], code: str) -> None:
    cluster = listing(known(1, source="local"), *others)
    cluster.nodes = [replace(node, tunnel_ips=node.ips) for node in cluster.nodes]
    assert code in codes(cluster.ask("nodes n1 n2"))


def sending(of_n1: Encryption, of_n2: Encryption, tunnel: str = "vxlan") -> Cluster:
    cluster = shop()
    cluster.nodes = [replace(node, tunnel_ips=node.ips, wireguard_key=f"key-{node.name}") for node in cluster.nodes]
    for name, other, how, protocol in (("n1", "n2", of_n1, "vxlan"), ("n2", "n1", of_n2, tunnel)):
        status = AgentStatus(
            *("1.19.0", "Ok", "", {}, (), (peer(other),)), routing="Tunnel", tunnel=protocol, encryption=how
        )
        cluster.agent(name, Part.AGENT_STATUS, status)
    return cluster


OFF, KEY_1, KEY_2 = Encryption("Disabled"), Encryption("Wireguard", "key-n1", 1), Encryption("Wireguard", "key-n2", 1)


@pytest.mark.parametrize(
    ("cluster", "code"),
    [
        pytest.param(lambda: sending(KEY_1, KEY_2), "NODES_SEND_ALIKE", id="both encrypt"),
        pytest.param(lambda: sending(KEY_1, OFF), "NODES_SEND_OTHERWISE", id="one encrypts"),
        pytest.param(lambda: sending(OFF, OFF, "geneve"), "NODES_SEND_OTHERWISE", id="two tunnels"),
        pytest.param(lambda: sending(KEY_1, KEY_1), "WIREGUARD_KEY_STALE", id="an old key"),
        pytest.param(
            lambda: sending(KEY_1, Encryption("Wireguard", "key-n2", 0)), "WIREGUARD_PEERS_FEWER", id="a peer too few"
        ),
    ],
)
def test_nodes_that_send_alike(cluster: Callable[[], Cluster], code: str) -> None:
    assert code in codes(cluster().ask("nodes n1 n2"))


def test_a_prober_that_nobody_could_ask_leaves_it_open() -> None:
    cluster = shop()
    for name in ("n1", "n2"):
        del cluster.of_node[Part.AGENT_STATUS, name]
    assert status_of(cluster.ask("nodes n1 n2")) is Status.UNKNOWN
