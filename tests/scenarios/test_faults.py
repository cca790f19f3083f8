"""Faults of operation, recorded on a second cluster: nodes, agents, DNS, gateways, Services and policies.

Each line of the table is one connection that was tried, and what was true of it; it is answered from the dump and from
the cluster up again, and both answer the same. Of three there is no dump.
"""

from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.report import Observed, Report
from handlers.source import Source
from tests.cluster.lab import lab
from tests.cluster.record import FAULT_NAMES, has_dump, unpacked_dump
from tests.reading import in_words
from tests.sampling import one_in
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

OVER_NODES = "why shop/frontend payments/svc/checkout-api 443"
BACK_OVER_NODES = "why payments/checkout-api payments/svc/ledger-db 5432"
TO_A_POD = "why monitoring/prometheus shop/cart 9090"
EXCLUDED = "its excludedCIDRs hold 198.19.50.0/24"
SERVFAIL = "the answer was SERVFAIL"

TRUTH = [
    *(
        pytest.param(name, question, "open", "", id=f"{what}: {question.removeprefix('why ')}")
        for name, what in (
            ("30-agent-down-node-2", "an agent is down"),
            ("41b-conntrack-map-pressure", "an agent has just restarted"),
            ("42-kube-proxy-beside-kpr", "probes are older than packets"),
        )
        for question in (OVER_NODES, BACK_OVER_NODES, TO_A_POD)
    ),
    pytest.param("32-vxlan-blocked-one-way", OVER_NODES, "blocked", "lost between the nodes", id="a tunnel is cut"),
    pytest.param("32-vxlan-blocked-one-way", TO_A_POD, "blocked", "lost between the nodes", id="it is cut back, too"),
    pytest.param(
        "32-vxlan-blocked-one-way",
        "why shop/loadgen payments/deploy/checkout-api icmp",
        "blocked",
        "from lab-node-1 to lab-node-2",
        id="a ping is lost in the tunnel",
    ),
    pytest.param("32-vxlan-blocked-one-way", BACK_OVER_NODES, "unknown", "health probe", id="a tunnel under DNS"),
    pytest.param(
        "32-vxlan-blocked-one-way", "why shop/frontend shop/svc/cart 8080", "open", "", id="beside the tunnel"
    ),
    pytest.param(
        "33c-dns-upstream-timeout",
        "why payments/checkout-api api.stripe.example 443",
        "blocked",
        SERVFAIL,
        id="an upstream of DNS is dead",
    ),
    pytest.param(
        "33c-dns-upstream-timeout",
        "why shop/frontend hooks.stripe.example 443",
        "blocked",
        SERVFAIL,
        id="for another name",
    ),
    pytest.param(
        "33c-dns-upstream-timeout", "why shop/frontend shop/svc/cart 8080", "open", "", id="inside it resolves"
    ),
    pytest.param(
        "35c-egress-gateway-excluded-cidr",
        "why payments/fraud-worker 198.19.50.7 443",
        "open",
        EXCLUDED,
        id="a gateway excludes the range",
    ),
    pytest.param(
        "32b-node-ip-blocked",
        "why shop/frontend payments/svc/checkout-api 443",
        "unknown",
        "",
        id="all between two nodes is cut",
    ),
    pytest.param(
        "32b-node-ip-blocked",
        "why payments/checkout-api payments/svc/ledger-db 5432",
        "unknown",
        "",
        id="all between two nodes is cut, under DNS",
    ),
    pytest.param(
        "32b-node-ip-blocked",
        "why monitoring/prometheus shop/cart 9090",
        "unknown",
        "",
        id="all between two nodes is cut, to a pod",
    ),
    pytest.param(
        "32b-node-ip-blocked",
        "why shop/loadgen payments/deploy/checkout-api icmp",
        "unknown",
        "",
        id="all between two nodes is cut, a ping",
    ),
    pytest.param("32b-node-ip-blocked", "why shop/frontend shop/svc/cart 8080", "open", "", id="beside the cut"),
    pytest.param(
        "33-coredns-down",
        "why payments/checkout-api api.stripe.example 443",
        "blocked",
        "0 ready backends",
        id="nobody resolves names",
    ),
    pytest.param(
        "33-coredns-down",
        "why shop/frontend shop/svc/cart 8080",
        "open",
        "0 ready backends",
        id="nor those of Services, though an address is still known",
    ),
    pytest.param(
        "33-coredns-down",
        "why shop/frontend kube-system/svc/kube-dns 53/udp",
        "blocked",
        "",
        id="the cluster DNS is scaled away",
    ),
    pytest.param(
        "33e-dns-egress-denied", "why shop/frontend shop/svc/cart 8080", "blocked", "DNS", id="a policy forgets DNS"
    ),
    pytest.param(
        "33e-dns-egress-denied",
        "why shop/frontend kube-system/svc/kube-dns 53/udp",
        "blocked",
        "DNS",
        id="the DNS itself under that policy",
    ),
    pytest.param(
        "34-healthy-busy", "why shop/frontend payments/svc/checkout-api 443", "open", "", id="busy and healthy"
    ),
    pytest.param(
        "35-egress-gateway-healthy", "why payments/fraud-worker 198.19.50.7 443", "open", "", id="a gateway that works"
    ),
    pytest.param(
        "35a-egress-gateway-no-node",
        "why payments/fraud-worker 198.19.50.7 443",
        "blocked",
        "gateway",
        id="a gateway without a node",
    ),
    pytest.param("36-nodeport-etp-local", "why world 10.90.0.1 30876", "open", "", id="Local, the node of the backend"),
    pytest.param(
        "36-nodeport-etp-local", "why world 10.90.0.2 30876", "blocked", "it refuses", id="Local, the other node"
    ),
    pytest.param(
        "36b-service-selector-typo",
        "why shop/frontend shop/svc/catalog 80",
        "blocked",
        "selects",
        id="a selector with a typo",
    ),
    pytest.param("36b-service-selector-typo", "why shop/frontend shop/svc/cart 8080", "open", "", id="beside the typo"),
    pytest.param("36e-nodeport-world-denied", "why world 10.90.0.1 31757", "blocked", "cart", id="the world is denied"),
    pytest.param(
        "36e-nodeport-world-denied",
        "why world 10.90.0.2 31757",
        "blocked",
        "cart",
        id="the world is denied behind the other node",
    ),
    pytest.param(
        "36e-nodeport-world-denied",
        "why monitoring/prometheus shop/cart-public 8080",
        "open",
        "",
        id="the cluster is not denied",
    ),
    pytest.param(
        "36f-headless-healthy", "why shop/frontend shop/svc/catalog 80", "open", "", id="beside a headless Service"
    ),
    pytest.param(
        "37-label-change-identity", "why shop/frontend shop/svc/cart 8080", "blocked", "tier", id="a label was changed"
    ),
    pytest.param(
        "39-audit-mode-endpoint",
        "why shop/frontend shop/svc/cart 8080",
        "open",
        "audit",
        id="one endpoint in audit mode",
    ),
    pytest.param(
        "39-audit-mode-endpoint",
        "why shop/frontend shop/svc/catalog 80",
        "blocked",
        "catalog",
        id="another, not in audit mode",
    ),
    pytest.param(
        "40-ipam-exhausted-node-2",
        "why shop/frontend payments/svc/checkout-api 443",
        "open",
        "",
        id="no addresses for new pods",
    ),
    pytest.param(
        "43-host-firewall-kubelet",
        "why node/lab-node-1 node/lab-node-2 10250",
        "blocked",
        "10250",
        id="a host firewall before the kubelet",
    ),
    pytest.param(
        "43-host-firewall-kubelet",
        "why shop/frontend payments/svc/checkout-api 443",
        "open",
        "",
        id="pods beside the host firewall",
    ),
    pytest.param(
        "44-one-of-two-backends-denied",
        "why shop/frontend shop/svc/search 80",
        "blocked",
        "search-canary-lock",
        id="one backend of two is denied",
    ),
    pytest.param(
        "47-node-not-ready",
        "why shop/frontend payments/svc/checkout-api 443",
        "blocked",
        "ready",
        id="the backend's node is not ready",
    ),
    pytest.param(
        "47-node-not-ready", "why shop/frontend shop/svc/cart 8080", "open", "", id="beside the node that is not ready"
    ),
    pytest.param(
        "51-ipblock-only-ingress",
        "why payments/fraud-worker payments/svc/ledger-db 5432",
        "blocked",
        "ledger",
        id="a CIDR selects no pods",
    ),
    pytest.param(
        "51-ipblock-only-ingress",
        "why shop/frontend payments/svc/ledger-db 5432",
        "blocked",
        "ledger",
        id="a CIDR selects no pods of others",
    ),
]


