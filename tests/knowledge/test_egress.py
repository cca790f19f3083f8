"""``egress``: which way out, as whom it is seen, and what is wrong with the policies."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from handlers.catalogue import understand
from handlers.model.agent import AddressIdentity, AgentStatus, EgressGatewayEntry
from handlers.model.finding import Outcome
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.source import Source
from tests.cluster.lab import lab
from tests.cluster.record import unpacked_dump
from tests.knowledge.build import Cluster, codes, node, peer, shop, the
from tests.reading import in_words
from workers.runner import run
from workers.sources.recorded import RecordingSource, ReplaySource
from workers.sources.sysdump import SysdumpSource
from workers.status import Status, status_of

RECORDED = [
    pytest.param(
        "35-egress-gateway-healthy",
        Status.FINE,
        ["fraud-worker-6c96d6d547-nps45 as 10.90.0.102, from lab-node-2"],
        id="a gateway that works",
    ),
    pytest.param(
        "35a-egress-gateway-no-node",
        Status.PROBLEM,
        [
            "CiliumEgressGatewayPolicy//fraud-egress",
            "egress-node=true matches no node",
            "bpf egress list on lab-node-1 says Not Found (0.0.0.0)",
            "No Egress Gateway found",
            "12 packets were dropped on lab-node-1 as NO_EGRESS_GATEWAY",
        ],
        id="no node is the gateway",
    ),
    pytest.param(
        "35c-egress-gateway-excluded-cidr",
        Status.PROBLEM,
        [
            "CiliumEgressGatewayPolicy//fraud-egress",
            "excludedCIDRs hold 198.19.50.0/24",
            "sees 10.90.0.1, the address of lab-node-1, in place of 10.90.0.102",
            "nothing is dropped",
        ],
        id="the range is excluded",
    ),
]
QUESTION = "egress payments/fraud-worker 198.19.50.7"


def answer_of(source: Source, question: str = QUESTION) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


@pytest.mark.parametrize(("name", "status", "words"), RECORDED)
def test_a_recorded_gateway_live_in_a_dump_and_replayed(
    name: str, status: Status, words: list[str], tmp_path: Path
) -> None:
    with lab(name, tmp_path) as cluster:
        live = answer_of(RecordingSource(cluster.source(), tmp_path / "r.gz"))
    told = " ".join(finding.text for finding in live.findings)
    assert [one for one in words if one not in told] == []
    assert status_of(live) is status
    dumped = answer_of(SysdumpSource(unpacked_dump(name, tmp_path)))
    assert sorted(codes(dumped)) == sorted(codes(live))
    assert [patch.json_patch for patch in dumped.patches] == [patch.json_patch for patch in live.patches]
    assert codes(answer_of(ReplaySource(tmp_path / "r.gz"))) == codes(live)


A = "shop/frontend-1"
GATEWAY = """
apiVersion: cilium.io/v2
kind: CiliumEgressGatewayPolicy
metadata: {name: out}
spec:
  selectors: [{podSelector: {matchLabels: {app: frontend, io.kubernetes.pod.namespace: shop}}}]
  destinationCIDRs: [203.0.113.0/24]
  excludedCIDRs: [203.0.113.128/25, 203.0.113.32/28]
  egressGateway: {nodeSelector: {matchLabels: {egress-node: "true"}}, egressIP: 198.51.100.1}
