"""``config``: what is set and not in force, where nodes differ, and which options mean nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from handlers.configuration.effective import agrees, shown
from handlers.configuration.known_options import KNOWN
from handlers.configuration.removed_options import REMOVED
from handlers.model.agent import AgentConfig
from handlers.model.change import Change
from handlers.model.cluster import CiliumConfig, NodeConfig
from handlers.model.finding import Outcome
from handlers.model.parts import Part
from tests.knowledge.build import NOW, Cluster, ago, codes, the
from tests.reading import in_words
from workers.status import Status, status_of

IN_FORCE = {"RoutingMode": "tunnel", "EnableBPFMasquerade": "true", "CTMapEntriesGlobalTCP": "221723"}
SET = {"routing_mode": "tunnel", "enable_bpf_masquerade": "true"}


def running(
    *overrides: NodeConfig, on_n2: dict[str, str] | None = None, version: str = "1.19.6", **set_: Any
) -> Cluster:
    """Return two nodes whose agents go by the same, but for what n2 has of its own."""
    cluster = Cluster(version=version, **{**SET, **set_}).holding(Part.NODE_CONFIGS, overrides)
    for node, own in (("n1", {}), ("n2", on_n2 or {})):
        cluster.agent(node, Part.AGENT_CONFIG, AgentConfig({**IN_FORCE, **own}, ago(3600)))
    return cluster


def overriding(**labels: str) -> NodeConfig:
    return NodeConfig("kube-system", "edge", {"matchLabels": labels}, {"routing-mode": "native"})


ON_N2 = overriding(**{"kubernetes.io/hostname": "n2"})

CASES: dict[str, tuple[Callable[[], Cluster], str, Outcome]] = {
    "all is in force": (running, "CONFIG_IN_FORCE", Outcome.FINE),
    "an agent has not read a change": (
        lambda: running(bpf_ct_global_tcp_max="2048"),
        "CONFIG_NOT_IN_FORCE",
        Outcome.PROBLEM,
    ),
    "an agent has another value": (
        lambda: running(on_n2={"RoutingMode": "native"}),
        "CONFIG_NOT_IN_FORCE",
        Outcome.PROBLEM,
    ),
    "an override sets it so": (
        lambda: running(ON_N2, on_n2={"RoutingMode": "native"}),
        "CONFIG_OVERRIDDEN",
        Outcome.FINE,
    ),
    "an override that is not in force": (lambda: running(ON_N2), "CONFIG_NOT_IN_FORCE", Outcome.PROBLEM),
    "an override for other nodes": (lambda: running(overriding(role="gpu")), "CONFIG_IN_FORCE", Outcome.FINE),
    "nodes differ in what nothing sets": (
        lambda: running(on_n2={"PolicyAuditMode": "Enabled"}),
        "CONFIG_IN_FORCE",
        Outcome.FINE,
    ),
    "a device of one node": (
        lambda: running(devices="eth0", on_n2={"Devices": "[eth1]"}),
        "CONFIG_NOT_IN_FORCE",
        Outcome.FINE,
    ),
    "an option that is gone and missed": (lambda: running(tunnel="geneve"), "OPTION_REMOVED", Outcome.FINE),
    "an option that is gone and always on": (
        lambda: running(enable_session_affinity="true"),
        "OPTION_REMOVED",
        Outcome.FINE,
    ),
    "an egress gateway by its old name": (
        lambda: running(enable_ipv4_egress_gateway="true"),
        "OPTION_REMOVED",
        Outcome.PROBLEM,
    ),
    "that name before it was removed": (
        lambda: running(enable_ipv4_egress_gateway="true", version="1.18.11"),
        "OPTIONS_KNOWN",
        Outcome.FINE,
    ),
    "a value that ends the agent": (
        lambda: running(kube_proxy_replacement="strict"),
        "OPTION_VALUE_REMOVED",
        Outcome.PROBLEM,
    ),
    "a typo": (lambda: running(enable_bpf_masqerade="true"), "OPTION_UNKNOWN", Outcome.FINE),
}


@pytest.mark.parametrize(("cluster", "code", "outcome"), CASES.values(), ids=list(CASES))
def test_what_a_setting_is_worth(cluster: Callable[[], Cluster], code: str, outcome: Outcome) -> None:
    report = cluster().ask("config")
    assert code in codes(report), in_words(report)
    assert {finding.outcome for finding in report.findings if finding.code == code} == {outcome}
    status = {Outcome.PROBLEM: Status.PROBLEM, Outcome.UNKNOWN: Status.UNKNOWN}.get(outcome, Status.FINE)
    assert status_of(report) is status, in_words(report)


def test_agents_that_differ_in_what_nothing_sets() -> None:
    cluster = running(on_n2={"PolicyAuditMode": "Enabled"})
    cluster.agent("n1", Part.AGENT_CONFIG, AgentConfig({**IN_FORCE, "PolicyAuditMode": "Disabled"}))
    report = cluster.ask("config")
    assert the(report, "CONFIG_DIFFERS").text == "Nodes differ in PolicyAuditMode: Disabled on n1; Enabled on n2"
    assert report.tables[0].rows == (("PolicyAuditMode", None, "Disabled", "Enabled"),)


def test_who_changed_it_and_since_when_the_agent_runs() -> None:
    cluster = running(bpf_ct_global_tcp_max="2048")
    change = Change("ConfigMap", "kube-system", "cilium-config", "helm", ago(60))
    cluster.config = CiliumConfig(cluster.config.options, "1.19.6", changes=(change,))
    finding = the(cluster.ask("config ct"), "CONFIG_NOT_IN_FORCE")
    assert finding.text == (
        "n1, n2 go by bpf-ct-global-tcp-max 221723, while cilium-config says 2048; "
        "helm changed cilium-config at 11:59:00 UTC, and the agent has run since 11:00:00 UTC"
    )


def test_a_key_shows_its_options_on_each_node() -> None:
    (table,) = running().ask("config routing").tables
    assert table.columns == ("option", "cilium-config", "n1", "n2")
    assert table.rows == (("routing-mode", "tunnel", "tunnel", "tunnel"),)


def test_an_agent_that_is_not_read_leaves_it_open() -> None:
    cluster = running()
    del cluster.of_node[Part.AGENT_CONFIG, "n2"]
    report = cluster.ask("config")
    assert the(report, "CONFIG_UNREAD").values["count"] == 1
    assert status_of(report) is Status.UNKNOWN
    assert report.taken_at == NOW


@pytest.mark.parametrize(
    ("option", "wanted", "actual", "agreed"),
    [
        pytest.param("debug", "true", "Enabled", True, id="two words for on"),
        pytest.param("debug", "false", "Enabled", False, id="off and on"),
        pytest.param("monitor-aggregation-interval", "5s", "5000000000", True, id="a duration in nanoseconds"),
        pytest.param("identity-gc-interval", "1h30m", "5400000000000", True, id="hours and minutes"),
        pytest.param("bpf-ct-global-tcp-max", "2048", "221723", False, id="two numbers"),
        pytest.param("devices", "eth0,eth1", "[eth1 eth0]", True, id="a list in another order"),
        pytest.param("enable-policy", "default", "always", False, id="two words"),
        pytest.param("procfs", "/proc", "/host/proc", None, id="paths are not compared"),
        pytest.param("monitor-aggregation-flags", "all", "255", None, id="a word and its number"),
        pytest.param("cluster-name", "prod", "", None, id="nothing is told"),
    ],
)
def test_values_that_agree(option: str, wanted: str, actual: str, agreed: bool | None) -> None:
    assert agrees(option, wanted, actual) is agreed


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("etcd-password", "hunter2", "(hidden)"),
        ("bgp-secrets-namespace", "kube-system", "kube-system"),
        ("enable-ingress-secrets-sync", "true", "true"),
        ("routing-mode", "tunnel", "tunnel"),
    ],
)
def test_secrets_are_not_shown(option: str, value: str, expected: str) -> None:
    assert shown(option, value) == expected


def test_what_is_gone_is_listed_once() -> None:
    assert not {option for option, removed in REMOVED.items() if removed.since < (1, 16)} & KNOWN
    assert {"routing-mode", "enable-egress-gateway", "kube-proxy-replacement"} <= KNOWN
