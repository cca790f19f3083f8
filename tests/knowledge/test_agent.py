"""``agent NODE`` and what ``health`` says of the same: which ends matter, what goes on, what waits."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.catalogue import understand
from handlers.model.agent import AgentStatus, Controller
from handlers.model.change import Change
from handlers.model.cluster import Condition, LastExit, Pod, Workload
from handlers.model.endpoint import Kind
from handlers.model.event import Event
from handlers.model.finding import Outcome
from handlers.model.log import PodLog
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.snapshot import Gap, Missing
from handlers.model.wire import encode
from tests.knowledge.build import NOW, Cluster, ago, codes, deny_all, shop, the
from tests.reading import in_words
from workers.runner import run
from workers.status import Status, status_of

OOM, ERROR = ("OOMKilled", 137), ("Error", 1)
BAD_VALUE = (
    'time=2025-06-01T11:59:40Z level=fatal msg="Incorrect config-map flag value" '
    'error="option kube-proxy-replacement: strconv.ParseBool: parsing \\"strict\\": invalid syntax"'
)
LOST = 'time={} level=warn msg="Heartbeat timed out, restarting client connections"'


def ended(how: tuple[str, int], seconds: float = 20) -> LastExit:
    return LastExit("cilium-agent", how[1], how[0], ago(seconds))


def with_agent(cluster: Cluster, **changed: Any) -> Cluster:
    pods = [
        replace(pod, **changed) if pod.labels["k8s-app"] == "cilium" and pod.node == "n1" else pod
        for pod in cluster.cilium_pods()
    ]
    return cluster.holding(Part.CILIUM_PODS, tuple(pods))


def crashing(how: tuple[str, int] = OOM, cluster: Cluster | None = None) -> Cluster:
    down = (cluster or shop()).down("n1")
    return with_agent(
        down, ready=False, restarts=4, waiting="CrashLoopBackOff", last_exit=ended(how), ready_since=ago(120)
    )


def with_log(cluster: Cluster, now: tuple[str, ...] = (), before: tuple[str, ...] | None = None) -> Cluster:
    return cluster.agent("n1", Part.AGENT_LOG, PodLog("kube-system", "cilium-n1", "cilium-agent", now, previous=before))


def problems(report: Report) -> list[str]:
    return [finding.code for finding in report.findings if finding.outcome is Outcome.PROBLEM]


ENDS = {
    "killed a moment ago, runs again": (OOM, 60, 1, Outcome.PROBLEM),
    "an error minutes ago": (ERROR, 600, 1, Outcome.PROBLEM),
    "killed hours ago, runs since": (OOM, 7200, 9, Outcome.FINE),
    "asked to end": (("Completed", 0), 60, 1, Outcome.FINE),
    "lost with its node": (("Unknown", 255), 60, 1, Outcome.FINE),
}


@pytest.mark.parametrize(("how", "age", "restarts", "outcome"), ENDS.values(), ids=ENDS.keys())
def test_an_end_matters_while_it_is_new_and_bad(
    how: tuple[str, int], age: float, restarts: int, outcome: Outcome
) -> None:
    report = with_agent(shop(), restarts=restarts, last_exit=ended(how, age)).ask("agent n1")
    assert the(report, "CILIUM_POD_RESTARTED").outcome is outcome
    assert (status_of(report) is Status.PROBLEM) == (outcome is Outcome.PROBLEM)


def test_an_agent_that_runs_is_healthy() -> None:
    report = shop().ask("agent n1")
    assert in_words(report).startswith("The agent of n1 is healthy")
    assert ("state", "ready") in report.tables[0].rows


def test_a_crash_says_how_often_how_it_ended_and_what_to_do() -> None:
    report = crashing().ask("agent n1")
    crash = the(report, "CILIUM_POD_CRASHES")
    for words in ("cilium-n1", "n1", "4 times", "CrashLoopBackOff", "OOMKilled", "137", "20s ago"):
        assert words in crash.text
    assert "memory limit of container cilium-agent" in crash.advice
    assert crash.evidence[0].ref == "Pod/kube-system/cilium-n1"
    assert "keep working" in the(report, "AGENT_DOWN").text


def test_what_waits_for_an_agent_is_named() -> None:
    cluster = shop().policy(deny_all("shop", "cart")).policy(deny_all("shop", "frontend"))
    late, early = (
        replace(policy, changed_at=ago(age)) for policy, age in zip(cluster.policies, (60, 600), strict=True)
    )
    cluster.policies = [late, early]
    cluster.nodes[0] = replace(cluster.nodes[0], taints=("node.cilium.io/agent-not-ready:NoSchedule",))
    unmade = 'plugin type="cilium-cni" failed (add): unable to create endpoint'
    cluster.warnings += [
        Event("shop", "Pod", "cart-2", "FailedCreatePodSandBox", unmade, "kubelet", "n1", 3, ago(90), ago(50)),
        Event("shop", "Pod", "gone", "FailedCreatePodSandBox", unmade, "kubelet", "n1", 3, ago(900), ago(800)),
        Event("shop", "Pod", "cart-9", "FailedCreatePodSandBox", unmade, "kubelet", "n2", 3, ago(90), ago(50)),
        Event("shop", "Pod", "cart-3", "FailedScheduling", "1 had untolerated taint(s)", "", None, 1, ago(9), ago(9)),
    ]
    for question in ("agent n1", "health"):
        report = crashing(cluster=cluster).ask(question)
        waiting = {one.values["pods"] for one in report.findings if one.code == "PODS_AWAIT_AGENT"}
        assert waiting == {("shop/cart-2",), ("shop/cart-3",)}
        assert the(report, "POLICIES_AWAIT_AGENT").values["policies"] == (f"{late.kind} shop/{late.name}",)


def test_the_log_names_the_setting_and_who_changed_it() -> None:
    cluster = with_log(crashing(ERROR), before=(BAD_VALUE,))
    helm = Change("ConfigMap", "kube-system", "cilium-config", "helm", ago(180))
    cluster.config = replace(cluster.config, changes=(helm,))
    report = cluster.ask("agent n1")
    told = the(report, "AGENT_LOG_TELLS")
    assert "kube-proxy-replacement" in told.text
    assert "strict" in told.text
    assert "Set kube-proxy-replacement" in told.advice
    changed = the(report, "CHANGED_BEFORE_DOWN")
    assert (changed.outcome, changed.values["who"], changed.values["span"]) == (Outcome.PROBLEM, "helm", "1m")
    assert "kube-proxy-replacement" in str(report.headline.reason)


def test_a_change_before_a_lack_of_memory_is_a_note() -> None:
    cluster = crashing()
    cluster.config = replace(
        cluster.config, changes=(Change("ConfigMap", "kube-system", "cilium-config", "helm", ago(180)),)
    )
    assert the(cluster.ask("agent n1"), "CHANGED_BEFORE_DOWN").outcome is Outcome.FINE


def test_a_running_agent_is_ill_of_what_it_says_now_and_not_of_what_it_said() -> None:
    new, old = (LOST.format((NOW - timedelta(seconds=age)).isoformat()) for age in (30, 3000))
    assert problems(with_log(shop(), (old, new)).ask("agent n1")) == ["AGENT_LOG_TELLS"]
    assert problems(with_log(shop(), (old,)).ask("agent n1")) == []
    assert problems(with_log(shop(), (BAD_VALUE,)).ask("agent n1")) == []


def test_a_log_that_lacks_is_a_gap_where_it_would_tell_why() -> None:
    ill = crashing(ERROR).ask("agent n1")
    assert the(ill, "AGENT_LOG_UNREAD").outcome is Outcome.UNKNOWN
    assert "AGENT_LOG_UNREAD" not in codes(shop().ask("agent n1"))
    without = with_log(crashing(ERROR), before=None).ask("agent n1")
    assert "run before" in the(without, "AGENT_LOG_UNREAD").text


def test_an_agent_of_a_node_that_does_not_report_is_not_down() -> None:
    cluster = shop()
    said = Condition("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", ago(90))
    cluster.nodes[0] = replace(cluster.nodes[0], ready=False, condition=said)
    report = with_agent(cluster.down("n1"), ready=False, ready_since=ago(90)).ask("health")
    assert problems(report) == ["NODE_NOT_READY"]
    told = the(report, "NODE_NOT_READY").text
    assert "Kubelet stopped posting node status" in told
    assert "agent was not stopped" in told


def test_agents_that_crash_alike_are_one_line() -> None:
    pods = [
        replace(pod, ready=False, restarts=3, waiting="CrashLoopBackOff", last_exit=ended(ERROR), ready_since=ago(99))
        if pod.labels["k8s-app"] == "cilium"
        else pod
        for pod in shop().cilium_pods()
    ]
    crash = the(shop().holding(Part.CILIUM_PODS, tuple(pods)).ask("health"), "CILIUM_POD_CRASHES")
    assert (crash.values["count"], crash.values["nodes"]) == (2, ("n1", "n2"))


VERSIONS = {
    "one": ({"n1": "1.19.0", "n2": "1.19.0"}, "VERSIONS_AGREE", Outcome.FINE),
    "an upgrade that goes round": ({"n1": "1.19.0", "n2": "1.18.4"}, "AGENT_VERSIONS_DIFFER", Outcome.FINE),
    "two minors apart": ({"n1": "1.19.0", "n2": "1.17.4"}, "AGENT_VERSIONS_DIFFER", Outcome.PROBLEM),
}


@pytest.mark.parametrize(("by_node", "code", "outcome"), VERSIONS.values(), ids=VERSIONS.keys())
def test_versions_beside_each_other(by_node: dict[str, str], code: str, outcome: Outcome) -> None:
    cluster = shop()
    cluster.config = replace(cluster.config, versions=by_node)
    assert the(cluster.ask("health"), code).outcome is outcome


def test_a_daemonset_whose_pods_are_not_made_and_an_operator_that_is_scaled_away() -> None:
    daemon_set = Workload(Kind.DAEMON_SET, "kube-system", "cilium", 3, 2, {"k8s-app": "cilium"})
    operator = Workload(Kind.DEPLOYMENT, "kube-system", "cilium-operator", 0, 0, {"k8s-app": "cilium-operator"})
    pods: tuple[Pod, ...] = tuple(pod for pod in shop().cilium_pods() if "operator" not in pod.name)
    report = shop().holding(Part.SYSTEM_WORKLOADS, (daemon_set, operator)).holding(Part.CILIUM_PODS, pods).ask("health")
    assert "wants 3 pods and has 2" in the(report, "WORKLOAD_SHORT").text
    assert "cilium-operator wants 0 pods" in the(report, "OPERATOR_MISSING").text


def test_a_node_that_is_not_there_is_said() -> None:
    report = shop().ask("agent n9")
    assert status_of(report) is Status.UNKNOWN
    assert "There is no node n9" in in_words(report)


def test_an_agent_whose_status_is_bad_is_told_of_its_own_words() -> None:
    bad = AgentStatus("1.19.0", "Failure", "kvstore is down", {"kvstore": ("Failure", "no quorum")}, (), ())
    report = shop().agent("n1", Part.AGENT_STATUS, bad).ask("agent n1")
    assert set(problems(report)) == {"AGENT_STATE_BAD", "AGENT_COMPONENT_BAD"}


def test_a_secret_in_a_log_line_is_not_shown() -> None:
    line = f'time={ago(30).isoformat()} level=error msg="kvstore: failed to connect, password=hunter2"'
    report = run(understand("agent n1"), with_log(shop(), (line,)).source()).report
    assert "[redacted]" in the(report, "AGENT_LOG_TELLS").text
    assert "hunter2" not in json.dumps(encode(report))


CONTROLLERS = {
    "once": (1, Outcome.FINE),
    "again and again": (3, Outcome.PROBLEM),
}


@pytest.mark.parametrize(("failures", "outcome"), CONTROLLERS.values(), ids=CONTROLLERS.keys())
def test_controllers_that_fail_alike_are_one_line(failures: int, outcome: Outcome) -> None:
    cluster = shop()
    for number, name in enumerate(("n1", "n2"), 7):
        failing = (Controller(f"sync-policymap-{number}", failures, "no space", None),)
        cluster.agent(name, Part.AGENT_STATUS, AgentStatus("1.19.0", "Ok", "", {}, failing, ()))
    told = the(cluster.ask("health"), "CONTROLLER_FAILS")
    assert (told.outcome, told.values["nodes"]) == (outcome, ("n1", "n2"))


def test_an_agent_that_cannot_be_asked_behind_a_policy_of_hosts() -> None:
    cluster = shop()
    cluster.nodes[0] = replace(cluster.nodes[0], labels={"pool": "edge"})
    cluster.policy(
        """
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: edge-lockdown}
spec:
  nodeSelector: {matchLabels: {pool: edge}}
  ingress: [{toPorts: [{ports: [{port: "22"}]}]}]
"""
    )
    cluster.of_node[Part.AGENT_STATUS, "n1"] = Missing(Gap.TIMEOUT, "10250 did not answer")
    cluster.of_node[Part.AGENT_STATUS, "n2"] = Missing(Gap.TIMEOUT, "10250 did not answer")
    found = the(cluster.ask("health"), "AGENT_BEHIND_HOST_POLICY")
    assert (found.values["node"], found.outcome) == ("n1", Outcome.UNKNOWN)
    assert "edge-lockdown" in found.text
    assert found.follow_up == "why kube-apiserver node/n1 10250"


def test_an_image_that_cannot_be_pulled_says_so() -> None:
    report = with_agent(shop().down("n1"), ready=False, waiting="ImagePullBackOff", ready_since=ago(60)).ask("agent n1")
    told = the(report, "CILIUM_POD_NOT_READY")
    assert "ImagePullBackOff" in told.text
    assert "image" in told.advice
