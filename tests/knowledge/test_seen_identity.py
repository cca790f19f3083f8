"""What a node saw of an identity outweighs what is computed of an address, and a patch is for the packets seen."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.knowledge.build import Cluster, codes, shop, the

HOST_2 = "10.0.2.1"
"""The address of cilium_host on n2, under which that node forwards clients outside."""
CLUSTER_ONLY = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: cart-cluster-only, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: cart}}
  ingress:
  - fromEntities: [cluster]
"""
WORLD_ONLY = CLUSTER_ONLY.replace("cluster]", "world]")
CLOSED = CLUSTER_ONLY.replace("fromEntities: [cluster]", "{}")


def town(policy: str) -> Cluster:
    return Cluster().pod("shop/cart-1", of="cart", ports=("8080",)).policy(policy)


def dropped_as(identity: str, policy: str) -> Cluster:
    return town(policy).dropped(f"reserved:{identity}@{HOST_2}", "shop/cart-1", 8080, times=3)


@dataclass(frozen=True)
class Case:
    cluster: Callable[[], Cluster]
    question: str
    expected: str
    seen_otherwise: bool
    patched_for: str = ""


CASES = {
    "nothing was seen: as computed": Case(
        lambda: town(CLUSTER_ONLY), f"why {HOST_2} shop/pod/cart-1 8080", "open", False
    ),
    "seen as computed": Case(
        lambda: dropped_as("remote-node", WORLD_ONLY),
        f"why {HOST_2} shop/pod/cart-1 8080",
        "blocked",
        False,
        "remote-node",
    ),
    "seen as the world, by address": Case(
        lambda: dropped_as("world", CLUSTER_ONLY), f"why {HOST_2} shop/pod/cart-1 8080", "blocked", True, "world"
    ),
    "seen as the world, by the node's own address": Case(
        lambda: dropped_as("world", CLUSTER_ONLY), "why 192.168.0.2 shop/pod/cart-1 8080", "blocked", True, "world"
    ),
    "seen as the world, by the node's name": Case(
        lambda: dropped_as("world", CLUSTER_ONLY), "why node/n2 shop/pod/cart-1 8080", "blocked", True, "world"
    ),
    "seen as the world, whom policy lets in, by address": Case(
        lambda: town(WORLD_ONLY).delivered(f"reserved:world@{HOST_2}", "shop/cart-1", 8080),
        f"why {HOST_2} shop/pod/cart-1 8080",
        "open",
        True,
    ),
    "seen as the world, but the node itself is meant and not let in": Case(
        lambda: town(WORLD_ONLY).delivered(f"reserved:world@{HOST_2}", "shop/cart-1", 8080),
        "why node/n2 shop/pod/cart-1 8080",
        "blocked",
        True,
    ),
    "seen on another port: that tells nothing": Case(
        lambda: town(CLUSTER_ONLY).dropped(f"reserved:world@{HOST_2}", "shop/cart-1", 9090),
        f"why {HOST_2} shop/pod/cart-1 8080",
        "open",
        False,
    ),
    "an address outside that was seen as a node": Case(
        lambda: town(WORLD_ONLY).dropped("reserved:remote-node@203.0.113.9", "shop/cart-1", 8080),
        "why 203.0.113.9 shop/pod/cart-1 8080",
        "blocked",
        True,
        "remote-node",
    ),
    "seen under both: both are judged": Case(
        lambda: dropped_as("world", CLUSTER_ONLY).delivered(
            f"reserved:remote-node@{HOST_2}", "shop/cart-1", 8080, at=9
        ),
        f"why {HOST_2} shop/pod/cart-1 8080",
        "blocked",
        True,
        "world",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_was_seen_is_judged(case: Case) -> None:
    report = case.cluster().ask(case.question)
    assert (report.expected, "IDENTITY_SEEN_OTHERWISE" in codes(report)) == (case.expected, case.seen_otherwise)
    if case.patched_for:
        assert [case.patched_for in patch.manifest for patch in report.patches] == [True]


def test_the_difference_is_said() -> None:
    report = dropped_as("world", CLUSTER_ONLY).ask(f"why {HOST_2} shop/pod/cart-1 8080")
    values = the(report, "IDENTITY_SEEN_OTHERWISE").values
    assert (values["node"], values["address"], values["seen"], values["computed"]) == ("n1", HOST_2, "world", "node n2")


def test_no_patch_is_offered_that_none_of_the_dropped_packets_would_profit_from() -> None:
    """Both identities are closed out, only the world's packets were dropped: the patch is for these alone."""
    report = dropped_as("world", CLOSED).ask("why node/n2 shop/pod/cart-1 8080")
    assert report.expected == "blocked"
    assert ["world" in patch.diff for patch in report.patches] == [True]
    assert any("none would pass with it" in note for note in report.patch_notes)


def test_two_ports_that_nobody_named_are_proven_one_on_top_of_the_other() -> None:
    cluster = (
        Cluster()
        .pod("shop/frontend-1", of="frontend")
        .pod("shop/cart-1", of="cart", ports=("8080", "9090"))
        .policy(CLOSED)
    )
    first, second = cluster.ask("why shop/frontend shop/pod/cart-1").patches
    assert "8080" in first.manifest
    assert "8080" in second.manifest
    assert "9090" in second.manifest
    assert "this holds with the patches before it applied" in second.checks


def test_flows_beyond_those_that_patches_are_for_are_named() -> None:
    ports = ("8080", "9090", "7070")
    cluster = Cluster().pod("shop/frontend-1", of="frontend").pod("shop/cart-1", of="cart", ports=ports).policy(CLOSED)
    report = cluster.ask("why shop/frontend shop/pod/cart-1")
    assert any("leave closed" in note and "7070" in note for note in report.patch_notes)


REFUSED_NAME = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: frontend-dns, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: frontend}}
  egress:
  - toEntities: [cluster]
  - toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, k8s-app: kube-dns}}]
    toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchName: api.stripe.com}]}}]
"""


def test_under_a_cause_in_policy_nothing_says_that_policy_does_not_block() -> None:
    cluster = shop().policy(REFUSED_NAME.replace("  - toEntities: [cluster]\n", "  - toEndpoints: [{}]\n"))
    report = cluster.ask("why shop/frontend shop/svc/cart 80")
    assert report.expected == "blocked"
    assert not any("does not block" in note for note in report.patch_notes)


def test_no_patch_is_pushed_for_what_audit_mode_lets_pass() -> None:
    cluster = shop().policy(CLUSTER_ONLY.replace("[cluster]", "[host]"))
    cluster.audited("shop/frontend-1", "shop/cart-1", 8080)
    report = cluster.ask("why shop/frontend shop/pod/cart-1 8080")
    assert report.patches == ()
    assert report.observed == "audited"


def test_a_pod_s_address_to_a_cluster_ip_is_followed_like_the_names() -> None:
    cluster = shop().policy(CLUSTER_ONLY.replace("[cluster]", "[host]"))
    address = next(pod.ips[0] for pod in cluster.pods if pod.name.startswith("frontend"))
    service = next(service for service in cluster.services if service.name == "cart")
    by_address = cluster.ask(f"why {address} {service.cluster_ips[0]}:80")
    by_name = cluster.ask("why shop/frontend shop/svc/cart 80")
    assert by_address.expected == by_name.expected == "blocked"
    assert [patch.manifest for patch in by_address.patches] == [patch.manifest for patch in by_name.patches]
