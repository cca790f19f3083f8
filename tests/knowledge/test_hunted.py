"""Answers that were once too sure, or wrong: what has to be said instead."""

from dataclasses import replace

import pytest

from handlers.catalogue import understand
from handlers.engine import answer
from handlers.model.cluster import Backend
from handlers.model.flow import EventType, FlowVerdict
from handlers.model.parts import Part
from handlers.model.snapshot import Snapshot
from tests.knowledge.build import Cluster, allow_from, codes, deny_all, shop
from tests.reading import in_words
from workers.collect import collect

A, B, Q = "shop/frontend-1", "shop/cart-1", "why shop/frontend shop/cart 80"
OTHER = deny_all("shop", "other", name="unrelated")


def shards(count: int = 60) -> Cluster:
    cluster = Cluster().deploy("shop/frontend")
    for number in range(count):
        cluster.pod(f"shop/cart-{number}", of="cart", on="n2", labels={"shard": str(number)})
    return cluster.service("shop/cart", "80->8080").healthy_agents()


def test_a_denied_backend_beyond_the_fortieth_is_not_open() -> None:
    cluster = shards().policy(deny_all("shop", "cart").replace("{app: cart}", "{shard: '55'}"))
    assert cluster.ask(Q).expected != "open"


@pytest.mark.parametrize("kind", ["init", "old"])
def test_pods_are_alike_by_identity_not_by_pod_labels(kind: str) -> None:
    cluster = (
        Cluster().deploy("shop/frontend").deploy("shop/cart", replicas=8, on="n2").service("shop/cart", "80->8080")
    )
    labels = ("reserved:init",) if kind == "init" else (*cluster.endpoints[-1].labels, "k8s:role=old")
    cluster.endpoints[-1] = replace(cluster.endpoints[-1], labels=labels, identity=5 if kind == "init" else 777)
    cluster.healthy_agents().policy(deny_all("shop", "cart").replace("{app: cart}", "{role: old}"))
    assert cluster.ask(Q).expected == "blocked"


@pytest.mark.parametrize("reason", ["POLICY_DENIED", "CT_MAP_INSERTION_FAILED"])
def test_an_unrelated_change_does_not_excuse_drops(reason: str) -> None:
    report = shop().policy(OTHER, changed=10).dropped(A, B, 8080, reason=reason).ask(Q)
    assert "can reach" not in in_words(report)


def test_an_unrelated_change_does_not_explain_what_passed() -> None:
    report = shop().policy(deny_all("shop", "cart")).policy(OTHER, changed=10).worked(A, B, 8080).ask(Q)
    assert "unrelated" not in in_words(report)


def test_a_packet_that_left_towards_a_silent_node_has_not_passed() -> None:
    cluster = shop().sent(A, B, 8080)
    cluster.silent = {"n2": "timeout"}
    report = cluster.ask(Q)
    assert report.observed == "no-data"
    assert "can reach" not in in_words(report)
    assert "outside the cluster" not in report.headline.seen


def test_a_packet_that_left_and_was_never_delivered_inside_is_not_forwarded_outside() -> None:
    report = shop().sent(A, B, 8080).ask(Q)
    assert "outside the cluster" not in report.headline.seen
    assert "can reach" not in in_words(report)


L7 = allow_from("shop", "cart", "frontend", 8080).replace(
    "protocol: TCP}]}]", "protocol: TCP}], rules: {http: [{method: GET, path: /ok}]}}]"
)


def test_a_request_that_the_proxy_refuses_is_no_mistake_of_ours() -> None:
    cluster = shop().policy(L7).worked(A, B, 8080, at=61).http(A, B, 8080, 403)
    report = cluster.ask("why shop/frontend shop/cart 80 http GET /admin")
    assert "this judgement is wrong" not in in_words(report)
    assert "cannot reach" in in_words(report)


