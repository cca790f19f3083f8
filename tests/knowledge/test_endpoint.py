"""``endpoint``: what Cilium made of a pod, what it enforces, and why an endpoint was never made."""

from dataclasses import replace
from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.agent import AgentEndpoint, Controller, EndpointLogEntry, PolicyMapEntry
from handlers.model.cluster import LastExit, Pod
from handlers.model.event import Event
from handlers.model.finding import Outcome
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.snapshot import Gap, Known
from handlers.source import Source
from tests.cluster.lab import lab
from tests.cluster.record import unpacked_dump
from tests.knowledge.build import NOW, Cluster, ago, allow_from, codes, shop, the
from workers.runner import run
from workers.sources.sysdump import SysdumpSource
from workers.status import status_of

CNI = 'Failed to create pod sandbox: rpc error: plugin type="cilium-cni" name="cilium" failed (add): '


def _answer(question: str, source: Source) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


def _problems(report: Report) -> dict[str, str]:
    return {finding.code: finding.text for finding in report.findings if finding.outcome is Outcome.PROBLEM}


RECORDED = [
    pytest.param("39-audit-mode-endpoint", "shop/cart", {"ENDPOINT_AUDITS": "1691"}, id="audit mode"),
    pytest.param(
        "40-ipam-exhausted-node-2",
        "payments/settlement-batch",
        {"ENDPOINT_WITHOUT_ADDRESS": "10.244.1.0/27"},
        id="no address left",
    ),
    pytest.param(
        "30-agent-down-node-2",
        "payments/checkout-api",
        {"ENDPOINT_AGENT_DOWN": "OOMKilled", "ENDPOINT_NOT_SERVED": "EOF", "POD_NOT_SCHEDULED": "agent-not-ready"},
        id="an agent is down, and pods wait for it",
    ),
    pytest.param(
        "30-agent-down-node-2",
        "monitoring/prometheus",
        {"ENDPOINT_AGENT_DOWN": "cilium-jlzk7", "POLICY_WAITS": "prometheus-lockdown"},
        id="an agent is down, and a policy waits for it",
    ),
    pytest.param("34-healthy-busy", "shop/cart", {}, id="all is well"),
]


@pytest.mark.parametrize(("name", "asked", "problems"), RECORDED)
def test_a_recorded_endpoint(name: str, asked: str, problems: dict[str, str], tmp_path: Path) -> None:
    with lab(name, tmp_path) as cluster:
        live = _answer(f"endpoint {asked}", cluster.source())
    dumped = _answer(f"endpoint {asked}", SysdumpSource(unpacked_dump(name, tmp_path)))
    assert _problems(live).keys() == _problems(dumped).keys() == problems.keys()
    for code, words in problems.items():
        assert words in _problems(live)[code]
        assert words in _problems(dumped)[code]


def _waits(cluster: Cluster, *events: Event, on: str | None = "n1", phase: str = "Pending") -> Cluster:
    """Add a pod of cart that has no endpoint yet, and what was complained of."""
    pod = Pod(
        "shop",
        "cart-9",
        {"app": "cart"},
        (),
        on,
        phase,
        False,
        (),
        "default",
        False,
        cluster.pods[-1].owner,
        waiting="ContainerCreating" if on else None,
        created_at=ago(60),
    )
    return cluster.add(pod).holding(Part.EVENTS, events)


def _event(reason: str, message: str, seconds: float = 30) -> Event:
    return Event("shop", "Pod", "cart-9", reason, message, "kubelet", "n1", 3, ago(seconds), ago(seconds))


ABSENCES = {
    "no address": (
        _event("FailedCreatePodSandBox", CNI + 'postIpamFailure "range is full"'),
        "ENDPOINT_WITHOUT_ADDRESS",
    ),
    "another pool's words": (_event("FailedCreatePodSandBox", CNI + "no IPs available"), "ENDPOINT_WITHOUT_ADDRESS"),
    "the agent is away": (_event("FailedCreatePodSandBox", CNI + "Is the agent running?"), "ENDPOINT_NOT_SERVED"),
    "the agent's socket refuses": (
        _event("FailedCreatePodSandBox", CNI + "unable to allocate IP: dial unix /var/run/cilium/cilium.sock: refused"),
        "ENDPOINT_NOT_SERVED",
    ),
    "too many at once": (_event("FailedCreatePodSandBox", CNI + "putEndpointIdTooManyRequests"), "ENDPOINT_NOT_MADE"),
    "a volume": (_event("FailedMount", 'secret "tls" not found'), "ENDPOINT_NOT_MADE"),
    "something else": (_event("FailedCreatePodSandBox", "no such image for pause"), "ENDPOINT_NOT_MADE"),
}


