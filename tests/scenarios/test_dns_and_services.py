"""Recorded faults of DNS and of Services, told alike from the running cluster, from its dump, and from a recording."""

from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.finding import Outcome
from handlers.model.report import Report
from handlers.source import Source
from tests.cluster.lab import lab
from tests.cluster.record import has_dump, unpacked_dump
from workers.runner import run
from workers.sources.recorded import RecordingSource, ReplaySource
from workers.sources.sysdump import SysdumpSource

FAULTS: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "the cluster's DNS is scaled away": (
        "33-coredns-down",
        "dns shop/frontend",
        ("DNS_SERVERS_DOWN",),
        ("kube-system/kube-dns of the cluster's DNS has 0 ready backends", "addresses work", "no policy is the cause"),
    ),
    "its upstream is silent": (
        "33c-dns-upstream-timeout",
        "dns shop/frontend",
        ("LOOKUPS_FAIL", "DNS_UPSTREAM_SILENT"),
        ("hooks.stripe.example gets SERVFAIL after about 2 s", "external names only", "The upstream 198.18.10.53"),
    ),
    "a policy forgets DNS": (
        "33e-dns-egress-denied",
        "dns shop/frontend",
        ("DNS_DENIED",),
        ("53/UDP", "CiliumNetworkPolicy shop/frontend-egress", "created by argocd-controller at 14:26:41 UTC"),
    ),
    "all is well with names": ("34-healthy-busy", "dns shop/frontend", (), ("198.18.10.53 answers",)),
    "only one node has a backend": (
        "36-nodeport-etp-local",
        "service shop/cart-public",
        ("NODES_WITHOUT_LOCAL_BACKEND",),
        ("lab-node-2 refuses clients from outside on nodePort 30876", "lab-node-1 does"),
    ),
    "a selector with a typo": (
        "36b-service-selector-typo",
        "service shop/catalog",
        ("SERVICE_SELECTS_NOTHING",),
        (
            "selects app=catalogue",
            "nearest are pods with app=catalog",
            "changed by helm at 14:32:32 UTC (spec.selector)",
        ),
    ),
    "one of two backends drops": (
        "44-one-of-two-backends-denied",
        "service shop/search",
        ("SOME_BACKENDS_DROP",),
        (
            "shop/search-canary-7956786669-8p5q2 on lab-node-2",
            "shop/search-canary-lock",
            "created by argocd-controller",
        ),
    ),
    "a node is not ready": (
        "47-node-not-ready",
        "service payments/checkout-api",
        ("SERVICE_NO_READY_BACKENDS",),
        ("node lab-node-2 is not ready", "Kubelet stopped posting node status", "its pods still run"),
    ),
    "a headless Service": ("36f-headless-healthy", "service shop/redis-headless", (), ("is a headless Service",)),
}


def answer(question: str, source: Source) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


def told(report: Report) -> str:
    return " ".join(finding.text for finding in report.findings)


def problems(report: Report) -> tuple[str, ...]:
    return tuple(finding.code for finding in report.findings if finding.outcome is Outcome.PROBLEM)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told(fault: str, tmp_path: Path) -> None:
    name, question, codes, words = FAULTS[fault]
    with lab(name, tmp_path) as cluster:
        live = answer(question, RecordingSource(cluster.source(), tmp_path / "run.gz"))
    assert problems(live) == codes
    assert all(one in told(live) for one in words), told(live)
    assert answer(question, ReplaySource(tmp_path / "run.gz")).findings == live.findings
    if has_dump(name):
        dumped = answer(question, SysdumpSource(unpacked_dump(name, tmp_path)))
        assert problems(dumped) == codes
        assert all(one in told(dumped) for one in words), told(dumped)


def test_who_scaled_the_servers_is_told_where_their_deployment_is_read(tmp_path: Path) -> None:
    with lab("33-coredns-down", tmp_path) as cluster:
        words = told(answer("dns shop/frontend", cluster.source()))
    assert "Deployment coredns wants 0 replicas" in words
    assert "was scaled by kubectl-scale at 14:24:12 UTC" in words


def test_kube_proxy_beside_its_replacement_is_told_by_health(tmp_path: Path) -> None:
    report = answer("health", SysdumpSource(unpacked_dump("42-kube-proxy-beside-kpr", tmp_path)))
    (found,) = [finding for finding in report.findings if finding.code == "KUBE_PROXY_BESIDE"]
    assert found.evidence[0].ref == "DaemonSet/kube-system/kube-proxy"
    assert "kube-proxy runs on lab-node-1, lab-node-2" in found.text
