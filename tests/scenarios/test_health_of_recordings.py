"""How well recorded clusters and their agents are: the same is told live, from the dump, and from a recording."""

from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.finding import Outcome
from handlers.model.report import Report
from handlers.source import Source
from tests.cluster.lab import lab
from tests.cluster.record import unpacked_dump
from tests.reading import in_words
from workers.runner import run
from workers.sources.recorded import RecordingSource, ReplaySource
from workers.sources.sysdump import SysdumpSource

DOWN, UNREPORTED = "30-agent-down-node-2", "47-node-not-ready"
TRUE_OF_IT = {
    "CILIUM_POD_CRASHES": ("cilium-jlzk7", "lab-node-2", "CrashLoopBackOff", "OOMKilled", "exit code 137"),
    "AGENT_DOWN": ("lab-node-2", "existing connections and pods keep working", "no drop seen there proves nothing"),
    "POLICIES_AWAIT_AGENT": ("lab-node-2", "monitoring/prometheus-lockdown"),
    "PODS_AWAIT_AGENT": ("payments/checkout-api-5b7d76d7d7",),
}


def _answer(question: str, source: Source) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


def _problems(report: Report) -> list[tuple[str, str]]:
    return sorted((one.code, one.text) for one in report.findings if one.outcome is Outcome.PROBLEM)


def test_an_agent_that_is_down_is_told_alike_live_dumped_and_recorded(tmp_path: Path) -> None:
    with lab(DOWN, tmp_path) as cluster:
        live = _answer("agent lab-node-2", RecordingSource(cluster.source(), tmp_path / "run.gz"))
        well = _answer("agent lab-node-1", cluster.source())
    dumped = _answer("agent lab-node-2", SysdumpSource(unpacked_dump(DOWN, tmp_path)))
    replayed = _answer("agent lab-node-2", ReplaySource(tmp_path / "run.gz"))
    assert _problems(live) == _problems(dumped) == _problems(replayed)
    assert in_words(well).startswith("The agent of lab-node-1 is healthy")
    for code, words in TRUE_OF_IT.items():
        text = " ".join(text for found, text in _problems(live) if found == code)
        assert all(word in text for word in words), (code, text)
    waiting = " ".join(text for code, text in _problems(live) if code == "PODS_AWAIT_AGENT")
    assert "FailedCreatePodSandBox" in waiting
    assert "node.cilium.io/agent-not-ready" in waiting


@pytest.mark.parametrize("question", ["health", "agent lab-node-2"])
def test_an_agent_whose_node_does_not_report_is_not_called_down(question: str, tmp_path: Path) -> None:
    with lab(UNREPORTED, tmp_path) as cluster:
        found = _problems(_answer(question, cluster.source()))
    told = dict(found)
    assert "Kubelet stopped posting node status" in told["NODE_NOT_READY"]
    assert not {"AGENT_DOWN", "CILIUM_POD_CRASHES", "CILIUM_POD_NOT_READY"} & told.keys()


HEALTHY = ("34-healthy-busy", "36f-headless-healthy")


@pytest.mark.parametrize("name", HEALTHY)
def test_health_of_a_healthy_cluster_is_no_problem_live_and_dumped(name: str, tmp_path: Path) -> None:
    with lab(name, tmp_path) as cluster:
        live = _answer("health", cluster.source())
    dumped = _answer("health", SysdumpSource(unpacked_dump(name, tmp_path)))
    assert (in_words(live), in_words(dumped)) == ("Cilium in the cluster is healthy",) * 2
    assert _problems(live) == _problems(dumped) == []


def test_health_names_what_is_ill_live_and_dumped(tmp_path: Path) -> None:
    name = "42-kube-proxy-beside-kpr"
    with lab(name, tmp_path) as cluster:
        live = _answer("health", cluster.source())
    dumped = _answer("health", SysdumpSource(unpacked_dump(name, tmp_path)))
    assert [code for code, _ in _problems(live)] == [code for code, _ in _problems(dumped)] == ["KUBE_PROXY_BESIDE"]


def test_what_a_dump_lacks_of_an_agent_that_did_not_run_is_said_so(tmp_path: Path) -> None:
    report = _answer("agent lab-node-2", SysdumpSource(unpacked_dump(DOWN, tmp_path)))
    assert "cilium-jlzk7 did not run when the dump was taken" in " ".join(gap.detail for gap in report.gaps)
