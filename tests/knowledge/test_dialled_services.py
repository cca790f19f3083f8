"""What a client dials, by IP family, port, traffic policy and kind of Service."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.knowledge.build import Cluster, allow_from, codes

WORLD = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: cart-ingress, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: cart}}
  ingress:
  - fromEntities: [world]
"""


def six() -> Cluster:
    """Nodes of both families, and a Service of IPv6 alone."""
    found = Cluster(kube_proxy_replacement="true")
    found.nodes = [
        replace(node, ips=(*node.ips, f"fd00::{index}"), pod_cidrs=(*node.pod_cidrs, f"fd01:{index}::/64"))
        for index, node in enumerate(found.nodes, 1)
    ]
    found.pod("shop/frontend-1", of="frontend")
    found.pod("shop/cart-1", of="cart", on="n2", ip="fd01:2::10", ports=("http:8080",))
    return found.service(
        "shop/cart", "80@30080->8080", ip="fd02::10", type="LoadBalancer", balancer_ips=("2001:db8::7",)
    ).policy(WORLD)


def served(*on: str, **how: Any) -> Cluster:
    """A client on n1, and cart pods on these nodes."""
    found = Cluster(kube_proxy_replacement="true").pod("shop/frontend-1", of="frontend", on="n1")
    for number, home in enumerate(on):
        found.pod(f"shop/cart-{number}", of="cart", on=home, ports=("http:8080",))
    return found.service("shop/cart", "80->8080", **how)


def local(*on: str) -> Cluster:
    return served(*on, internal_traffic_policy="Local")


def alias() -> Cluster:
    found = Cluster().pod("shop/frontend-1", of="frontend")
    found.service("shop/db", type="ExternalName", selector=None, external_name="db.example.com", backends=())
    found.services[-1] = replace(found.services[-1], cluster_ips=())
    return found


def two_ports() -> Cluster:
    return (
        Cluster(kube_proxy_replacement="true")
        .pod("shop/frontend-1", of="frontend")
        .pod("shop/cart-1", of="cart", on="n2", ports=("http:8080", "metrics:9090"))
        .service("shop/cart", "80@30080->8080", "81@30081->9090", type="NodePort")
        .policy(allow_from("shop", "cart", "frontend", 8080))
    )


@dataclass(frozen=True)
class Case:
    cluster: Callable[[], Cluster]
    question: str
    expected: str
    code: str


CASES = {
    "IPv6, a nodePort": Case(six, "why world fd00::1 30080", "open", "FRONTEND_LEADS_IN"),
    "IPv6, a client's address": Case(six, "why 2001:db8:9::9 fd00::1 30080", "open", "FRONTEND_LEADS_IN"),
    "IPv6, a load balancer": Case(six, "why world 2001:db8::7 80", "open", "FRONTEND_LEADS_IN"),
    "IPv6, a cluster IP": Case(six, "why shop/frontend fd02::10 80", "blocked", "POLICY_DEFAULT_DENY"),
    "a nodePort in a family that the Service has not": Case(
        six, "why world 192.168.0.1 30080", "unknown", "NODE_PORT_OF_NOBODY"
    ),
    "a nodePort at a node's name, in whatever family": Case(
        six, "why world node/n1 30080", "open", "FRONTEND_LEADS_IN"
    ),
    "the first of two ports": Case(two_ports, "why shop/frontend 192.168.0.1 30080", "open", "FRONTEND_LEADS_IN"),
    "the second of two ports": Case(two_ports, "why shop/frontend 192.168.0.1 30081", "blocked", "POLICY_DEFAULT_DENY"),
    "internal Local, a backend here": Case(
        lambda: local("n1"), "why shop/frontend shop/svc/cart 80", "open", "SERVICE_HAS_BACKENDS"
    ),
    "internal Local, a backend elsewhere": Case(
        lambda: local("n2"), "why shop/frontend shop/svc/cart 80", "blocked", "SERVICE_NO_LOCAL_BACKENDS"
    ),
    "internal Local, by the cluster IP": Case(
        lambda: local("n2"), "why shop/frontend 10.96.0.10 80", "blocked", "SERVICE_NO_LOCAL_BACKENDS"
    ),
    "internal Local, from a node without": Case(
        lambda: local("n2"), "why node/n1 shop/svc/cart 80", "blocked", "SERVICE_NO_LOCAL_BACKENDS"
    ),
    "internal Local, from the host of no node in particular": Case(
        lambda: local("n2"), "why host shop/svc/cart 80", "unknown", "SERVICE_LOCALITY_UNTOLD"
    ),
    "internal Local, a backend on every node": Case(
        lambda: local("n1", "n2"), "why host shop/svc/cart 80", "open", "SERVICE_HAS_BACKENDS"
    ),
    "session affinity": Case(
        lambda: served("n1", "n2", session_affinity="ClientIP"),
        "why shop/frontend shop/svc/cart 80",
        "open",
        "SERVICE_HAS_BACKENDS",
    ),
    "an alias": Case(alias, "why shop/frontend shop/svc/db 5432", "unknown", "SERVICE_IS_ELSEWHERE"),
    "an alias, from outside": Case(alias, "why world shop/svc/db 5432", "unknown", "SERVICE_IS_ELSEWHERE"),
    "headless, the pod's port": Case(
        lambda: served("n2", headless=True), "why shop/frontend shop/svc/cart 8080", "open", "SERVICE_HAS_BACKENDS"
    ),
    "headless, the Service's port": Case(
        lambda: served("n2", headless=True), "why shop/frontend shop/svc/cart 80", "unknown", "PORT_IN_DOUBT"
    ),
    "a pod to itself": Case(
        lambda: served("n1").policy(allow_from("shop", "cart", "nobody", 8080)),
        "why shop/cart-0 shop/svc/cart 80",
        "open",
        "POLICY_LOOPS_BACK",
    ),
    "loopback, from a pod": Case(
        lambda: served("n1"), "why shop/frontend 127.0.0.1 8080", "unknown", "ADDRESS_OF_ONES_OWN"
    ),
    "loopback, from a node": Case(
        lambda: served("n1"), "why node/n1 127.0.0.1 30080", "unknown", "ADDRESS_OF_ONES_OWN"
    ),
    "loopback of IPv6": Case(lambda: served("n1"), "why shop/frontend ::1 8080", "unknown", "ADDRESS_OF_ONES_OWN"),
    "loopback as the source": Case(
        lambda: served("n1"), "why 127.0.0.1 shop/cart-0 8080", "unknown", "ADDRESS_OF_ONES_OWN"
    ),
    "a group": Case(lambda: served("n1"), "why shop/frontend 224.0.0.251 5353/udp", "unknown", "ADDRESS_OF_ONES_OWN"),
    "no address": Case(lambda: served("n1"), "why shop/frontend 0.0.0.0 80", "unknown", "ADDRESS_OF_ONES_OWN"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_dialled(case: Case) -> None:
    report = case.cluster().ask(case.question)
    assert (report.expected, case.code in codes(report)) == (case.expected, True), codes(report)