"""
ASKED = "egress shop/frontend 203.0.113.9"


def leaving(text: str = GATEWAY, address: str | None = "198.51.100.1", **labels: str) -> Cluster:
    """Return the shop with a policy and a third node, whose labels are given and whose map has ``address``."""
    cluster = shop(enable_egress_gateway="true", enable_bpf_masquerade="true", kube_proxy_replacement="true")
    named = {key.replace("_", "-"): value for key, value in labels.items()}
    third = node("n3", 3)
    cluster.gateway(text).nodes.append(replace(third, labels={**third.labels, **named}))
    source = next(pod.ips[0] for pod in cluster.pods if pod.name == "frontend-1")
    cluster.agent("n1", Part.AGENT_EGRESS, (EgressGatewayEntry(source, "203.0.113.0/24", None, "192.168.0.3"),))
    return cluster.agent(
        "n3", Part.AGENT_EGRESS, (EgressGatewayEntry(source, "203.0.113.0/24", address, "192.168.0.3"),)
    )


SEEN: dict[str, tuple[Callable[[], Cluster], str, str]] = {
    "through the gateway": (lambda: leaving(egress_node="true"), "203.0.113.9", "as 198.51.100.1, from n3"),
    "beside the range": (lambda: leaving(egress_node="true"), "192.0.2.1", "as 192.168.0.1, from n1"),
    "in an excluded range": (lambda: leaving(egress_node="true"), "203.0.113.200", "as 192.168.0.1, from n1"),
    "without masquerading": (
        lambda: shop(enable_ipv4_masquerade="false"),
        "192.0.2.1",
        "as 10.0.1.11, from n1",
    ),
}


@pytest.mark.parametrize(("cluster", "address", "words"), SEEN.values(), ids=SEEN.keys())
def test_the_address_that_the_other_side_sees(cluster: Callable[[], Cluster], address: str, words: str) -> None:
    assert words in the(cluster().ask(f"egress shop/frontend {address}"), "EGRESS_SEEN_AS").text


def test_policies_that_come_near_are_named() -> None:
    other = GATEWAY.replace("name: out", "name: cart-out").replace("app: frontend", "app: cart")
    report = (
        leaving(egress_node="true")
        .gateway(other.replace("203.0.113.0/24", "192.0.2.0/24"))
        .ask("egress shop/frontend 192.0.2.1")
    )
    told = [finding.text for finding in report.findings if finding.code == "EGRESS_NOT_TAKEN"]
    assert [text.partition(" does")[0] for text in told] == [
        "CiliumEgressGatewayPolicy//cart-out",
        "CiliumEgressGatewayPolicy//out",
    ]
    assert status_of(report) is Status.FINE


def test_what_stays_inside_has_no_gateway() -> None:
    report = leaving(egress_node="true").ask("egress shop/frontend shop/cart 80")
    assert "is inside the cluster" in the(report, "EGRESS_STAYS_INSIDE").text
    assert status_of(report) is Status.FINE


def test_a_node_has_no_gateway_either() -> None:
    report = leaving(egress_node="true").ask("egress node/n1 203.0.113.9")
    assert "node n1 has none" in the(report, "EGRESS_OF_NO_POD").text


def test_a_sidecar_is_told() -> None:
    cluster = leaving(egress_node="true")
    index = next(index for index, pod in enumerate(cluster.pods) if pod.name == "frontend-1")
    cluster.pods[index] = replace(cluster.pods[index], images=("shop/frontend:3", "docker.io/istio/proxyv2:1.27.0"))
    assert "docker.io/istio/proxyv2:1.27.0" in the(cluster.ask(ASKED), "EGRESS_MESH").text


def test_network_policy_on_the_way_out_is_judged_as_well() -> None:
    text = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: shut, namespace: shop}
spec: {endpointSelector: {matchLabels: {app: frontend}}, egress: [{toCIDR: [192.0.2.0/24]}]}
"""
    report = leaving(egress_node="true").policy(text).ask(ASKED)
    refs = {one.ref for finding in report.blockers() for one in finding.evidence}
    assert refs == {"CiliumNetworkPolicy/shop/shut"}
    assert status_of(report) is Status.PROBLEM


def test_an_answer_without_the_policies_is_no_all_clear() -> None:
    report = leaving(egress_node="true").without(Part.EGRESS_GATEWAYS).ask(ASKED)
    assert status_of(report) is Status.UNKNOWN
    assert str(in_words(report)).startswith("Cannot tell")


