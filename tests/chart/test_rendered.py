"""What the chart renders to: settings that are taken, rights that are used, pods that may do nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import settings as web
from bot.dispatch import queue_key
from tests.chart.objects import PROCESSES, Object, environment, of_kind, pods, rendered
from tools.chart.rendered import cases
from tools.chart.settings import secrets
from workers import settings as worker

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes"
EACH = pytest.mark.parametrize("name", sorted(cases()))
SAID = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "REDIS_URL": "redis://redis.example"}
HUBBLE = {
    *("HUBBLE_SERVER", "HUBBLE_TLS", "HUBBLE_TLS_SERVER_NAME", "HUBBLE_TLS_CA_CERT_FILES"),
    *("HUBBLE_TLS_CLIENT_CERT_FILE", "HUBBLE_TLS_CLIENT_KEY_FILE"),
}


def of_component(name: str, component: str) -> list[Object]:
    return [pod for its, pod in pods(name) if its == component]


def told(monkeypatch: pytest.MonkeyPatch, pod: Object) -> dict[str, str]:
    """Put the variables of a pod into the environment, with something for each Secret."""
    variables = {one: SAID.get(one, "a-secret-of-some-length") if one in secrets() else value
                 for one, value in environment(pod).items()}  # fmt: skip
    for one, value in variables.items():
        monkeypatch.setenv(one, value)
    return variables


@EACH
def test_the_processes_take_every_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for component in PROCESSES:
        for pod in of_component(name, component):
            with monkeypatch.context() as process:
                variables = told(process, pod)
                model = web.Settings if component == "web" else worker.WorkerSettings
                found = web.load_settings() if component == "web" else worker.load_settings()
            known = {
                str(field.validation_alias or f"CILIUM_TRIAGE_{one.upper()}")
                for one, field in model.model_fields.items()
            }
            assert found.model_fields_set
            assert set(variables) <= known | HUBBLE | {"REDIS_PASSWORD", "HTTPS_PROXY"}


def test_settings_arrive_as_they_were_said(monkeypatch: pytest.MonkeyPatch) -> None:
    (pod,) = of_component("everything", "web")
    with monkeypatch.context() as process:
        told(process, pod)
        found = web.load_settings()
    assert (found.mode, found.port, found.questions_per_minute) == (web.Mode.HTTP, 8080, 1_000_000)
    assert found.teams == {"T01", "T02"}
    assert found.operator_users == frozenset()
    assert found.channels == {"inc-*": {"verbosity": "quiet"}}
    (pod,) = of_component("everything", "worker")
    told(monkeypatch, pod)
    asked = worker.load_settings()
    assert (asked.soft_limit, asked.audit_days, asked.digests[0].channel) == (90.5, 1000, "C01")


def test_one_worker_for_all_clusters_or_one_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    (together,) = of_component("together", "worker")
    with monkeypatch.context() as process:
        told(process, together)
        both = worker.load_settings()
    assert [one.name for one in both.served] == ["prod", "stage"]
    assert both.clusters["stage"].cilium_namespace == "cilium"
    served = []
    for pod in of_component("clusters", "worker"):
        with monkeypatch.context() as process:
            told(process, pod)
            served.append(worker.load_settings().served)
    assert [[one.name for one in those] for those in served] == [["prod"], ["stage"]]
    kubeconfig = both.clusters["stage"].kubeconfig
    mounts = together["spec"]["containers"][0]["volumeMounts"]
    assert kubeconfig
    assert str(kubeconfig.parent) in [mount["mountPath"] for mount in mounts]


@EACH
def test_secrets_come_of_secrets_alone(name: str) -> None:
    assert not of_kind(name, "Secret")
    for _component, pod in pods(name):
        for variable, value in environment(pod).items():
            if variable in secrets() and variable != "REDIS_URL":
                assert "/" in value
    embedded = of_component(name, "redis")
    (beat,) = of_component(name, "beat")
    assert environment(beat)["REDIS_URL"].startswith("redis://:$(REDIS_PASSWORD)@") is bool(embedded)


@EACH
def test_pods_are_restricted(name: str) -> None:
    for _component, pod in pods(name):
        spec = pod["spec"]
        (container,) = spec["containers"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)


def test_openshift_chooses_the_user() -> None:
    for _component, pod in pods("openshift"):
        assert set(pod["spec"]["securityContext"]) == {"runAsNonRoot", "seccompProfile"}


@EACH
def test_only_the_worker_has_a_token(name: str) -> None:
    holders = {component for component, pod in pods(name) if pod["spec"].get("automountServiceAccountToken", True)}
    assert holders == {"worker"}


@EACH
def test_there_is_one_beat(name: str) -> None:
    (beat,) = [item for item in of_kind(name, "Deployment") if item["metadata"]["name"].endswith("-beat")]
    assert (beat["spec"]["replicas"], beat["spec"]["strategy"]) == (1, {"type": "Recreate"})


@EACH
def test_a_worker_is_given_more_time_than_the_longest_question(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for pod in of_component(name, "worker"):
        with monkeypatch.context() as process:
            told(process, pod)
            assert pod["spec"]["terminationGracePeriodSeconds"] > worker.load_settings().hard_limit


@EACH
def test_selectors_find_their_own_pods_and_no_others(name: str) -> None:
    labels = [pod["metadata"]["labels"] for _component, pod in pods(name)]
    for item in of_kind(name, "Deployment"):
        selector = item["spec"]["selector"]["matchLabels"].items()
        assert [one for one in labels if selector <= one.items()] == [item["spec"]["template"]["metadata"]["labels"]]
    for item in of_kind(name, "Service", "PodDisruptionBudget"):
        selected = item["spec"]["selector"]
        matching = selected.get("matchLabels", selected).items()
        component = item["metadata"]["labels"]["app.kubernetes.io/component"]
        assert {one["app.kubernetes.io/component"] for one in labels if matching <= one.items()} == {component}


def test_scaling_looks_at_the_lists_that_questions_wait_in() -> None:
    (scaled,) = of_kind("keda", "ScaledObject")
    lists = [trigger["metadata"]["listName"] for trigger in scaled["spec"]["triggers"]]
    assert lists == [queue_key("triage-eu")]
    for one in of_kind("clusters", "ScaledObject"):
        cluster = one["metadata"]["name"].rpartition("-")[2]
        lists = [trigger["metadata"]["listName"] for trigger in one["spec"]["triggers"]]
        assert lists == [queue_key("cilium-triage"), queue_key("cilium-triage", cluster)]


@EACH
def test_who_is_scaled_has_no_number_and_never_two_scalers(name: str) -> None:
    scalers = of_kind(name, "HorizontalPodAutoscaler", "ScaledObject")
    targets = [item["spec"]["scaleTargetRef"]["name"] for item in scalers]
    assert len(set(targets)) == len(targets)
    unnumbered = [item["metadata"]["name"] for item in of_kind(name, "Deployment") if "replicas" not in item["spec"]]
    assert sorted(targets) == sorted(unnumbered)


def test_alerts_and_dashboard_arrive_with_runbooks_that_can_be_opened() -> None:
    (rule,) = of_kind("trial", "PrometheusRule")
    (config,) = of_kind("trial", "ConfigMap")
    alerts = [alert for group in rule["spec"]["groups"] for alert in group["rules"]]
    assert alerts
    for alert in alerts:
        assert alert["annotations"]["runbook_url"].startswith("https://git.example/cilium-triage/blob/main/docs/")
    assert json.loads(config["data"]["cilium-triage.json"])["panels"]


def test_the_monitor_asks_web_and_worker() -> None:
    (monitor,) = of_kind("trial", "PodMonitor")
    selector = monitor["spec"]["selector"]
    (expression,) = selector["matchExpressions"]
    asked = {
        component
        for component, pod in pods("trial")
        if selector["matchLabels"].items() <= pod["metadata"]["labels"].items()
        and pod["metadata"]["labels"][expression["key"]] in expression["values"]
        and any(port["name"] == "metrics" for port in pod["spec"]["containers"][0].get("ports", ()))
    }
    assert asked == {"web", "worker"}


def rights(objects: Any) -> Iterator[tuple[str, ...]]:
    """Verb, group, resource, name, and the namespace of a Role."""
    for item in objects:
        if item["kind"] in ("Role", "ClusterRole"):
            for rule in item["rules"]:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        for verb in rule["verbs"]:
                            for one in rule.get("resourceNames", [""]):
                                yield verb, group, resource, one, item["metadata"].get("namespace", "")


def manifests() -> Iterator[Object]:
    for path in sorted(MANIFESTS.rglob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


WATCHING = {("watch", "", "events", "", "")}
REVIEWING = {("create", "authorization.k8s.io", "subjectaccessreviews", "", "")}


def test_rights_are_those_of_the_plain_manifests() -> None:
    assert set(rights(rendered("default"))) == set(rights(manifests())) - WATCHING - REVIEWING


def test_reading_only_is_the_same_without_exec() -> None:
    gone = set(rights(rendered("default"))) - set(rights(rendered("readonly")))
    assert gone == {(verb, "", "pods/exec", "", "kube-system") for verb in ("get", "create")}


def test_in_namespaces_the_same_is_read_there_alone() -> None:
    everywhere, here = set(rights(rendered("default"))), set(rights(rendered("namespaces")))
    assert here >= WATCHING | REVIEWING
    listed = {(verb, group, resource, name) for verb, group, resource, name, _ in everywhere}
    assert {right[:4] for right in here - WATCHING - REVIEWING} == listed
    for right in sorted(here - everywhere - WATCHING - REVIEWING):
        assert {one[4] for one in here if one[:4] == right[:4]} >= {"shop", "payments", "kube-system"}
    of_pods = {right[4] for right in here if right[2] == "pods"}
    assert of_pods == {"shop", "payments", "kube-system"}


@EACH
def test_every_role_is_bound_to_the_worker_alone(name: str) -> None:
    (account,) = {pod["spec"]["serviceAccountName"] for pod in of_component(name, "worker")}
    roles = {
        (item["kind"], item["metadata"]["name"], item["metadata"].get("namespace"))
        for item in of_kind(name, "Role", "ClusterRole")
    }
    bound = set()
    for item in of_kind(name, "RoleBinding", "ClusterRoleBinding"):
        assert [(one["kind"], one["name"]) for one in item["subjects"]] == [("ServiceAccount", account)]
        bound.add((item["roleRef"]["kind"], item["roleRef"]["name"], item["metadata"].get("namespace")))
    assert bound == roles


@pytest.mark.parametrize("component", PROCESSES)
def test_a_process_is_started_as_the_plain_manifests_start_it(component: str) -> None:
    (plain,) = [
        item["spec"]["template"]
        for item in manifests()
        if item["kind"] == "Deployment" and item["metadata"]["name"] == f"cilium-triage-{component}"
    ]
    (ours,) = of_component("default", component)
    (one,), (other,) = plain["spec"]["containers"], ours["spec"]["containers"]
    for same in ("command", "resources", "securityContext", "ports"):
        assert one.get(same) == other.get(same)
    assert plain["spec"]["securityContext"] == ours["spec"]["securityContext"]
    assert plain["spec"]["terminationGracePeriodSeconds"] == ours["spec"]["terminationGracePeriodSeconds"]
    of_secrets = {name: value for name, value in environment(plain).items() if name in secrets()}
    assert of_secrets == {name: value for name, value in environment(ours).items() if name in secrets()}
