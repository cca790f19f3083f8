"""Events, changes and logs: what is read of them, live and from a sysdump, and what is said where they lack."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handlers.connection.change_words import change_in_words
from handlers.model.change import Change, newest
from handlers.model.event import Event
from handlers.model.parts import Part
from handlers.model.scope import Scope
from handlers.model.snapshot import Ask, Gap
from tests.cluster.fake_api import Fault
from tests.cluster.lab import Lab, lab
from tests.sources.asking import known, missing, whole
from tests.sources.dumps import Files, files_of, packed_dump
from workers.sources.convert.changes import changes
from workers.sources.convert.events import warning
from workers.sources.convert.kubernetes import pod
from workers.sources.sysdump import SysdumpSource

NOON = "2026-11-21T12:00:00Z"
NOON_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def event(reason: str = "FailedScheduling", namespace: str = "shop", **fields: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": f"cart.{reason}", "namespace": namespace},
        "involvedObject": {"kind": "Pod", "namespace": namespace, "name": "cart-1"},
        "type": "Warning",
        "reason": reason,
        "message": "0/2 nodes are available",
        "source": {"component": "default-scheduler"},
        "firstTimestamp": NOON,
        "lastTimestamp": NOON,
        "count": 3,
        **fields,
    }


READ = Event(
    *("shop", "Pod", "cart-1", "FailedScheduling", "0/2 nodes are available", "default-scheduler", None),
    *(3, NOON_AT, NOON_AT),
)


class TestEvents:
    def test_a_warning(self) -> None:
        assert warning(event()) == READ

    def test_of_the_newer_kind_with_a_series(self) -> None:
        series = {"count": 7, "lastObservedTime": "2026-11-21T12:05:00Z"}
        found = warning(event(firstTimestamp=None, lastTimestamp=None, eventTime=NOON, count=None, series=series))
        assert found is not None
        assert (found.count, found.first_at, found.last_at) == (7, NOON_AT, NOON_AT.replace(minute=5))

    def test_what_is_normal_is_no_complaint(self) -> None:
        assert warning(event(type="Normal")) is None


def managed(manager: str, at: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": at, "fieldsV1": fields, **more}


def test_each_manager_and_the_creation_are_told() -> None:
    label: dict[str, Any] = {"f:metadata": {"f:labels": {".": {}, "f:tier": {}}}}
    spec: dict[str, Any] = {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}, "f:status": {}}
    status: dict[str, Any] = {"f:status": {"f:phase": {}}}
    body = {
        "metadata": {
            "name": "cart",
            "namespace": "shop",
            "creationTimestamp": "2026-11-21T11:00:00Z",
            "managedFields": [
                managed("helm", "2026-11-21T11:00:00Z", spec),
                managed("kubectl-label", NOON, label),
                managed("kubelet", NOON, status, subresource="status"),
                managed("some-controller", NOON, status),
            ],
        }
    }
    eleven = NOON_AT.replace(hour=11)
    assert changes("Pod", body) == (
        Change("Pod", "shop", "cart", "helm", eleven, is_creation=True, fields=("spec.template.spec", "status")),
        Change("Pod", "shop", "cart", "kubectl-label", NOON_AT, fields=("metadata.labels.tier",)),
    )


def test_an_object_without_managed_fields_was_created_by_somebody() -> None:
    body = {"metadata": {"name": "cart", "namespace": "shop", "creationTimestamp": NOON}}
    assert changes("Service", body) == (Change("Service", "shop", "cart", "", NOON_AT, is_creation=True),)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Lab]:
    with lab("01-baseline", tmp_path) as found:
        yield found


EVENTS = Ask(Part.EVENTS, Scope(namespaces=("shop",)))


class TestLive:
    def test_events_of_the_namespaces_asked_for(self, running: Lab) -> None:
        running.api.objects["events"] = [event(), event(namespace="payments"), event("Pulled", type="Normal")]
        source = running.source()
        assert known(source, EVENTS) == (READ,)
        source.close()

    def test_a_kind_that_cannot_be_listed_hides_none_of_the_others(self, running: Lab) -> None:
        running.api.faults["deployments"] = Fault(403, "no")
        source = running.source()
        found = known(source, Ask(Part.CHANGES, whole(running.now)))
        source.close()
        assert set(found.unread) == {"Deployment"}
        assert {"Service", "Node", "Namespace", "ConfigMap"} <= {change.kind for change in found.found}

    def test_where_cilium_runs_may_not_be_looked_up_and_hides_no_change(self, running: Lab) -> None:
        running.api.faults["pods"] = Fault(403, "no")
        source = running.source()
        found = known(source, Ask(Part.CHANGES, whole(running.now)))
        source.close()
        assert "ConfigMap" in {change.kind for change in found.found}

    def test_the_log_of_an_agent(self, running: Lab) -> None:
        agent = _agent(running, "lab-node-2")
        running.api.logs = {f"{agent}-cilium-agent": "one\ntwo\n"}
        source = running.source()
        log = known(source, Ask(Part.AGENT_LOG, Scope(), "lab-node-2"))
        source.close()
        assert (log.pod, log.lines, log.previous) == (agent, ("one", "two"), None)

    def test_a_refused_log_says_what_to_allow(self, running: Lab) -> None:
        running.api.faults["log"] = Fault(403, "no")
        source = running.source()
        found = missing(source, Ask(Part.AGENT_LOG, Scope(), "lab-node-2"))
        source.close()
        assert found.gap is Gap.FORBIDDEN
        assert "pods/log" in found.remedy


def _agent(running: Lab, node: str) -> str:
    (name,) = [
        pod["metadata"]["name"]
        for pod in running.api.objects["pods"]
        if pod["metadata"]["labels"].get("k8s-app") == "cilium" and pod["spec"]["nodeName"] == node
    ]
    return str(name)


class TestSysdump:
    @pytest.fixture
    def files(self) -> Files:
        return files_of("01-baseline")

    def test_a_list_of_events_that_was_cut_is_read_up_to_there(self, files: Files, tmp_path: Path) -> None:
        items = "".join(f"- {json.dumps(event(f'Reason{number}'))}\n" for number in range(3))
        written = f"apiVersion: v1\nitems:\n{items}"[:-40]
        with_events = {**files, "k8s-events-20261120-121854.yaml": written.encode()}
        source = SysdumpSource(packed_dump(tmp_path, with_events))
        answer = source.read(EVENTS, 10)
        found = known(source, EVENTS)
        source.close()
        assert [one.reason for one in found] == ["Reason0", "Reason1"]
        assert "cut before its end" in getattr(answer, "origin", "")

    def test_the_end_of_an_agents_log(self, files: Files, running: Lab, tmp_path: Path) -> None:
        agent = _agent(running, "lab-node-1")
        lines = "".join(f"line {number}\n" for number in range(600))
        logs = {f"logs-{agent}-cilium-agent-20261120-121854.log": lines.encode()}
        source = SysdumpSource(packed_dump(tmp_path, {**files, **logs}))
        log = known(source, Ask(Part.AGENT_LOG, Scope(), "lab-node-1"))
        source.close()
        assert log.lines[-1] == "line 599"
        assert len(log.lines) == 500


def test_what_people_changed_on_a_pod_is_told_and_what_controllers_did_is_not() -> None:
    label: dict[str, Any] = {"f:metadata": {"f:labels": {"f:tier": {}}}}
    body = {
        "metadata": {
            "name": "cart-1",
            "namespace": "shop",
            "creationTimestamp": "2026-11-21T11:00:00Z",
            "managedFields": [
                managed("kube-controller-manager", "2026-11-21T11:00:00Z", {"f:spec": {"f:containers": {}}}),
                managed("kubectl-label", NOON, label),
                managed("kube-controller-manager", NOON, {"f:metadata": {"f:ownerReferences": {}}}),
                managed("kubelet", NOON, {"f:status": {}}, subresource="status"),
            ],
        }
    }
    assert pod(body).changes == (
        Change("Pod", "shop", "cart-1", "kubectl-label", NOON_AT, fields=("metadata.labels.tier",)),
    )


def changed(kind: str, ref: str, manager: str, *fields: str, is_creation: bool = False) -> Change:
    namespace, _, name = ref.rpartition("/")
    return Change(kind, namespace, name, manager, NOON_AT, is_creation, fields)


WORDS = {
    "a creation": (
        changed("Service", "shop/cart", "helm", "spec.selector", is_creation=True),
        "Service shop/cart was created by helm at 12:00:00 UTC",
    ),
    "by nobody who is known": (
        changed("Node", "worker-1", "", is_creation=True),
        "Node worker-1 was created at 12:00:00 UTC",
    ),
    "a scale": (
        changed("Deployment", "kube-system/coredns", "kubectl-scale", "spec.replicas"),
        "Deployment kube-system/coredns was scaled by kubectl-scale at 12:00:00 UTC (spec.replicas)",
    ),
    "a label": (
        changed("Pod", "shop/web-1", "kubectl-label", "metadata.labels.app.kubernetes.io/tier"),
        "Pod shop/web-1 was labelled by kubectl-label at 12:00:00 UTC (label app.kubernetes.io/tier)",
    ),
    "many fields": (
        changed("Pod", "shop/web-1", "x", "metadata.annotations.a", "spec.a", "spec.b", "spec.c", "spec.d"),
        "Pod shop/web-1 was changed by x at 12:00:00 UTC (spec.a, spec.b, spec.c, 1 more)",
    ),
}


@pytest.mark.parametrize(("change", "words"), WORDS.values(), ids=WORDS)
def test_a_change_in_words(change: Change, words: str) -> None:
    assert str(change_in_words(change)) == words


def test_a_change_before_something_went_wrong() -> None:
    change = Change("CiliumNetworkPolicy", "shop", "frontend-egress", "argocd-controller", NOON_AT, is_creation=True)
    began = NOON_AT.replace(second=12)
    assert str(change_in_words(change, began)).endswith("was created by argocd-controller 12 s before")


def test_an_autoscaler_decides_the_number_of_replicas_and_nothing_else() -> None:
    by = "kube-controller-manager"
    scaled = Change("Deployment", "shop", "cart", by, NOON_AT, fields=("spec.replicas",))
    carried_out = Change("Deployment", "shop", "cart", by, NOON_AT.replace(hour=13), fields=("metadata.annotations.x",))
    assert newest((scaled, carried_out)) == scaled
    assert newest((carried_out,)) is None
    assert newest((scaled,), before=NOON_AT.replace(hour=11)) is None
