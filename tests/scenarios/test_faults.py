"""Faults of operation, recorded on a second cluster: nodes, agents, DNS and gateways, where policy is not to blame.

The dumps hold what is read of them; each line of the table is one connection that was tried, and what was true of it.
"""

from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.report import Report
from tests.reading import in_words
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

FOLDER = Path(__file__).parent / "faults"
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
]


def _answer(name: str, question: str) -> Report:
    source = SysdumpSource(FOLDER / f"{name}.zip")
    try:
        return run(understand(question), source).report
    finally:
        source.close()


@pytest.mark.parametrize(("name", "question", "expected", "words"), TRUTH)
def test_a_fault_of_operation(name: str, question: str, expected: str, words: str) -> None:
    report = _answer(name, question)
    assert report.expected == expected, in_words(report)
    assert words in " ".join(finding.text for finding in report.findings)


def test_drops_of_a_cluster_with_a_silent_node_are_not_all_there_are() -> None:
    report = _answer("30-agent-down-node-2", "drops")
    assert "1 node was not heard (lab-node-2)" in " ".join(finding.text for finding in report.findings)


def test_an_agent_that_is_down_is_told_by_the_health_of_the_cluster() -> None:
    texts = [finding.text for finding in _answer("30-agent-down-node-2", "health").findings]
    assert any("agent of lab-node-2 refuses the health probe of lab-node-1" in text for text in texts)
    assert any("agent cilium-jlzk7 on lab-node-2 is not ready" in text for text in texts)
