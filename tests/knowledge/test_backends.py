"""From a Service to the pods behind it, and what stops on the way."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from handlers.model.cluster import Backend
from tests.knowledge.build import Cluster, allow_from, codes, deny_all, shop, the
from tests.reading import in_words


def base() -> Cluster:
    return Cluster().deploy("shop/frontend").deploy("shop/cart", on="n2", ports=("http:8080", "admin:9090"))


@dataclass(frozen=True)
class Case:
    cluster: Callable[[], Cluster]
    question: str
    expected: str
    code: str
    words: str = ""


CASES = {
    "a port by number": Case(
        lambda: base().service("shop/cart", "80->8080"),
        "shop/svc/cart 80",
        "open",
        "SERVICE_HAS_BACKENDS",
        "on port 8080",
    ),
    "a port by name": Case(
        lambda: base().service("shop/cart", "80->http"), "shop/svc/cart 80", "open", "SERVICE_HAS_BACKENDS", "8080"
    ),
    "the second of two ports": Case(
        lambda: base().service("shop/cart", "80->http", "90->admin"),
        "shop/svc/cart 90",
        "open",
        "SERVICE_HAS_BACKENDS",
        "port 9090",
    ),
    "a port that it does not have": Case(
        lambda: base().service("shop/cart", "80->8080"),
        "shop/svc/cart 8080",
        "blocked",
        "SERVICE_PORT_NOT_FOUND",
        "its ports are 80/TCP",
    ),
    "its port over another protocol": Case(
        lambda: base().service("shop/cart", "80->8080"),
        "shop/svc/cart 80/udp",
        "blocked",
        "SERVICE_PORT_NOT_FOUND",
    ),
    "a port name that no pod declares": Case(
        lambda: base().service("shop/cart", "80->nope"),
        "shop/svc/cart 80",
        "blocked",
        "SERVICE_TARGET_PORT_UNKNOWN",
        "a port called nope",
    ),
    "a selector that selects nobody": Case(
        lambda: base().service("shop/cart", "80->8080", selector={"app": "basket"}),
        "shop/svc/cart 80",
        "blocked",
        "SERVICE_SELECTS_NOTHING",
        "app=basket",
    ),
    "no backend is ready": Case(
        lambda: base().service("shop/cart", "80->8080", ready=False),
        "shop/svc/cart 80",
        "blocked",
        "SERVICE_NO_READY_BACKENDS",
        "has no ready backend for 80/TCP: 1 is listed, and none is ready; not ready: cart-1",
    ),
    "readiness left out counts as ready": Case(
        lambda: base().service("shop/cart", "80->8080", ready=None),
        "shop/svc/cart 80",
        "open",
        "SERVICE_HAS_BACKENDS",
    ),
    "no selector and no hand-written slice": Case(
        lambda: base().service("shop/cart", "80->8080", selector=None),
        "shop/svc/cart 80",
        "blocked",
        "SERVICE_NO_BACKENDS",
    ),
    "no selector, a hand-written slice": Case(
        lambda: base().service(
            "shop/cart",
            "80->8080",
            selector=None,
            backends=(Backend(("203.0.113.9",), True, True, False, None, None),),
        ),
        "shop/svc/cart 80",
        "open",
        "SERVICE_HAS_BACKENDS",
    ),
    "an alias for a name outside": Case(
        lambda: base().service("shop/cart", type="ExternalName", external_name="api.stripe.com", selector=None),
        "shop/svc/cart",
        "unknown",
        "SERVICE_IS_ELSEWHERE",
        "api.stripe.com",
    ),
    "local traffic only, and no backend here": Case(
        lambda: base().service("shop/cart", "80->8080", internal_traffic_policy="Local"),
        "shop/svc/cart 80",
        "blocked",
        "SERVICE_NO_LOCAL_BACKENDS",
        "n1 runs none",
    ),
    "local traffic only, and a backend here": Case(
        lambda: (
            base()
            .pod("shop/cart-9", of="cart", on="n1")
            .service("shop/cart", "80->8080", internal_traffic_policy="Local")
        ),
        "shop/svc/cart 80",
        "open",
        "SERVICE_HAS_BACKENDS",
    ),
    "session affinity is worth a word": Case(
        lambda: base().service("shop/cart", "80->8080", session_affinity="ClientIP"),
        "shop/svc/cart 80",
        "open",
        "SERVICE_HAS_BACKENDS",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_service(case: Case) -> None:
    report = case.cluster().ask(f"why shop/frontend {case.question}")
    assert report.expected == case.expected
    assert case.words in the(report, case.code).text


def test_one_port_of_two_without_backends_is_said_where_no_port_is_asked() -> None:
    report = base().service("shop/cart", "80->http", "90->nope").ask("why shop/frontend shop/svc/cart")
    assert report.expected == "blocked"
    assert {"SERVICE_HAS_BACKENDS", "SERVICE_TARGET_PORT_UNKNOWN"} <= set(codes(report))


def test_policy_sees_the_target_port() -> None:
    cluster = base().service("shop/cart", "80->http")
    assert (
        cluster.policy(allow_from("shop", "cart", "frontend", 80)).ask("why shop/frontend shop/svc/cart 80").expected
        == "blocked"
    )
    cluster.policies.clear()
    assert (
        cluster.policy(allow_from("shop", "cart", "frontend", 8080)).ask("why shop/frontend shop/svc/cart 80").expected
        == "open"
    )


def test_backends_that_are_not_ready_are_not_judged() -> None:
    cluster = base().pod("shop/cart-2", of="cart", on="n1", ready=False, labels={"sick": "yes"})
    cluster.service("shop/cart", "80->8080").policy(deny_all("shop", "cart").replace("{app: cart}", "{sick: 'yes'}"))
    assert cluster.ask("why shop/frontend shop/svc/cart 80").expected == "open"


def test_one_backend_of_two_that_is_denied_is_a_blocker() -> None:
    cluster = base().pod("shop/cart-2", of="cart", on="n1", labels={"v": "two"}).service("shop/cart", "80->8080")
    cluster.policy(deny_all("shop", "cart").replace("{app: cart}", "{v: two}"))
    report = cluster.ask("why shop/frontend shop/svc/cart 80")
    assert report.expected == "blocked"
    assert "shop/cart-2 is stopped, shop/cart-1 would pass" in in_words(report)


def test_a_host_network_backend_is_its_node() -> None:
    cluster = Cluster().deploy("shop/frontend").pod("shop/proxy-1", of="proxy", on="n2", host_network=True)
    cluster.service("shop/proxy", "80->8080").policy(deny_all("shop", "proxy"))
    report = cluster.ask("why shop/frontend shop/svc/proxy 80")
    assert report.expected == "open"
    assert "POLICY_NOT_ENFORCED_HERE" in codes(report)


def test_a_backend_by_address_alone_is_the_pod_that_has_it() -> None:
    cluster = base()
    address = next(pod.ips[0] for pod in cluster.pods if pod.name == "cart-1")
    cluster.service(
        "shop/hand", "80->8080", selector=None, backends=(Backend((address,), True, None, None, None, None),)
    ).policy(deny_all("shop", "cart"))
    report = cluster.ask("why shop/frontend shop/svc/hand 80")
    assert report.expected == "blocked"
    assert "deny-all denies all ingress" in in_words(report)
    assert "shop/cart-1" in str(report.headline.mechanism)


def test_a_pod_that_is_being_deleted_is_no_end() -> None:
    cluster = shop()
    cluster.pods = [replace(pod, deleted=True) if pod.name == "frontend-1" else pod for pod in cluster.pods]
    report = cluster.ask("why shop/frontend shop/cart 80")
    assert report.expected == "blocked"
    assert "has no running pod" in in_words(report)


def test_pods_that_are_not_ready_are_told_and_do_not_block() -> None:
    cluster = Cluster().deploy("shop/frontend").deploy("shop/cart", ready=False).ask("why shop/frontend shop/cart 80")
    assert cluster.expected == "open"
    assert the(cluster, "PODS_NOT_READY").outcome == "problem"
