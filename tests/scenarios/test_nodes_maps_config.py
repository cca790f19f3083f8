"""Recorded faults of nodes, maps and configuration: what each question names, whatever it is asked of."""

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

NODES = "nodes lab-node-1 lab-node-2"
TUNNEL = ("from lab-node-1 to lab-node-2 are lost", "VXLAN tunnel (8472/UDP)", "health probe 46s ago failed")
CONNTRACK = ("ct4_global on lab-node-1", "bpf-ct-global-tcp-max is 2048 in cilium-config", "0.41")
NOT_RESTARTED = ("lab-node-2 goes by bpf-ct-global-tcp-max 221723", "cilium-config says 2048", "helm changed")
FULL = ("lab-node-2", "30 of 30 of its pod CIDR 10.244.1.0/27", "settlement-batch (26", "range is full")
FIREWALL = (
    *("CiliumClusterwideNetworkPolicy//node-2-lockdown", "node lab-node-2", "node-pool=edge", "10250/TCP (kubelet)"),
    *(
        "kubectl logs and exec",
        "could not be asked by exec",
        "packets dropped lately",
        "traffic of pods is not its matter",
    ),
)
NOT_READY = (
    "Node lab-node-2 is not ready (Unknown",
    "Kubelet stopped posting node status",
    "agent answers all the same",
)


def _answer(question: str, source: Source) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


def _problems(report: Report) -> list[tuple[str, str]]:
    return sorted((finding.code, finding.text) for finding in report.findings if finding.outcome is Outcome.PROBLEM)


@pytest.mark.parametrize(
    ("name", "question", "words"),
    [
        pytest.param("32-vxlan-blocked-one-way", NODES, TUNNEL, id="a tunnel is cut"),
        pytest.param("40-ipam-exhausted-node-2", "nodes lab-node-2", FULL, id="no addresses are left"),
        pytest.param("41b-conntrack-map-pressure", "maps", CONNTRACK, id="a map is far too small"),
        pytest.param("41b-conntrack-map-pressure", "config", NOT_RESTARTED, id="an agent was not started again"),
    ],
)
def test_dump_cluster_and_recording_say_the_same(
    name: str, question: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    dumped = _answer(question, SysdumpSource(unpacked_dump(name, tmp_path)))
    with lab(name, tmp_path) as cluster:
        live = _answer(question, RecordingSource(cluster.source(), tmp_path / "r.gz"))
    again = _answer(question, ReplaySource(tmp_path / "r.gz"))
    told = " ".join(text for _, text in _problems(dumped))
    assert all(word in told for word in words), in_words(dumped)
    assert _problems(again) == _problems(live)
    assert {code for code, _ in _problems(live)} == {code for code, _ in _problems(dumped)}, in_words(live)


@pytest.mark.parametrize(
    ("name", "question", "words"),
    [
        pytest.param("43-host-firewall-kubelet", NODES, FIREWALL, id="a host policy before kubelet"),
        pytest.param("47-node-not-ready", "nodes lab-node-2", NOT_READY, id="a kubelet that is silent"),
        pytest.param("32b-node-ip-blocked", NODES, ("lab-node-2 cannot reach node lab-node-1",), id="all is cut"),
    ],
)
def test_what_only_the_cluster_itself_tells(name: str, question: str, words: tuple[str, ...], tmp_path: Path) -> None:
    with lab(name, tmp_path) as cluster:
        live = _answer(question, cluster.source())
    told = " ".join(text for _, text in _problems(live))
    assert all(word in told for word in words), in_words(live)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        *(("34-healthy-busy", question) for question in (NODES, "maps", "config")),
        ("35-egress-gateway-healthy", NODES),
        ("36f-headless-healthy", "nodes"),
    ],
)
def test_a_healthy_cluster_has_no_problem(name: str, question: str, tmp_path: Path) -> None:
    assert _problems(_answer(question, SysdumpSource(unpacked_dump(name, tmp_path)))) == []