def _answer(question: str, source: Source) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


def _from_dump(name: str, question: str, folder: Path) -> Report:
    return _answer(question, SysdumpSource(unpacked_dump(name, folder)))


@pytest.mark.parametrize(("name", "question", "expected", "words"), one_in(2, TRUTH))
def test_a_fault_of_operation(name: str, question: str, expected: str, words: str, tmp_path: Path) -> None:
    with lab(name, tmp_path) as cluster:
        live = _answer(question, cluster.source())
    assert live.expected == expected, in_words(live)
    assert words in " ".join(finding.text for finding in live.findings)
    if has_dump(name):
        dumped = _from_dump(name, question, tmp_path)
        assert dumped.expected == expected, in_words(dumped)
        assert {finding.code for finding in dumped.blockers()} == {finding.code for finding in live.blockers()}
        # Of some nodes the dump has no flows.
        assert dumped.observed in (live.observed, Observed.NO_DATA)


def test_every_recorded_fault_is_told() -> None:
    assert {row.values[0] for row in TRUTH} == set(FAULT_NAMES)


def test_drops_of_a_cluster_with_a_silent_node_are_not_all_there_are(tmp_path: Path) -> None:
    report = _from_dump("30-agent-down-node-2", "drops", tmp_path)
    assert "1 node was not heard (lab-node-2)" in " ".join(finding.text for finding in report.findings)


def test_an_agent_that_is_down_is_told_by_the_health_of_the_cluster(tmp_path: Path) -> None:
    texts = [finding.text for finding in _from_dump("30-agent-down-node-2", "health", tmp_path).findings]
    assert any("agent of lab-node-2 refuses the health probe of lab-node-1" in text for text in texts)
    assert any("Agent cilium-jlzk7 on lab-node-2 restarts again and again" in text for text in texts)