def test_one_backend_denied_the_other_answering_is_no_mistake_of_ours() -> None:
    cluster = Cluster().deploy("shop/frontend").pod("shop/cart-1", of="cart", on="n2", labels={"v": "1"})
    cluster.pod("shop/cart-2", of="cart", on="n2", labels={"v": "2"}).service("shop/cart", "80->8080").healthy_agents()
    cluster.policy(deny_all("shop", "cart").replace("{app: cart}", "{v: '2'}"))
    cluster.dropped(A, "shop/cart-2", 8080, at=100).worked(A, B, 8080, at=50)
    assert "this judgement is wrong" not in in_words(cluster.ask(Q))


@pytest.mark.parametrize("asked", ["shop/svc/cart", "node/n1", "world"])
def test_what_has_no_pods_is_not_open_both_ways(asked: str) -> None:
    report = shop().policy(deny_all("shop", "cart")).ask(f"policies {asked}")
    assert "everything is allowed" not in in_words(report)


@pytest.mark.parametrize("asked", ["shop/svc/cart", "node/n2", "shop/nothing"])
def test_drops_of_what_has_no_pods_are_not_everybody_s(asked: str) -> None:
    cluster = shop().deploy("pay/a").deploy("pay/b").dropped("pay/a-1", "pay/b-1", 9, times=3)
    assert "3 drops" not in in_words(cluster.ask(f"drops {asked}"))


@pytest.mark.parametrize("asked", ["nowhere", "shop/nothing"])
def test_drops_of_a_name_that_does_not_exist_are_not_none(asked: str) -> None:
    assert "No drops seen" not in in_words(shop().ask(f"drops {asked}"))


@pytest.mark.parametrize("nodes", [("n1",), ("n1", "n2")])
def test_silent_nodes_do_not_look_like_no_drops(nodes: tuple[str, ...]) -> None:
    cluster = shop()
    cluster.silent = dict.fromkeys(nodes, "timeout")
    headline = in_words(cluster.ask("drops"))
    assert "n1" in headline or "Cannot tell" in headline


def test_a_node_that_does_not_exist_is_not_healthy() -> None:
    assert "healthy" not in in_words(shop().ask("health n9"))


@pytest.mark.parametrize("name", ["db-0.db.shop.svc.cluster.local", "cart.shpo.svc.cluster.local"])
def test_a_cluster_name_is_never_outside(name: str) -> None:
    assert shop().ask(f"why shop/frontend {name} 80").expected != "open"


def test_a_range_of_pod_addresses_is_not_outside() -> None:
    report = shop().policy(deny_all("shop", "cart")).ask("why shop/frontend 10.0.2.0/24 8080")
    assert report.expected != "open"


def test_a_pod_without_address_cannot_be_reached() -> None:
    cluster = shop().pod("shop/new-1", of="new", ip="", phase="Pending", ready=None, endpoint=False)
    assert cluster.ask("why shop/frontend shop/new 80").expected != "open"


def test_a_source_service_without_backends_is_nobody() -> None:
    assert shop().service("shop/empty", "80->1").ask("why shop/svc/empty shop/cart 80").expected != "open"


def test_a_reset_of_an_established_connection_does_not_mean_that_nothing_listens() -> None:
    cluster = shop().delivered(A, B, 8080, flags="ACK PSH", at=61).refused(A, B, 8080)
    assert "NOTHING_LISTENS" not in codes(cluster.ask(Q))


def test_a_headless_service_is_dialled_at_the_pod_s_own_port() -> None:
    cluster = Cluster().deploy("shop/frontend").deploy("shop/db", on="n2").service("shop/db", "80->8080", headless=True)
    assert "SERVICE_PORT_NOT_FOUND" not in codes(cluster.healthy_agents().ask("why shop/frontend shop/svc/db 8080"))


def test_a_former_owner_s_flows_are_not_the_pod_s() -> None:
    cluster = shop().dropped(A, B, 8080)
    gone = replace(cluster.flows[0].destination, namespace="other", pod="ghost", labels=("k8s:app=ghost",))
    cluster.flows = [replace(flow, destination=gone) for flow in cluster.flows]
    question, source = understand(Q).question, cluster.source()
    snapshot = collect(question, source)
    whole = Snapshot(snapshot.taken_at, "x", {**snapshot.parts, Part.FLOWS: source.parts[Part.FLOWS]})
    assert answer(question, whole).observed == "nothing"


