"""The chart's own policies, decided by the product's engine: each process reaches what it needs, and nothing else."""

from functools import cache
from typing import Any

import pytest

from handlers.policy.cases import Case
from tests.chart.objects import of_kind, pods

HOME = "cilium-triage"
ADDRESS = {
    "slack": "198.51.100.10",
    "elsewhere": "198.51.100.99",
    "redis.example": "192.0.2.7",
    "api server": "203.0.113.5",
}
CONTROL_PLANE = "203.0.113.6"
"""A node of the cluster that runs an API server."""


def pod(namespace: str, name: str, ip: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "ip": ip, "labels": labels, "node": "worker-1"}


def around(name: str) -> list[dict[str, Any]]:
    """Pods of the cluster that the release is in: its own, those that it needs, and strangers."""
    is_openshift = name == "openshift"
    dns = {"dns.operator.openshift.io/daemonset-dns": "default"} if is_openshift else {"k8s-app": "kube-dns"}
    own = dict(pods(name))
    return [
        *(
            {
                **pod(HOME, component, f"10.0.1.{10 + i}", template["metadata"]["labels"]),
                "ports": [
                    {"name": port["name"], "port": port["containerPort"], "protocol": "TCP"}
                    for port in template["spec"]["containers"][0].get("ports", ())
                ],
            }
            for i, (component, template) in enumerate(own.items())
        ),
        pod("openshift-dns" if is_openshift else "kube-system", "dns", "10.0.2.1", dns),
        pod("kube-system", "relay", "10.0.2.2", {"k8s-app": "hubble-relay"}),
        pod("gke-managed-dpv2-observability", "far-relay", "10.0.2.3", {"k8s-app": "hubble-relay"}),
        pod("monitoring", "alertmanager", "10.0.2.4", {"app": "alertmanager"}),
        pod("monitoring", "prometheus", "10.0.2.10", {"app": "prometheus"}),
        pod("ingress", "proxy", "10.0.2.5", {"app": "proxy"}),
        pod("shop", "cart", "10.0.2.6", {"app": "alertmanager"}),
        pod(HOME, "stranger", "10.0.2.7", {"app": "stranger"}),
        pod("keda", "keda", "10.0.2.8", {"app": "keda-operator"}),
        pod("redis", "pod of redis", "10.0.2.9", {"app": "redis"}),
    ]


@cache
def cluster(name: str) -> Case:
    listed = around(name)
    document = {
        "id": name,
        "options": {"ciliumVersion": "1.19.6"},
        "cluster": {
            "namespaces": [
                {"name": one, "labels": {"kubernetes.io/metadata.name": one}}
                for one in sorted({one["namespace"] for one in listed})
            ],
            "nodes": [{"name": "worker-1", "ips": ["203.0.113.1"]}, {"name": "control", "ips": [CONTROL_PLANE]}],
            "pods": listed,
            "kubeApiserver": [ADDRESS["api server"], CONTROL_PLANE],
            "fqdn": {"wss-primary.slack.com": [ADDRESS["slack"]], "example.com": [ADDRESS["elsewhere"]]},
        },
        "policies": of_kind(name, "NetworkPolicy", "CiliumNetworkPolicy"),
        "queries": [],
    }
    return Case(document)


def verdict(name: str, source: str, destination: str, port: int, protocol: str = "TCP") -> str:
    case = cluster(name)
    named = {one["name"]: f"{one['namespace']}/{one['name']}" for one in around(name)}

    def end(word: str) -> dict[str, str]:
        if word in ADDRESS:
            return {"ip": ADDRESS[word]}
        if word == "control plane":
            return {"node": "control"}
        return {"pod": named[word]} if word in named else {"entity": word}

    case.queries = [{"src": end(source), "dst": end(destination), "protocol": protocol, "port": port}]
    (answer,) = case.answers()
    return str(answer["verdict"])


KINDS = ["default", "oss", "openshift", "aks", "gke", "everything", "trial", "keda", "together", "clusters"]
BY_PREFIX = ["aks", "gke", "keda"]
BY_NAME = ["default", "oss", "openshift", "everything", "trial", "clusters", "together"]
EMBEDDED = ["trial", "keda"]


@pytest.mark.parametrize("name", KINDS)
def test_every_policy_is_read_whole(name: str) -> None:
    statuses = cluster(name).policies.statuses
    assert len(statuses) == (4 if name in EMBEDDED else 3)
    assert [(status.valid, status.ignored) for status in statuses] == [(True, "")] * len(statuses)