@pytest.mark.parametrize(("event", "code"), ABSENCES.values(), ids=ABSENCES.keys())
def test_why_an_endpoint_was_never_made(event: Event, code: str) -> None:
    report = _waits(shop(), event).ask("endpoint shop/cart")
    found = the(report, code)
    assert (found.outcome, status_of(report)) == (Outcome.PROBLEM, 1)
    assert event.message.removeprefix(CNI)[-20:] in found.text
    assert "ENDPOINT_MADE" in codes(report)


def test_the_newest_complaint_counts() -> None:
    old = _event("FailedCreatePodSandBox", CNI + "Is the agent running?", seconds=600)
    new = _event("FailedCreatePodSandBox", CNI + 'postIpamFailure "range is full"', seconds=5)
    assert "ENDPOINT_NOT_SERVED" not in codes(_waits(shop(), old, new).ask("endpoint shop/cart"))


def test_a_pod_that_no_node_takes_names_the_taints() -> None:
    cluster = _waits(shop(), _event("FailedScheduling", "0/2 nodes are available"), on=None)
    cluster.nodes[1] = replace(cluster.nodes[1], taints=("node.cilium.io/agent-not-ready:NoSchedule",))
    found = the(cluster.ask("endpoint shop/cart"), "POD_NOT_SCHEDULED")
    assert "n2 has node.cilium.io/agent-not-ready:NoSchedule" in found.text


@pytest.mark.parametrize("without", [(), (Part.EVENTS,)], ids=["no warning is kept", "events were not read"])
def test_where_nobody_says_why_it_is_not_told(without: tuple[Part, ...]) -> None:
    report = _waits(shop()).without(*without).ask("endpoint shop/pod/cart-9")  # type: ignore[arg-type]
    assert (the(report, "ENDPOINT_ABSENT").outcome, status_of(report)) == (Outcome.UNKNOWN, 2)


@pytest.mark.parametrize(
    ("pod", "code"),
    [
        pytest.param({"host_network": True}, "ENDPOINT_OF_HOST", id="host network"),
        pytest.param({"phase": "Succeeded", "ip": ""}, "ENDPOINT_OF_FINISHED", id="finished"),
    ],
)
def test_pods_that_have_none_by_nature_are_no_problem(pod: dict[str, object], code: str) -> None:
    report = shop().pod("shop/odd", endpoint=False, **pod).ask("endpoint shop/odd")  # type: ignore[arg-type]
    assert (codes(report), status_of(report)) == ([code], 0)


def test_a_workload_without_pods_says_how_many_are_wanted() -> None:
    cluster = shop().deploy("shop/batch", 0)
    assert status_of(cluster.ask("endpoint shop/batch")) == 0
    cluster.workloads[-1] = replace(cluster.workloads[-1], replicas=3)
    assert "3 wanted" in the(cluster.ask("endpoint shop/batch"), "ENDPOINT_OF_NOBODY").text


TROUBLES = {
    "a state": ({"state": "waiting-for-identity"}, "ENDPOINT_STATE_BAD"),
    "a revision": ({"desired_revision": 8, "realized_revision": 7}, "ENDPOINT_BEHIND"),
    "its health": ({"health": "Failure"}, "ENDPOINT_UNHEALTHY"),
    "its last regeneration": (
        {"log": (EndpointLogEntry("Failure", "Error regenerating endpoint", "ready", NOW),)},
        "ENDPOINT_REGENERATION_FAILED",
    ),
    "a controller": (
        {"failing": (Controller("sync-policymap-2", 4, "no space left", NOW),)},
        "ENDPOINT_CONTROLLER_FAILS",
    ),
    "audit mode under a policy": ({"audit": True, "ingress_enforcing": True}, "ENDPOINT_AUDITS"),
    "no enforcement": ({"ingress_enforcing": False}, "ENDPOINT_NOT_ENFORCED"),
}


def _cart(**changes: object) -> Cluster:
    cluster = shop().policy(allow_from("shop", "cart", "frontend", 8080))
    return cluster.agent("n2", Part.AGENT_ENDPOINTS, cluster.agent_endpoints("n2", **changes))


@pytest.mark.parametrize(("changes", "code"), TROUBLES.values(), ids=TROUBLES.keys())
def test_what_an_agent_complains_of(changes: dict[str, object], code: str) -> None:
    report = _cart(**{"ingress_enforcing": True, **changes}).ask("endpoint shop/cart")
    assert list(_problems(report)) == [code]
    assert the(report, code).evidence[0].ref == "CiliumEndpoint/shop/cart-1"


