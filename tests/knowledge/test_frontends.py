"""Ports of nodes, external and load balancer addresses: who is behind them, and as whom one arrives there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.catalogue import understand
from handlers.model.cluster import Backend
from handlers.model.parts import Part
from handlers.model.report import Expected
from handlers.model.snapshot import AnyPart, Gap
from tests.knowledge.build import Cluster, codes, node, the
from tests.reading import in_words
from tests.sampling import examples
from workers.collect import collect

BALANCER, EXTERNAL = "198.51.100.7", "198.51.100.8"


def allow(peer: str) -> str:
    """Write a policy that puts cart under ingress default deny and lets one kind of peer in."""
    return f"""
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: cart-ingress, namespace: shop}}
spec:
  endpointSelector: {{matchLabels: {{app: cart}}}}
  ingress:
  - {peer}
"""


WORLD = allow("fromEntities: [world]")
INSIDE = allow("fromEntities: [cluster]")
REMOTE_NODES = allow("fromEntities: [remote-node]")
CLIENT_CIDR = allow("fromCIDR: [203.0.113.9/32]")


def cluster(
    *,
    on: tuple[str, ...] = ("n1",),
    policy: str = "",
    etp: str = "Cluster",
    kube_proxy_replacement: str = "true",
    **options: Any,
) -> Cluster:
    """A Service of every outside kind before cart pods on these nodes; Cilium forwards unless the options say other."""
    found = Cluster(kube_proxy_replacement=kube_proxy_replacement, **options).pod("shop/frontend-1", of="frontend")
    for number, home in enumerate(on):
        found.pod(f"shop/cart-{number}", of="cart", on=home, ports=("http:8080@8081",))
    found.service(
        "shop/cart",
        "80@30080->8080",
        type="LoadBalancer",
        external_traffic_policy=etp,
        external_ips=(EXTERNAL,),
        balancer_ips=(BALANCER,),
    )
    return found.policy(policy) if policy else found


def named_node(policy: str) -> Cluster:
    """A third node, with a name like those that clouds give."""
    found = cluster(policy=policy)
    found.nodes.append(node("n3.example.internal", 3))
    return found


@dataclass(frozen=True)
class Case:
    cluster: Callable[[], Cluster]
    question: str
    expected: str
    code: str = "FRONTEND_LEADS_IN"
    words: str = ""


CASES = {
    # Who is behind what is dialled.
    "a nodePort at a node's address": Case(cluster, "why world 192.168.0.1 30080", "open", words="nodePort 30080"),
    "a nodePort at a node's name": Case(cluster, "why world node/n1 30080", "open", words="Service shop/cart"),
    "a nodePort at a node's bare name": Case(
        lambda: cluster(policy=INSIDE), "why world n2 30080", "blocked", words="Service shop/cart"
    ),
    "a nodePort at a node that is named as DNS names are": Case(
        lambda: named_node(INSIDE), "why world n3.example.internal 30080", "blocked", words="Service shop/cart"
    ),
    "a nodePort of nobody": Case(cluster, "why world 192.168.0.1 30081", "unknown", "NODE_PORT_OF_NOBODY"),
    "a nodePort over another protocol": Case(
        cluster, "why world 192.168.0.1 30080/udp", "unknown", "NODE_PORT_OF_NOBODY"
    ),
    "a port of the node itself": Case(cluster, "why world 192.168.0.1 10250", "open", "NAME_RESOLVED", "node n1"),
    "a load balancer's address": Case(cluster, f"why world {BALANCER} 80", "open", words="load balancer IP"),
    "an external address": Case(cluster, f"why world {EXTERNAL} 80", "open", words="external IP"),
    "a load balancer's port that is none": Case(
        cluster, f"why world {BALANCER} 81", "blocked", "SERVICE_PORT_NOT_FOUND"
    ),
    "a hostPort": Case(lambda: cluster(policy=INSIDE), "why world 192.168.0.1 8081", "blocked", words="hostPort 8081"),
    "a hostPort of another node's pod": Case(cluster, "why world 192.168.0.2 8081", "open", "NAME_RESOLVED", "node n2"),
    "a cluster IP from outside": Case(
        lambda: Cluster().pod("shop/cart-1", of="cart").service("shop/cart", "80->8080"),
        "why world shop/cart 80",
        "unknown",
        "SERVICE_IS_INSIDE",
    ),
    "a cluster IP that is routed to from outside": Case(
        lambda: (
            Cluster(bpf_lb_external_clusterip="true").pod("shop/cart-1", of="cart").service("shop/cart", "80->8080")
        ),
        "why world shop/cart 80",
        "open",
        "SERVICE_HAS_BACKENDS",
    ),
    "a name outside from outside": Case(cluster, "why world www.example.com 443", "unknown", "BOTH_ENDS_OUTSIDE"),
    "an address outside from outside": Case(cluster, "why 203.0.113.9 198.18.0.1 443", "unknown", "BOTH_ENDS_OUTSIDE"),
    # As whom: the backend is on the node that is dialled.
    "here, world allowed": Case(lambda: cluster(policy=WORLD), "why world 192.168.0.1 30080", "open"),
    "here, only the cluster allowed": Case(
        lambda: cluster(policy=INSIDE), "why world 192.168.0.1 30080", "blocked", "POLICY_DEFAULT_DENY", "8080/TCP"
    ),
    "here, the client's CIDR allowed": Case(
        lambda: cluster(policy=CLIENT_CIDR), "why 203.0.113.9 192.168.0.1 30080", "open"
    ),
    "here, Local": Case(lambda: cluster(etp="Local", policy=WORLD), "why world 192.168.0.1 30080", "open"),
    # The backend is on another node.
    "through a tunnel, world allowed": Case(lambda: cluster(policy=WORLD), "why world 192.168.0.2 30080", "open"),
    "through a tunnel, only the cluster allowed": Case(
        lambda: cluster(policy=INSIDE), "why world 192.168.0.2 30080", "blocked", "POLICY_DEFAULT_DENY"
    ),
    "through a tunnel, only remote nodes allowed": Case(
        lambda: cluster(policy=REMOTE_NODES), "why world 192.168.0.2 30080", "blocked", "POLICY_DEFAULT_DENY"
    ),
    "through a tunnel, the client's CIDR does not count": Case(
        lambda: cluster(policy=CLIENT_CIDR), "why 203.0.113.9 192.168.0.2 30080", "blocked", "POLICY_DEFAULT_DENY"
    ),
    "through a tunnel, the client's CIDR does not count with DSR either": Case(
        lambda: cluster(policy=CLIENT_CIDR, bpf_lb_mode="dsr"),
        "why 203.0.113.9 192.168.0.2 30080",
        "blocked",
        "POLICY_DEFAULT_DENY",
    ),
    "routed, world allowed: the other node's address arrives": Case(
        lambda: cluster(policy=WORLD, routing_mode="native"),
        "why world 192.168.0.2 30080",
        "blocked",
        "POLICY_DEFAULT_DENY",
        "n2",
    ),
    "routed, remote nodes allowed": Case(
        lambda: cluster(policy=REMOTE_NODES, routing_mode="native"), "why world 192.168.0.2 30080", "open"
    ),
    "routed, DSR keeps the client": Case(
        lambda: cluster(policy=CLIENT_CIDR, routing_mode="native", bpf_lb_mode="dsr"),
        "why 203.0.113.9 192.168.0.2 30080",
        "open",
    ),
    "routed, hybrid keeps the client of TCP": Case(
        lambda: cluster(policy=CLIENT_CIDR, routing_mode="native", bpf_lb_mode="hybrid"),
        "why 203.0.113.9 192.168.0.2 30080",
        "open",
    ),
    "Local, and no backend here": Case(
        lambda: cluster(etp="Local"), "why world 192.168.0.2 30080", "blocked", "SERVICE_NO_BACKEND_ON_NODE", "n2 runs"
    ),
    "Local, and its backend here is not ready": Case(
        lambda: cluster(etp="Local", on=()), "why world 192.168.0.2 30080", "blocked", "SERVICE_SELECTS_NOTHING"
    ),
    # Any node may be the one that a load balancer chooses.
    "a load balancer, the client's CIDR counts on one node only": Case(
        lambda: cluster(policy=CLIENT_CIDR), f"why 203.0.113.9 {BALANCER} 80", "blocked", "POLICY_DEFAULT_DENY"
    ),
    "a load balancer with Local, the client's CIDR counts": Case(
        lambda: cluster(policy=CLIENT_CIDR, etp="Local"), f"why 203.0.113.9 {BALANCER} 80", "open"
    ),
    "a load balancer, routed: another node's address may arrive": Case(
        lambda: cluster(policy=WORLD, routing_mode="native"), f"why world {BALANCER} 80", "blocked"
    ),
    "two backends, one of them through the tunnel": Case(
        lambda: cluster(on=("n1", "n2"), policy=CLIENT_CIDR),
        "why 203.0.113.9 192.168.0.1 30080",
        "blocked",
        "POLICY_DEFAULT_DENY",
    ),
    "by the Service's name, from outside": Case(lambda: cluster(policy=INSIDE), "why world shop/cart 80", "blocked"),
    # Clients inside choose the backend when they connect, and stay themselves.
    "a pod, a nodePort of the other node": Case(
        lambda: cluster(policy=INSIDE), "why shop/frontend 192.168.0.2 30080", "open"
    ),
    "a pod, Local on a node without backend": Case(
        lambda: cluster(etp="Local"), "why shop/frontend 192.168.0.2 30080", "open"
    ),
    "a pod that the policy does not let in": Case(
        lambda: cluster(policy=WORLD), "why shop/frontend 192.168.0.2 30080", "blocked", "POLICY_DEFAULT_DENY"
    ),
    "a pod, where only the host's connections are balanced": Case(
        lambda: cluster(bpf_lb_sock_hostns_only="true"),
        "why shop/frontend 192.168.0.2 30080",
        "unknown",
        "FRONTEND_UNTOLD",
    ),
    "a pod, an external address": Case(cluster, f"why shop/frontend {EXTERNAL} 80", "unknown", "FRONTEND_UNTOLD"),
    "a pod, a hostPort of its own node": Case(
        lambda: cluster(policy=INSIDE), "why shop/frontend 192.168.0.1 8081", "open"
    ),
    "a pod, a hostPort of the other node": Case(
        lambda: cluster(on=("n2",)), "why shop/frontend 192.168.0.2 8081", "unknown", "FRONTEND_UNTOLD"
    ),
    "a node": Case(lambda: cluster(policy=REMOTE_NODES), "why node/n2 192.168.0.2 30080", "open"),
    # What is not known.
    "kube-proxy forwards": Case(
        lambda: cluster(kube_proxy_replacement="false"), "why world 192.168.0.1 30080", "unknown", "FRONTEND_UNTOLD"
    ),
    "the configuration was not read": Case(
        lambda: cluster().without(Part.CONFIG), "why world 192.168.0.1 30080", "unknown", "FRONTEND_UNTOLD"
    ),
    "the Services were not read": Case(
        lambda: cluster().without(Part.ALL_SERVICES), "why world 192.168.0.1 30080", "unknown", "PART_MISSING"
    ),
    "the Services timed out, a node's name": Case(
        lambda: cluster().without(Part.ALL_SERVICES, gap=Gap.TIMEOUT),
        "why world node/n1 30080",
        "unknown",
        "PART_MISSING",
    ),
    "the backends were not read": Case(
        lambda: cluster().without(Part.ENDPOINT_SLICES), "why world 192.168.0.1 30080", "unknown", "PART_MISSING"
    ),
    "Cilium's own proxy answers": Case(
        lambda: Cluster(kube_proxy_replacement="true").service(
            "shop/cilium-ingress",
            "80->9999",
            selector=None,
            type="LoadBalancer",
            balancer_ips=(BALANCER,),
            backends=(Backend(("192.192.192.192",), True, True, False, None, None),),
        ),
        f"why world {BALANCER} 80",
        "unknown",
        "FRONTEND_UNTOLD",
        "Envoy",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_dialled_is_followed(case: Case) -> None:
    report = case.cluster().ask(case.question)
    assert (report.expected, case.code in codes(report)) == (case.expected, True), codes(report)
    assert case.words in " ".join([in_words(report), *(finding.text for finding in report.findings)])


RANGES = {
    "a client in range": ("203.0.113.9", BALANCER, {}, {}, "open"),
    "a client out of range": ("198.18.0.1", BALANCER, {}, {}, "blocked"),
    "a client denied by range": (
        "203.0.113.9",
        BALANCER,
        {"service.cilium.io/src-ranges-policy": "deny"},
        {},
        "blocked",
    ),
    "the world, which is in range only in part": ("world", BALANCER, {}, {}, "unknown"),
    "a range that is in range only in part": ("203.0.0.0/16", BALANCER, {}, {}, "unknown"),
    "a pod, whom ranges are not for": ("shop/frontend", BALANCER, {}, {}, "open"),
    "an external address, which ranges are not for": ("198.18.0.1", EXTERNAL, {}, {}, "open"),
    "an external address, where ranges are for all": (
        "198.18.0.1",
        EXTERNAL,
        {},
        {"bpf_lb_source_range_all_types": "true"},
        "blocked",
    ),
}


@pytest.mark.parametrize(("client", "dialled", "annotations", "options", "expected"), RANGES.values(), ids=RANGES)
def test_source_ranges(
    client: str, dialled: str, annotations: dict[str, str], options: dict[str, Any], expected: str
) -> None:
    served = (
        Cluster(kube_proxy_replacement="true", **options)
        .pod("shop/frontend-1", of="frontend")
        .pod("shop/cart-1", of="cart")
        .service(
            "shop/cart",
            "80->8080",
            type="LoadBalancer",
            external_ips=(EXTERNAL,),
            balancer_ips=(BALANCER,),
            source_ranges=("203.0.113.0/24",),
            annotations=annotations,
        )
    )
    assert served.ask(f"why {client} {dialled} 80").expected == expected


def test_a_node_that_refuses_is_named_with_one_that_would_not() -> None:
    found = the(cluster(etp="Local").ask("why world 192.168.0.2 30080"), "SERVICE_NO_BACKEND_ON_NODE")
    assert (found.values["node"], found.values["others"]) == ("n2", ("n1",))
    assert found.evidence[0].ref == "Service/shop/cart"


def test_drops_of_forwarded_packets_are_seen_though_the_client_is_another_address() -> None:
    seen = cluster(policy=INSIDE).dropped("reserved:world@10.0.2.1", "shop/cart-0", 8080, times=3)
    report = seen.ask("why 203.0.113.9 192.168.0.2 30080")
    assert (report.expected, report.observed) == ("blocked", "dropped")


@pytest.mark.parametrize("dialled", ["192.168.0.1 30080", "node/n2 30080", f"{BALANCER} 80"])
def test_only_the_services_are_read_whole(dialled: str) -> None:
    source = cluster().deploy("payments/ledger").source()
    collect(understand(f"why world {dialled}").question, source, budget=30)
    assert not [ask for ask in source.asks if ask.part is Part.POLICY_SERVICES]
    (slices,) = [ask for ask in source.asks if ask.part is Part.ENDPOINT_SLICES]
    assert set(slices.scope.namespaces or ()) == {"shop", "kube-system"}


POLICIES = st.sampled_from(["", WORLD, INSIDE, REMOTE_NODES, CLIENT_CIDR])
PLACES = st.sampled_from([("n1",), ("n2",), ("n1", "n2")])
OPTIONS = st.fixed_dictionaries(
    {
        "routing_mode": st.sampled_from(["tunnel", "native"]),
        "bpf_lb_mode": st.sampled_from(["snat", "dsr", "hybrid"]),
        "kube_proxy_replacement": st.sampled_from(["true", "false"]),
    }
)


@given(policy=POLICIES, on=PLACES, etp=st.sampled_from(["Cluster", "Local"]), options=OPTIONS)
@settings(max_examples=examples(15), deadline=None)
def test_no_node_port_is_more_open_than_its_backends(
    policy: str, on: tuple[str, ...], etp: str, options: dict[str, Any]
) -> None:
    """Through either node it is open only if it is for whomever a backend there would see."""
    asked = cluster(on=on, policy=policy, etp=etp, **options)
    for through, address in (("n1", "192.168.0.1"), ("n2", "192.168.0.2")):
        answer = asked.ask(f"why 203.0.113.9 {address} 30080").expected
        for number, home in enumerate(on):
            if etp == "Local" and home != through:
                continue
            is_kept = home == through or (options["routing_mode"] == "native" and options["bpf_lb_mode"] != "snat")
            seen = "203.0.113.9" if is_kept else "world" if options["routing_mode"] == "tunnel" else f"node/{through}"
            direct = asked.ask(f"why {seen} shop/pod/cart-{number} 8080")
            assert answer is not Expected.OPEN or direct.expected is Expected.OPEN


@given(policy=POLICIES, on=PLACES, part=st.sampled_from([Part.ALL_SERVICES, Part.CONFIG, Part.ENDPOINT_SLICES]))
@settings(max_examples=examples(12), deadline=None)
def test_less_read_is_never_more_open(policy: str, on: tuple[str, ...], part: AnyPart) -> None:
    whole = cluster(on=on, policy=policy).ask("why world 192.168.0.2 30080").expected
    less = cluster(on=on, policy=policy).without(part).ask("why world 192.168.0.2 30080").expected
    assert less is not Expected.OPEN or whole is Expected.OPEN
