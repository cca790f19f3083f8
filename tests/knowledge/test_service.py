"""``service``: what stands behind a Service, node by node."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from handlers.model.agent import LoadBalancerEntry
from handlers.model.change import Change
from handlers.model.cluster import Condition, Workload
from handlers.model.endpoint import Kind
from handlers.model.finding import Outcome
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.snapshot import Gap
from tests.knowledge.build import Cluster, ago, allow_from, codes, shop, the
from workers.status import Status, status_of

KPR: dict[str, Any] = {"kube_proxy_replacement": "true"}


def public(**more: Any) -> Cluster:
    """A Service with a nodePort; its one backend runs on n2."""
    cluster = Cluster(**KPR).deploy("shop/frontend", on="n1").deploy("shop/cart", on="n2", ports=("http:8080",))
    return cluster.service("shop/cart", "80@30080->8080", type="NodePort", **more).healthy_agents()


def table(*backends: str, front: str = "10.96.0.10:80") -> tuple[LoadBalancerEntry, ...]:
    return (LoadBalancerEntry(front, "TCP", backends, "shop", "cart", "ClusterIP"),)


def known_as(*backends: str) -> Cluster:
    """The node n1 has its own mind about the Service, whose one backend is 10.0.2.12:8080."""
    return shop().agent("n1", Part.AGENT_SERVICES, table(*backends))


def misspelt() -> Cluster:
    cluster = shop()
    cluster.service("shop/catalog", "80", selector={"app": "carts"})
    cluster.changes.append(Change("Service", "shop", "catalog", "helm", ago(40), fields=("spec.selector",)))
    return cluster


def scaled_away() -> Cluster:
    cluster = shop().service("shop/catalog", "80", selector={"app": "catalog"})
    cluster.workloads.append(Workload(Kind.DEPLOYMENT, "shop", "catalog", 0, 0, {"app": "catalog"}))
    return cluster


def on_a_node_that_is_gone() -> Cluster:
    cluster = Cluster().deploy("shop/cart", on="n2", ports=("http:8080",), ready=False).service("shop/cart", "80->8080")
    told = Condition("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", ago(120))
    cluster.nodes[1] = replace(cluster.nodes[1], ready=False, condition=told)
    return cluster.healthy_agents()


def canary(**more: Any) -> Cluster:
    """Two backends, and a policy that selects one of them by its track."""
    cluster = (
        Cluster(**KPR)
        .deploy("shop/frontend", on="n1")
        .pod("shop/cart-1", of="cart", on="n1", ports=("http:8080",), labels={"track": "stable"})
        .pod("shop/cart-2", of="cart-canary", on="n2", ports=("http:8080",), labels={"app": "cart", "track": "canary"})
        .service("shop/cart", "80->8080")
        .healthy_agents()
    )
    lock = allow_from("shop", "cart", "nobody", 8080, name="canary-lock").replace("app: cart", "track: canary")
    return cluster.policy(lock).dropped("shop/frontend-1", "shop/cart-2", 8080, times=4, **more)


STORIES: dict[str, tuple[Callable[[], Cluster], str, tuple[str, ...], str]] = {
    "all is well": (shop, "cart", (), "sends 80/TCP to 1 ready backend on port 8080"),
    "a port that it has": (shop, "cart 80", (), "2 nodes send Service shop/cart to its ready backends"),
    "a port that it has not": (shop, "cart 81", ("SERVICE_PORT_NOT_FOUND",), "its ports are 80/TCP"),
    "a selector that is misspelt": (
        misspelt,
        "catalog",
        ("SERVICE_SELECTS_NOTHING",),
        "nearest are pods with app=cart (cart-1)",
    ),
    "who changed it": (misspelt, "catalog", ("SERVICE_SELECTS_NOTHING",), "was changed by helm at 11:59:20 UTC"),
    "a workload of no pods": (
        scaled_away,
        "catalog",
        ("SERVICE_SELECTS_NOTHING",),
        "Deployment catalog would run them and wants 0 replicas",
    ),
    "a node that is not ready": (
        on_a_node_that_is_gone,
        "cart",
        ("SERVICE_NO_READY_BACKENDS",),
        "node n2 is not ready since 11:58:00 UTC (Kubelet stopped posting node status.); its pods still run",
    ),
    "externalTrafficPolicy Local": (
        lambda: public(external_traffic_policy="Local"),
        "cart",
        ("NODES_WITHOUT_LOCAL_BACKEND",),
        "n1 refuses clients from outside on nodePort 30080 of Service shop/cart",
    ),
    "the same of a Service that nobody outside reaches": (
        lambda: shop().service("shop/inner", "80->8080", selector={"app": "cart"}, external_traffic_policy="Local"),
        "inner",
        (),
        "",
    ),
    "internalTrafficPolicy Local": (
        lambda: public(internal_traffic_policy="Local"),
        "cart",
        ("NODES_WITHOUT_INTERNAL_BACKEND",),
        "Pods on n1 cannot use Service shop/cart",
    ),
    "one backend drops what the other lets through": (
        canary,
        "cart",
        ("SOME_BACKENDS_DROP",),
        "1 of 2 backends of Service shop/cart drops, so the client fails now and then",
    ),
    "a drop that a later packet outdates": (
        lambda: canary(at=300).delivered("shop/frontend-1", "shop/cart-2", 8080, at=10),
        "cart",
        (),
        "No drop was seen",
    ),
    "a node that sends to a pod that is gone": (
        lambda: known_as("10.0.2.99:8080"),
        "cart",
        ("SERVICE_MAP_STALE",),
        "n1 sends 10.96.0.10:80/TCP of Service shop/cart to 10.0.2.99:8080, no ready backend any more",
    ),
    "a node that knows nobody": (known_as, "cart", ("SERVICE_MAP_EMPTY",), "n1 knows no backend for 10.96.0.10:80/TCP"),
    "a node whose table lacks the Service": (
        lambda: shop().agent("n1", Part.AGENT_SERVICES, table(front="10.96.0.99:80")),
        "cart",
        ("SERVICE_MAP_EMPTY",),
        "n1 knows no backend",
    ),
    "kube-proxy beside its replacement": (
        lambda: shop(**KPR).beside_kube_proxy(),
        "cart",
        ("KUBE_PROXY_BESIDE",),
        "kube-proxy runs on n1, n2 although Cilium replaces it there",
    ),
    "neither kube-proxy nor its replacement": (
        lambda: shop().without_kube_proxy(),
        "cart",
        ("KUBE_PROXY_NOBODY",),
        "no pod of kube-proxy runs on n1, n2",
    ),
    "a load balancer without an address": (
        lambda: shop().service("shop/front", "80->8080", selector={"app": "cart"}, type="LoadBalancer"),
        "front",
        ("SERVICE_BALANCER_PENDING",),
        "has no address yet",
    ),
    "a name that some pods do not have": (
        lambda: (
            shop()
            .pod("shop/cart-2", of="cart", on="n1", ports=("web:8080",))
            .service("shop/mixed", "80->http", selector={"app": "cart"})
        ),
        "mixed",
        ("SERVICE_PORT_NAME_DIFFERS",),
        "8080 in 1 (shop/cart-1), nothing in 1 (shop/cart-2)",
    ),
    "headless": (
        lambda: shop().service("shop/each", "80->8080", selector={"app": "cart"}, headless=True),
        "each",
        (),
        "",
    ),
}


def asked(cluster: Cluster, name: str) -> Report:
    return cluster.ask(f"service shop/{name}")


@pytest.mark.parametrize("story", STORIES)
def test_service(story: str) -> None:
    make, name, problems, words = STORIES[story]
    report = asked(make(), name)
    found = [finding for finding in report.findings if finding.outcome is Outcome.PROBLEM]
    assert tuple(finding.code for finding in found) == problems
    assert words in " ".join(finding.text for finding in report.findings)
    assert status_of(report) is (Status.PROBLEM if problems else Status.FINE)
    assert all(finding.evidence for finding in found)


def test_a_name_for_something_outside_is_told() -> None:
    cluster = shop().service("shop/ext", "80", selector=None, type="ExternalName", external_name="api.stripe.com")
    assert the(asked(cluster, "ext"), "SERVICE_IS_ELSEWHERE").text == "Service shop/ext is an alias for api.stripe.com"


def test_a_backend_that_is_new_is_not_missed_yet() -> None:
    cluster = known_as()
    pod = next(pod for pod in cluster.pods if pod.name == "cart-1")
    cluster.pods[cluster.pods.index(pod)] = replace(pod, created_at=ago(5))
    assert "SERVICE_MAP_EMPTY" not in codes(asked(cluster, "cart"))


def test_why_is_told_of_a_client_whose_node_sends_to_a_pod_that_is_gone() -> None:
    report = known_as("10.0.2.99:8080").ask("why shop/frontend shop/svc/cart 80")
    assert (report.expected, the(report, "SERVICE_MAP_STALE").follow_up) == ("blocked", "agent n1")
    elsewhere = shop().agent("n2", Part.AGENT_SERVICES, table("10.0.2.99:8080"))
    assert elsewhere.ask("why shop/frontend shop/svc/cart 80").expected == "open"


def test_a_node_that_was_not_read_is_named() -> None:
    cluster = shop()
    cluster.balances = False
    cluster.agent("n2", Part.AGENT_SERVICES, table("10.0.2.12:8080"))
    report = asked(cluster, "cart")
    assert "What 1 node (n1) does with Service shop/cart was not read" in the(report, "SERVICE_MAP_UNREAD").text
    assert status_of(report) is Status.UNKNOWN


@pytest.mark.parametrize("part", [Part.PODS, Part.ENDPOINT_SLICES, Part.SERVICES, Part.FLOWS])
def test_what_was_not_read_leaves_doubt(part: Any) -> None:
    assert status_of(asked(shop().without(part, gap=Gap.TIMEOUT), "cart")) is Status.UNKNOWN


def test_rows_of_backends_and_nodes() -> None:
    backends, nodes = asked(shop(), "cart").tables
    assert backends.rows == ((80, "10.0.2.12:8080", "shop/cart-1", "n2", "ready"),)
    assert [row[0] for row in nodes.rows] == ["n1", "n2"]


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        pytest.param(lambda: shop(), "open", id="kube-proxy serves its node"),
        pytest.param(lambda: shop(**KPR), "open", id="Cilium serves it"),
        pytest.param(lambda: shop().without_kube_proxy(), "blocked", id="nobody does"),
        pytest.param(lambda: shop().without(Part.KUBE_PROXIES), "unknown", id="nobody could tell"),
    ],
)
def test_a_host_needs_somebody_to_balance_its_connections(cluster: Callable[[], Cluster], expected: str) -> None:
    assert cluster().ask("why node/n1 shop/svc/cart 80").expected == expected
    assert cluster().ask("why shop/frontend shop/svc/cart 80").expected == "open"


def test_a_backend_whose_node_was_not_heard_may_have_dropped() -> None:
    cluster = shop()
    cluster.silent["n2"] = "its Hubble does not answer"
    report = asked(cluster, "cart")
    assert "n2 was not heard" in the(report, "BACKENDS_NOT_HEARD").text
    assert status_of(report) is Status.UNKNOWN