def test_a_host_network_pod_s_packets_carry_the_address_of_cilium_host() -> None:
    cluster = Cluster().pod("shop/hostd-1", of="hostd", on="n1", host_network=True).deploy("shop/cart", on="n2")
    cluster.service("shop/cart", "80->8080").healthy_agents().worked("reserved:host@10.0.1.1", B, 8080)
    assert cluster.ask("why shop/hostd shop/cart 80").observed == "forwarded"


def test_every_replica_s_realisation_is_looked_at() -> None:
    cluster = (
        Cluster().deploy("shop/frontend").pod("shop/cart-1", of="cart", on="n1").pod("shop/cart-2", of="cart", on="n2")
    )
    cluster.service("shop/cart", "80->8080").healthy_agents().policy(allow_from("shop", "cart", "frontend", 8080))
    behind = cluster.agent_endpoints("n2", state="regenerating", desired_revision=5, realized_revision=4)
    assert "POLICY_NOT_REALIZED" in codes(cluster.agent("n2", Part.AGENT_ENDPOINTS, behind).ask(Q))


def test_the_health_endpoint_s_address_is_no_vanished_pod() -> None:
    assert "ADDRESS_GONE" not in codes(shop().ask("why shop/frontend 10.0.2.2 4240"))


def test_a_candidate_replaces_the_end_it_is_for() -> None:
    assert shop().ask("why shop/frontend shop/car").candidates[0] == "why shop/frontend shop/cart"


def test_a_gateway_for_everything_counts_for_a_name_without_address() -> None:
    text = """
apiVersion: cilium.io/v2
kind: CiliumEgressGatewayPolicy
metadata: {name: eg}
spec:
  selectors: [{podSelector: {matchLabels: {app: frontend}}}]
  destinationCIDRs: ["0.0.0.0/0"]
  egressGateway: {nodeSelector: {matchLabels: {gw: "yes"}}}
"""
    cluster = shop(enable_egress_gateway="true").gateway(text)
    assert cluster.ask("why shop/frontend api.stripe.com 443").expected == "blocked"


def test_pod_to_pod_needs_no_egress_gateways() -> None:
    assert shop().without(Part.EGRESS_GATEWAYS).ask(Q).expected == "open"


def test_an_assumed_configuration_is_said_in_the_headline() -> None:
    # Without it the defaults are all there is; whoever reads the headline has to know.
    assert "cilium-config could not be read" in in_words(shop(enable_policy="always").without(Part.CONFIG).ask(Q))


def test_a_backend_whose_pod_is_not_listed_is_not_the_world() -> None:
    cluster = shop()
    cluster.slices = [
        replace(cluster.slices[0], backends=(Backend(("10.0.2.77",), True, True, False, "n2", ("shop", "cart-9")),))
    ]
    assert cluster.ask(Q).expected == "unknown"


@pytest.mark.parametrize("asked", ["world", "16777217"])
def test_identity_says_what_it_is(asked: str) -> None:
    headline = in_words(shop().ask(f"identity {asked}"))
    assert "Nothing is known" not in headline
    assert "no endpoint with an identity" not in headline


def test_an_endpoint_without_number_is_said() -> None:
    cluster = shop()
    cluster.endpoints = [replace(entry, identity=None) for entry in cluster.endpoints]
    assert "ENDPOINT_WITHOUT_IDENTITY" in codes(cluster.ask("identity shop/frontend"))


def test_a_dropped_reply_of_another_conversation_is_no_drop_of_this_one() -> None:
    cluster = (
        shop()
        .saw(
            A,
            B,
            40_000,
            client_port=9000,
            verdict=FlowVerdict.DROPPED,
            event=EventType.DROP,
            drop_reason="CT_MAP_INSERTION_FAILED",
            reply=None,
        )
        .worked(B, A, 9000)
    )
    assert cluster.ask("why shop/frontend shop/deploy/cart").observed != "dropped"