@pytest.mark.parametrize("name", KINDS)
def test_each_process_reaches_what_it_needs(name: str) -> None:
    dns = 5353 if name == "openshift" else 53
    redis = ("redis", 6379) if name in EMBEDDED else ("redis.example", 6380 if name == "everything" else 6379)
    for process in ("web", "worker", "beat"):
        assert verdict(name, process, "dns", dns, "UDP") == "allowed"
        assert verdict(name, process, "dns", dns) == "allowed"
        assert verdict(name, process, *redis) == "allowed"
    for process in ("web", "worker"):
        assert verdict(name, process, "slack", 443) == "allowed"
    for port in (443, 6443):
        assert verdict(name, "worker", "api server", port) == "allowed"
    for relay in ("relay", "far-relay"):
        assert verdict(name, "worker", relay, 4245) == "allowed"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("process", "destination", "port"),
    [
        ("web", "relay", 4245),
        ("beat", "relay", 4245),
        ("beat", "slack", 443),
        ("beat", "api server", 443),
        ("web", "api server", 6443),
        ("web", "elsewhere", 80),
        ("worker", "elsewhere", 80),
        ("worker", "cart", 443),
        ("worker", "relay", 22),
        ("web", "worker", 3000),
        ("worker", "web", 3000),
    ],
)
def test_no_process_reaches_what_it_does_not_need(name: str, process: str, destination: str, port: int) -> None:
    assert verdict(name, process, destination, port) == "denied"


@pytest.mark.parametrize("name", BY_NAME)
def test_where_names_can_be_said_no_other_name_is_reached(name: str) -> None:
    assert verdict(name, "web", "elsewhere", 443) == "denied"
    assert verdict(name, "web", "api server", 443) == "denied"


def test_an_api_server_elsewhere_is_reached_by_its_prefix_alone() -> None:
    assert verdict("oss", "worker", "elsewhere", 443) == "denied"
    assert verdict("clusters", "worker", "elsewhere", 443) == "allowed"


@pytest.mark.parametrize("name", KINDS)
def test_an_api_server_on_a_node_is_reached_where_entities_can_be_said(name: str) -> None:
    found = verdict(name, "worker", "control plane", 6443)
    assert found == ("denied" if name in BY_PREFIX else "allowed")


def test_redis_in_the_cluster_is_reached_where_its_pods_are_named() -> None:
    reached = {name for name in KINDS if verdict(name, "worker", "pod of redis", 6379) == "allowed"}
    assert reached == {"together"}


STRANGERS = ("alertmanager", "proxy", "cart", "stranger", "keda", "world")
MAY_POST = {"keda": {"alertmanager"}, "everything": {"proxy"}}


@pytest.mark.parametrize("name", KINDS)
def test_only_who_is_named_reaches_the_web_process(name: str) -> None:
    port = 8080 if name == "everything" else 3000
    assert {one for one in STRANGERS if verdict(name, one, "web", port) == "allowed"} == MAY_POST.get(name, set())
    assert verdict(name, "test", "web", port) == "allowed"  # helm test asks it how it is


@pytest.mark.parametrize("name", KINDS)
def test_metrics_are_told_to_who_is_named(name: str) -> None:
    told = {one for one in (*STRANGERS, "prometheus") if verdict(name, one, "worker", 9090) == "allowed"}
    assert told == ({"prometheus"} if name in EMBEDDED else set())
    assert verdict(name, "prometheus", "web", 3000) == "denied"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("process", ["worker", "beat"])
def test_nobody_reaches_worker_and_beat(name: str, process: str) -> None:
    assert {verdict(name, one, process, port) for one in (*STRANGERS, "test") for port in (22, 3000)} == {"denied"}
    assert {verdict(name, one, process, 9090) for one in STRANGERS} == {"denied"}


@pytest.mark.parametrize("name", EMBEDDED)
def test_redis_is_reached_by_ours_alone_and_reaches_nothing(name: str) -> None:
    reached = {one for one in STRANGERS if verdict(name, one, "redis", 6379) == "allowed"}
    assert reached == ({"keda"} if name == "keda" else set())
    assert {verdict(name, "redis", one, 53, "UDP") for one in ("dns", "slack", "web")} == {"denied"}


@pytest.mark.parametrize("name", KINDS)
def test_the_node_may_probe(name: str) -> None:
    assert verdict(name, "host", "web", 8080 if name == "everything" else 3000) == "allowed"
