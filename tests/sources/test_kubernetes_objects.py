"""Kubernetes and Cilium objects become the model's, with absent kept apart from empty."""

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.model.cluster import CiliumIdentity, Owner, PodPort, ServicePort
from handlers.model.endpoint import Kind
from workers.sources.convert import cilium, kubernetes, nodes
from workers.sources.convert.policies import LAST_APPLIED, policy_object
from workers.sources.convert.reading import MalformedError


def _pod(owner: dict[str, Any] | None = None, labels: dict[str, str] | None = None, spec: Any = None) -> dict[str, Any]:
    owners = {"ownerReferences": [{"controller": True, **owner}]} if owner else {}
    return {"metadata": {"name": "p", "namespace": "shop", "labels": labels or {}, **owners}, "spec": spec}


@pytest.mark.parametrize(
    ("owner", "labels", "expected"),
    [
        pytest.param(None, {}, None, id="a bare pod has no owner"),
        pytest.param(
            {"kind": "ReplicaSet", "name": "cart-55c"},
            {"pod-template-hash": "55c"},
            Owner(Kind.DEPLOYMENT, "cart"),
            id="a ReplicaSet with the template's hash stands for its Deployment",
        ),
        pytest.param(
            {"kind": "ReplicaSet", "name": "cart-55c"},
            {},
            Owner(Kind.REPLICA_SET, "cart-55c"),
            id="a ReplicaSet by itself",
        ),
        pytest.param(
            {"kind": "StatefulSet", "name": "redis"}, {}, Owner(Kind.STATEFUL_SET, "redis"), id="a StatefulSet"
        ),
        pytest.param(
            {"kind": "Job", "name": "backup-28912320"},
            {},
            Owner(Kind.JOB, "backup-28912320"),
            id="a Job of a CronJob stays a Job",
        ),
        pytest.param({"kind": "Node", "name": "lab-node-1"}, {}, None, id="a mirror pod belongs to no workload"),
        pytest.param({"kind": "Rollout", "name": "cart"}, {}, None, id="a kind of somebody else's"),
        pytest.param({"kind": "Job", "name": "x", "controller": False}, {}, None, id="an owner that does not control"),
    ],
)
def test_the_owner_is_the_workload_that_people_know(
    owner: dict[str, Any] | None, labels: dict[str, str], expected: Owner | None
) -> None:
    assert kubernetes.pod(_pod(owner, labels)).owner == expected


def test_a_sidecar_declares_ports_and_an_init_container_does_not() -> None:
    spec: dict[str, Any] = {
        "containers": [{"name": "a", "image": "a:1", "ports": [{"containerPort": 80}]}],
        "initContainers": [
            {"name": "b", "restartPolicy": "Always", "ports": [{"name": "m", "containerPort": 9}]},
            {"name": "c", "ports": [{"containerPort": 7}]},
        ],
    }
    pod = kubernetes.pod(_pod(spec=spec))
    assert pod.ports == (PodPort(None, 80, "TCP"), PodPort("m", 9, "TCP"))
    assert (pod.ready, pod.phase, pod.service_account) == (None, "Unknown", "default")


def test_a_failing_init_container_is_what_a_pod_waits_for() -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-11-21T12:00:00Z"}}
    back_off, held_back = {"waiting": {"reason": "CrashLoopBackOff"}}, {"waiting": {"reason": "PodInitializing"}}
    before = [
        {
            "name": "config",
            "ready": True,
            "state": {"terminated": {"exitCode": 0, "finishedAt": "2026-11-21T12:01:00Z"}},
        },
        {"name": "mount-bpf-fs", "ready": False, "state": back_off, "lastState": ended},
        {"name": "install-cni-binaries", "ready": False, "state": held_back},
    ]
    body = {**_pod(), "status": {"initContainerStatuses": before, "containerStatuses": [{"state": held_back}]}}
    pod = kubernetes.pod(body)
    assert pod.waiting == "CrashLoopBackOff"
    assert pod.last_exit is not None
    assert (pod.last_exit.container, pod.last_exit.code) == ("mount-bpf-fs", 1)


def test_a_workload_tells_how_far_its_rollout_is() -> None:
    body = {
        "metadata": {"name": "cilium", "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [{"name": "cilium-agent", "image": "quay.io/cilium:v1.19.6"}]}}},
        "status": {"desiredNumberScheduled": 3, "numberReady": 2, "updatedNumberScheduled": 1},
    }
    found = kubernetes.workload(Kind.DAEMON_SET, body)
    assert (found.replicas, found.ready, found.updated, found.images) == (3, 2, 1, ("quay.io/cilium:v1.19.6",))


def test_a_service_keeps_its_selector_apart_from_none() -> None:
    metadata = {"name": "cart", "namespace": "shop"}
    ports = [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081, "nodePort": 0}, {"port": 82}]
    with_selector = kubernetes.service({"metadata": metadata, "spec": {"selector": {}, "ports": ports}})
    assert with_selector.selector == {}
    assert kubernetes.service({"metadata": metadata, "spec": {}}).selector is None
    assert with_selector.ports == (
        ServicePort(None, 80, "TCP", "http"),
        ServicePort(None, 81, "TCP", 8081),
        ServicePort(None, 82, "TCP", None),
    )
    headless = kubernetes.service({"metadata": metadata, "spec": {"clusterIP": "None", "clusterIPs": ["None"]}})
    assert headless.is_headless


