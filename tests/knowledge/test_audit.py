"""``audit``: who audits instead of enforcing, and what turning it off would cut; an agent not heard is no all-clear."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.finding import Outcome
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.source import Source
from tests.cluster.lab import lab
from tests.cluster.record import unpacked_dump
from tests.knowledge.build import Cluster, codes, deny_all, shop, the
from tests.reading import in_words
from workers.runner import run
from workers.sources.recorded import RecordingSource, ReplaySource
from workers.sources.sysdump import SysdumpSource
from workers.status import Status, status_of

A, B = "shop/frontend-1", "shop/cart-1"


def auditing(cluster: Cluster, pod: str = "cart-1", node: str = "n2") -> Cluster:
    """Let the agents answer, and one endpoint be in audit mode."""
    cluster.healthy_agents()
    told = cluster.agent_endpoints(node, audit=False)
    return cluster.agent(node, Part.AGENT_ENDPOINTS, tuple(replace(one, audit=one.pod == pod) for one in told))


ANSWERS: dict[str, tuple[Callable[[], Cluster], Status, str]] = {
    "nothing audits": (lambda: shop().policy(deny_all("shop", "cart")), Status.FINE, "No policy of shop is held back"),
    "an endpoint audits, and a pair would be cut": (
        lambda: auditing(shop().policy(deny_all("shop", "cart")).audited(A, B, 8080)),
        Status.PROBLEM,
        "turning it off would cut 1 pair: shop/frontend → shop/cart 8080/TCP; "
        "1 policy would start to be enforced: NetworkPolicy shop/deny-all",
    ),
    "an endpoint audits, and nothing was seen that would be cut": (
        lambda: auditing(shop().policy(deny_all("shop", "cart"))),
        Status.PROBLEM,
        "nothing was seen that turning it off would cut; 1 policy would start to be enforced",
    ),
    "an endpoint audits that no policy selects": (lambda: auditing(shop()), Status.FINE, "no policy selects it"),
    "all of the cluster audits": (
        lambda: shop(policy_audit_mode="true").policy(deny_all("shop", "cart")),
        Status.PROBLEM,
        "shop/cart-1",
    ),
    "an agent does not answer": (lambda: shop().down("n2"), Status.UNKNOWN, "n2"),
    "packets tell of it where the agent does not": (
        lambda: shop().policy(deny_all("shop", "cart")).audited(A, B, 8080).down("n2"),
        Status.PROBLEM,
        "turning it off would cut 1 pair",
    ),
    "another namespace audits": (
        lambda: auditing(shop().deploy("pay/ledger", on="n2").policy(deny_all("pay", "ledger")), "ledger-1"),
        Status.FINE,
        "No policy of shop is held back",
    ),
    "a node without pods of the namespace does not answer": (
        lambda: Cluster().deploy("shop/cart", on="n1").healthy_agents().down("n2"),
        Status.FINE,
        "No policy of shop is held back",
    ),
}


@pytest.mark.parametrize(("made", "status", "words"), ANSWERS.values(), ids=ANSWERS)
def test_the_answer(made: Callable[[], Cluster], status: Status, words: str) -> None:
    report = made().ask("audit shop")
    assert words in in_words(report)
    assert status_of(report) is status


def test_the_endpoint_its_node_and_its_policies_are_named() -> None:
    report = auditing(shop().policy(deny_all("shop", "cart")).policy(deny_all("shop", "frontend", name="x"))).ask(
        "audit"
    )
    found = the(report, "AUDIT_ENDPOINT")
    assert found.text == (
        "shop/cart-1, endpoint 3 on n2, has PolicyAuditMode Enabled: NetworkPolicy shop/deny-all is not enforced"
    )
    assert [one.ref for one in found.evidence] == ["CiliumEndpoint/shop/cart-1", "NetworkPolicy/shop/deny-all"]
    assert found.follow_up == "endpoint shop/pod/cart-1"
    assert the(report, "AUDIT_ENFORCED").text == "1 endpoint enforces its policies: shop/frontend-1"
    assert the(report, "AUDIT_CLUSTER_WIDE").outcome is Outcome.FINE


def test_what_policies_allow_by_now_would_not_be_cut() -> None:
    report = auditing(shop().audited(A, B, 8080)).ask("audit shop")
    assert "AUDIT_WOULD_CUT" not in codes(report)
    assert the(report, "AUDIT_NO_LONGER").outcome is Outcome.FINE


def test_a_policy_that_could_not_be_read_leaves_the_pair_cut() -> None:
    report = auditing(shop().audited(A, B, 8080)).without(Part.POLICIES).ask("audit shop")
    assert "a policy that could not be told" in the(report, "AUDIT_WOULD_CUT").text
    assert status_of(report) is Status.PROBLEM


def test_flows_that_were_not_heard_are_said() -> None:
    cluster = auditing(shop().policy(deny_all("shop", "cart")))
    cluster.silent = {"n2": "no answer"}
    report = cluster.ask("audit shop")
    assert "on n2 was not heard" in the(report, "AUDIT_FLOWS_NOT_HEARD").text
    assert "not heard: n2" in report.headline.seen


def test_flows_that_were_not_heard_matter_to_nobody_where_nothing_audits() -> None:
    cluster = shop().policy(deny_all("shop", "cart"))
    cluster.silent = {"n2": "no answer"}
    assert "AUDIT_FLOWS_NOT_HEARD" not in codes(cluster.ask("audit shop"))


def test_endpoints_are_bounded_and_agents_that_were_not_asked_are_named() -> None:
    cluster = auditing(shop().policy(deny_all("shop", "cart")))
    cluster.deploy("shop/cart", 60, on="n2")
    told = cluster.agent_endpoints("n2", audit=True)
    report = cluster.agent("n2", Part.AGENT_ENDPOINTS, told).ask("audit shop")
    assert codes(report).count("AUDIT_ENDPOINT") == 20
    assert "more" in in_words(report)


def test_there_is_no_such_namespace() -> None:
    report = shop().ask("audit shpo")
    assert "AUDIT_OF_WHOM" in codes(report)
    assert status_of(report) is Status.UNKNOWN


def answer_of(source: Source, question: str) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


def claims(report: Report) -> list[tuple[str, str]]:
    return [(found.code, found.text) for found in report.findings]


def test_recorded_live_in_a_dump_and_replayed(tmp_path: Path) -> None:
    name = "39-audit-mode-endpoint"
    with lab(name, tmp_path) as cluster:
        live = answer_of(RecordingSource(cluster.source(), tmp_path / "r.gz"), "audit shop")
    assert "endpoint 1691 on lab-node-1, has PolicyAuditMode Enabled" in the(live, "AUDIT_ENDPOINT").text
    assert "cart-only-loadgen" in the(live, "AUDIT_WOULD_CUT").text
    assert "shop/catalog" in the(live, "AUDIT_ENFORCED").text
    assert claims(answer_of(SysdumpSource(unpacked_dump(name, tmp_path)), "audit shop")) == claims(live)
    assert claims(answer_of(ReplaySource(tmp_path / "r.gz"), "audit shop")) == claims(live)
