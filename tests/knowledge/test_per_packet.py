"""Services where packets are translated one by one: seen at the Service's own address, judged at the pod's."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from handlers.model.cluster import Backend
from tests.knowledge.build import Cluster, allow_from, codes, deny_all, shop

SERVICE = "10.96.0.10"
Q = "why shop/frontend shop/svc/cart 80"


def per_packet() -> Cluster:
    """The usual story without socket load balancing."""
    return shop(kube_proxy_replacement="false", bpf_lb_sock="false")


def translated_on_the_way(cluster: Cluster) -> Cluster:
    """Add an exchange as both nodes show it: the client's node has the Service where the other one has the pod."""
    frontend, cart = "shop/frontend-1", "shop/cart-1"
    cluster.sent(frontend, cart, 8080, at=60)
    cluster.delivered(frontend, cart, 8080, at=59.9)
    cluster.answered(frontend, cart, 8080, at=59.8, point="TO_OVERLAY", node="n2")
    return cluster.saw(
        SERVICE,
        frontend,
        40_000,
        at=59.7,
        client_port=80,
        reply=True,
        flags="SYN ACK",
        point="TO_ENDPOINT",
        node="n1",
    )


@dataclass(frozen=True)
class Case:
    cluster: Callable[[], Cluster]
    expected: str
    observed: str
    code: str


CASES = {
    "no policy": Case(per_packet, "open", "nothing", "SERVICE_HAS_BACKENDS"),
    "answers come from the Service's address": Case(
        lambda: translated_on_the_way(per_packet()), "open", "forwarded", "SERVICE_HAS_BACKENDS"
    ),
    "dropped at the Service's address, since it has no backend": Case(
        lambda: (
            Cluster(kube_proxy_replacement="false")
            .deploy("shop/frontend")
            .service("shop/cart", "80->8080")
            .dropped("shop/frontend-1", "10.96.0.10", 80, reason="SERVICE_BACKEND_NOT_FOUND", ingress=False, times=3)
        ),
        "blocked",
        "dropped",
        "SERVICE_SELECTS_NOTHING",
    ),
    "dropped at the Service's address, though it has one": Case(
        lambda: per_packet().dropped("shop/frontend-1", SERVICE, 80, ingress=False, times=2),
        "unknown",
        "dropped",
        "SERVICE_HAS_BACKENDS",
    ),
    "dropped at another port of the Service": Case(
        lambda: per_packet().dropped("shop/frontend-1", SERVICE, 81, ingress=False), "open", "nothing", "POLICY_ABSENT"
    ),
    "policy at the source sees the pod and its port": Case(
        lambda: per_packet().policy(deny_all("shop", "frontend", egress=True)),
        "blocked",
        "nothing",
        "POLICY_DEFAULT_DENY",
    ),
    "a rule on the Service's port does not count": Case(
        lambda: per_packet().policy(allow_from("shop", "cart", "frontend", 80)),
        "blocked",
        "nothing",
        "POLICY_DEFAULT_DENY",
    ),
    "a rule on the pod's port does": Case(
        lambda: per_packet().policy(allow_from("shop", "cart", "frontend", 8080)), "open", "nothing", "POLICY_ALLOWS"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_service_without_socket_balancing(case: Case) -> None:
    report = case.cluster().ask(Q)
    assert (report.expected, report.observed, case.code in codes(report)) == (case.expected, case.observed, True)


def backed_by(address: str) -> Cluster:
    """A Service without selector whose slice names an address and no pod."""
    backend = Backend((address,), True, True, False, None, None)
    return (
        Cluster()
        .deploy("shop/frontend")
        .pod("payments/ledger-1", of="ledger", ip="10.0.2.77", on="n2")
        .service("shop/cart", "80->8080", selector=None, backends=(backend,))
        .policy(deny_all("payments", "ledger"))
    )


WRITTEN_BY_HAND = {
    "a pod of a namespace that was not read": ("10.0.2.77", "unknown"),
    "an address where pods have theirs": ("10.0.2.200", "unknown"),
    "a node": ("192.168.0.2", "open"),
    "an address outside": ("203.0.113.9", "open"),
    "a private address outside, the pods' ranges being known": ("172.16.0.9", "open"),
}


@pytest.mark.parametrize(("address", "expected"), WRITTEN_BY_HAND.values(), ids=WRITTEN_BY_HAND)
def test_backends_that_name_no_pod(address: str, expected: str) -> None:
    assert backed_by(address).ask(Q).expected == expected