def test_external_addresses_and_those_of_a_load_balancer_are_kept_apart() -> None:
    body = {
        "metadata": {"name": "cart"},
        "spec": {"externalIPs": ["198.18.0.1"], "loadBalancerSourceRanges": ["203.0.113.0/24"]},
        "status": {"loadBalancer": {"ingress": [{"ip": "198.18.0.2"}, {"hostname": "lb.example"}]}},
    }
    found = kubernetes.service(body)
    assert (found.external_ips, found.balancer_ips) == (("198.18.0.1",), ("198.18.0.2",))
    assert found.source_ranges == ("203.0.113.0/24",)


def test_a_port_of_the_node_that_leads_to_a_container_is_kept() -> None:
    ports = [{"containerPort": 8080, "hostPort": 80, "hostIP": "10.90.0.1"}, {"containerPort": 9090}]
    body = {"metadata": {"name": "cart-1", "namespace": "shop"}, "spec": {"containers": [{"ports": ports}]}}
    found = kubernetes.pod(body).ports
    assert [(port.port, port.host_port, port.host_ip) for port in found] == [(8080, 80, "10.90.0.1"), (9090, None, "")]


def test_conditions_of_a_backend_stay_absent() -> None:
    body = {
        "metadata": {"name": "cart-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "cart"}},
        "endpoints": [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": False}, "targetRef": {"kind": "Pod", "name": "p"}}
        ],
        "ports": [{"name": "", "port": None}],
    }
    (backend,) = kubernetes.endpoint_slice(body).backends
    assert (backend.ready, backend.serving, backend.terminating, backend.pod) == (False, None, None, ("shop", "p"))
    assert kubernetes.endpoint_slice({**body, "endpoints": None, "ports": None}).backends == ()


def test_a_node_is_told_by_kubernetes_and_cilium_together() -> None:
    of_kubernetes = [{"metadata": {"name": "n1"}, "spec": {"podCIDR": "10.244.9.0/24"}, "status": {"conditions": []}}]
    of_cilium = [
        {
            "metadata": {"name": "n2"},
            "spec": {
                "addresses": [
                    {"type": "InternalIP", "ip": "10.90.0.2"},
                    {"type": "CiliumInternalIP", "ip": "10.244.1.1"},
                ],
                "health": {"ipv4": "10.244.1.9"},
            },
        }
    ]
    first, second = nodes.joined(map(nodes.node, of_kubernetes), map(nodes.cilium_node, of_cilium))
    assert (first.ready, first.pod_cidrs) == (None, ("10.244.9.0/24",))
    assert (second.ips, second.cilium_ips, second.health_ips) == (("10.90.0.2",), ("10.244.1.1",), ("10.244.1.9",))


def test_an_endpoint_slice_of_cilium_carries_identities_and_no_endpoint_numbers() -> None:
    core = {"name": "p", "id": 4711, "networking": {"addressing": [{"ipv4": "10.0.0.1"}], "node": "10.90.0.1"}}
    (found,) = cilium.endpoints_of_slice({"namespace": "shop", "endpoints": [core]})
    assert (found.id, found.identity, found.ips, found.state) == (None, 4711, ("10.0.0.1",), None)


def test_an_identity_is_named_by_its_number() -> None:
    body = {"metadata": {"name": "123"}, "security-labels": {"k8s:a": "b", "k8s:empty": ""}}
    assert cilium.cilium_identity(body) == CiliumIdentity(123, ("k8s:a=b", "k8s:empty"))
    with pytest.raises(MalformedError):
        cilium.cilium_identity({"metadata": {"name": "not-a-number"}})


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ("v1.19.0-dev", "1.19.0-dev"),
        ("1.18.2", "1.18.2"),
        ("latest", None),
        ("1.19.0-dev (v1.19.0-dev-e8aa78a5e4)", "1.19.0-dev"),
    ],
)
def test_a_version_is_found_in_words(words: str, version: str | None) -> None:
    assert cilium.version_in(words) == version


class TestPolicyObject:
    """A policy is kept as its author wrote it."""

    METADATA = {  # noqa: RUF012
        "name": "p",
        "namespace": "shop",
        "creationTimestamp": "2026-11-20T12:00:00Z",
        "annotations": {LAST_APPLIED: "{}"},
        "managedFields": [
            {"time": "2026-11-20T12:05:00Z"},
            {"time": "2026-11-20T12:09:00Z", "subresource": "status"},
        ],
    }

    def test_empty_and_absent_lists_stay_apart(self) -> None:
        body = {"metadata": self.METADATA, "spec": {"ingress": [], "egress": None}}
        policy = policy_object("NetworkPolicy", "networking.k8s.io/v1", body)
        assert policy.manifest["spec"] == {"ingress": [], "egress": None}
        assert policy.ref == "NetworkPolicy/shop/p"

    def test_it_changed_when_somebody_wrote_it_not_when_its_status_was(self) -> None:
        policy = policy_object("NetworkPolicy", "networking.k8s.io/v1", {"metadata": self.METADATA, "spec": {}})
        assert policy.changed_at == datetime(2026, 11, 20, 12, 5, tzinfo=UTC)

    def test_bookkeeping_is_dropped(self) -> None:
        policy = policy_object("NetworkPolicy", "networking.k8s.io/v1", {"metadata": self.METADATA, "spec": {}})
        assert set(policy.manifest["metadata"]) == {"name", "namespace", "creationTimestamp"}

    def test_a_policy_of_another_kind_than_its_list_is_malformed(self) -> None:
        body = {"kind": "CiliumNetworkPolicy", "metadata": self.METADATA, "spec": {}}
        with pytest.raises(MalformedError, match="CiliumNetworkPolicy"):
            policy_object("NetworkPolicy", "networking.k8s.io/v1", body)