CORRECTED: dict[str, tuple[Callable[[], Cluster], str, dict[str, object] | str]] = {
    "another value of the label": (
        lambda: leaving(egress_node="yes"),
        "203.0.113.9",
        {"nodeSelector": {"matchLabels": {"egress-node": "yes"}}, "egressIP": "198.51.100.1"},
    ),
    "another key like it": (
        lambda: leaving(egress_nodes="true"),
        "203.0.113.9",
        {"nodeSelector": {"matchLabels": {"egress-nodes": "true"}}, "egressIP": "198.51.100.1"},
    ),
    "the node that has the address": (
        lambda: leaving(GATEWAY.replace("198.51.100.1", "192.168.0.2")),
        "203.0.113.9",
        {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": "n2"}}, "egressIP": "192.168.0.2"},
    ),
    "the gateway lacks the address and another node has it": (
        lambda: leaving(GATEWAY.replace("198.51.100.1", "192.168.0.2"), None, egress_node="true"),
        "203.0.113.9",
        {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": "n2"}}, "egressIP": "192.168.0.2"},
    ),
    "another node has the address on an interface": (
        lambda: leaving(GATEWAY, None, egress_node="true").agent(
            "n1", Part.AGENT_ADDRESSES, (AddressIdentity("198.51.100.1/32", 1),)
        ),
        "203.0.113.9",
        {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": "n1"}}, "egressIP": "198.51.100.1"},
    ),
    "no label is like it": (lambda: leaving(), "203.0.113.9", "kubectl label node NODE egress-node=true"),
    "nobody has the address": (lambda: leaving(GATEWAY, None, egress_node="true"), "203.0.113.9", "no node is known"),
}


@pytest.mark.parametrize(("cluster", "address", "wanted"), CORRECTED.values(), ids=CORRECTED.keys())
def test_a_corrected_gateway(cluster: Callable[[], Cluster], address: str, wanted: dict[str, object] | str) -> None:
    report = cluster().ask(f"egress shop/frontend {address}")
    assert status_of(report) is Status.PROBLEM
    if isinstance(wanted, str):
        assert report.patches == ()
        assert wanted in " ".join(report.patch_notes)
    else:
        (patch,) = report.patches
        assert yaml.safe_load(patch.manifest)["spec"]["egressGateway"] == wanted
        assert shlex.split(patch.command)[:4] == ["kubectl", "patch", "ciliumegressgatewaypolicies", "out"]


def test_only_the_range_that_excludes_is_taken_out() -> None:
    (patch,) = leaving(egress_node="true").ask("egress shop/frontend 203.0.113.200").patches
    assert yaml.safe_load(patch.manifest)["spec"]["excludedCIDRs"] == ["203.0.113.32/28"]
    assert "through n3" in patch.checks[0]


def test_a_policy_of_another_kind_of_name_breaks_nothing() -> None:
    hostile = "x'; rm -rf /;'"
    cluster = leaving(GATEWAY.replace("name: out", f'name: "{hostile}"'), egress_node="yes")
    (patch,) = cluster.ask(ASKED).patches
    assert shlex.split(patch.command)[3] == hostile
    assert all(finding.outcome is not Outcome.BROKEN for finding in cluster.ask(ASKED).findings)


def test_why_offers_the_same_correction() -> None:
    asked, explained = (
        leaving(egress_node="yes").ask(f"{word} shop/frontend 203.0.113.9") for word in ("egress", "why")
    )
    assert explained.expected == "blocked"
    assert [patch.json_patch for patch in explained.patches] == [patch.json_patch for patch in asked.patches]


def test_the_address_that_was_seen_counts_before_the_one_that_is_meant() -> None:
    cluster = leaving(egress_node="true").saw(
        A, "203.0.113.9", 443, node="n3", point="TO_NETWORK", source_translated="198.51.100.7"
    )
    assert "as 198.51.100.7, from n3 (seen, last at 11:59:00 UTC)" in the(cluster.ask(ASKED), "EGRESS_SEEN_AS").text


UNREACHED = {
    "its probe of the gateway failed": (lambda: probing(leaving(egress_node="true")), "unknown", True),
    "answers came since": (
        lambda: probing(leaving(egress_node="true")).worked(A, "203.0.113.9", 443),
        "open",
        False,
    ),
    "the gateway's agent is down, and refuses": (
        lambda: probing(leaving(egress_node="true"), "connection refused"),
        "open",
        False,
    ),
}


def probing(cluster: Cluster, error: str = "timed out") -> Cluster:
    """Let the prober of the pod's node say how the gateway answers."""
    status = AgentStatus("1.19.0", "Ok", "", {}, (), (peer("n2"), peer("n3", host=error, endpoint=error)))
    return cluster.agent("n1", Part.AGENT_STATUS, status)


@pytest.mark.parametrize(("cluster", "expected", "is_told"), UNREACHED.values(), ids=UNREACHED.keys())
def test_a_gateway_out_of_reach(cluster: Callable[[], Cluster], expected: str, is_told: bool) -> None:
    report = cluster().ask("why shop/frontend 203.0.113.9")
    assert report.expected == expected, in_words(report)
    assert ("EGRESS_GATEWAY_UNREACHED" in codes(report)) is is_told


def test_of_policies_that_contradict_each_other_the_one_in_force_is_told() -> None:
    second = GATEWAY.replace("name: out", "name: other").replace("198.51.100.1", "198.51.100.2")
    finding = the(leaving(egress_node="true").gateway(second).ask(ASKED), "EGRESS_GATEWAY_CONFLICT")
    assert "CiliumEgressGatewayPolicy//other, CiliumEgressGatewayPolicy//out both decide" in finding.text
    assert "now bpf egress list on n1 has n3 with 198.51.100.1" in finding.text