def test_an_old_failure_behind_a_success_is_history() -> None:
    log = (
        EndpointLogEntry("OK", "Successfully regenerated endpoint program", "ready", NOW),
        EndpointLogEntry("Failure", "Error regenerating endpoint", "ready", ago(600)),
    )
    assert not _problems(_cart(ingress_enforcing=True, log=log).ask("endpoint shop/cart"))


def test_audit_mode_without_a_policy_lets_nothing_pass_that_was_denied() -> None:
    cluster = shop()
    cluster.agent("n2", Part.AGENT_ENDPOINTS, cluster.agent_endpoints("n2", audit=True))
    report = cluster.ask("endpoint shop/cart")
    assert (the(report, "ENDPOINT_AUDITS").outcome, status_of(report)) == (Outcome.NOT_APPLICABLE, 0)


def test_a_policy_map_that_is_full() -> None:
    cluster = _cart(ingress_enforcing=True)
    cluster.config = replace(cluster.config, options={**cluster.config.options, "bpf-policy-map-max": "256"})
    endpoints = cluster.of_node[Part.AGENT_ENDPOINTS, "n2"]
    assert isinstance(endpoints, Known)
    number = next(one.id for one in endpoints.value if isinstance(one, AgentEndpoint) and one.pod == "cart-1")
    entry = PolicyMapEntry(number, True, False, 1, 6, 80, 24, 0, None)
    cluster.agent("n2", Part.AGENT_POLICY_MAP, (entry,) * 250)
    assert "250 of 256" in the(cluster.ask("endpoint shop/cart"), "ENDPOINT_MAP_FULL").text


def test_like_pods_are_told_together_and_differing_ones_named() -> None:
    cluster = Cluster().deploy("shop/web", 12, on="n1").healthy_agents()
    odd = tuple(
        replace(one, state="regenerating") if one.pod == "web-7" else one for one in cluster.agent_endpoints("n1")
    )
    report = cluster.agent("n1", Part.AGENT_ENDPOINTS, odd).ask("endpoint shop/web")
    assert the(report, "ENDPOINT_CURRENT").values["count"] == 11
    assert "shop/web-7" in the(report, "ENDPOINT_STATE_BAD").text
    assert "7 more" in the(report, "ENDPOINT_MADE").text
    assert len(report.tables[0].rows) == 12


def test_an_agent_that_is_not_heard_leaves_the_question_open() -> None:
    cluster = shop()
    del cluster.of_node[Part.AGENT_ENDPOINTS, "n2"]
    report = cluster.ask("endpoint shop/cart")
    assert (the(report, "ENDPOINT_UNREAD").outcome, status_of(report)) == (Outcome.UNKNOWN, 2)


def test_an_agent_that_is_down_leaves_the_policy_of_before() -> None:
    cluster = shop().policy(allow_from("shop", "cart", "frontend", 8080), changed=60)
    cluster.down(
        "n2",
        waiting="CrashLoopBackOff",
        ready_since=ago(300),
        last_exit=LastExit("cilium-agent", 137, "OOMKilled", NOW),
    )
    problems = _problems(cluster.ask("endpoint shop/cart"))
    assert "CrashLoopBackOff, last exit 137 OOMKilled" in problems["ENDPOINT_AGENT_DOWN"]
    assert "shop/allow" in problems["POLICY_WAITS"]
    cluster.policies = [replace(policy, changed_at=ago(600)) for policy in cluster.policies]
    assert "POLICY_WAITS" not in _problems(cluster.ask("endpoint shop/cart"))


def test_the_agent_of_a_node_that_is_not_ready_is_not_called_down() -> None:
    cluster = shop().down("n2")
    cluster.nodes[1] = replace(cluster.nodes[1], ready=False)
    problems = _problems(cluster.ask("endpoint shop/cart"))
    assert "ENDPOINT_NODE_NOT_READY" in problems
    assert "ENDPOINT_AGENT_DOWN" not in problems


def test_policies_that_were_not_read_leave_enforcement_open() -> None:
    report = shop().without(Part.POLICIES, gap=Gap.TIMEOUT).ask("endpoint shop/cart")
    assert status_of(report) == 2


def test_labels_that_are_left_out_of_the_identity_are_named() -> None:
    cluster = shop().pod("shop/zoned", labels={"topology.kubernetes.io/zone": "a"}).healthy_agents()
    for question in ("endpoint shop/zoned", "identity shop/zoned"):
        assert the(cluster.ask(question), "LABELS_LEFT_OUT").values["labels"] == ("topology.kubernetes.io/zone=a",)
