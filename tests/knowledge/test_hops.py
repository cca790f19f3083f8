"""The hops beside policy: looking the name up, the gateway out, agents, identities, what is in force."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.model.agent import AgentStatus, EgressGatewayEntry
from handlers.model.parts import Part
from handlers.model.traffic import Protocol
from tests.knowledge.build import Cluster, allow_from, codes, deny_all, node, peer, shop, the

A, B = "shop/frontend-1", "shop/cart-1"

EGRESS = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: frontend}}
  egress:
  - toEndpoints: [{matchLabels: {app: cart}}]
"""
TO_DNS = """
  - toEndpoints: [{matchLabels: {k8s-app: kube-dns, io.kubernetes.pod.namespace: kube-system}}]
    toPorts: [{ports: [{port: "53", protocol: UDP}]%s}]
"""


def names(*patterns: str) -> str:
    rules = ", ".join(f'{{matchPattern: "{pattern}"}}' for pattern in patterns)
    return TO_DNS % f", rules: {{dns: [{rules}]}}"


STRIPE = "  - toFQDNs: [{matchName: api.stripe.com}]\n"

DNS = {
    "no policy": (shop, "shop/cart 80", "DNS_ALLOWED", "open"),
    "egress forgets DNS": (lambda: shop().policy(EGRESS), "shop/cart 80", "DNS_DENIED", "blocked"),
    "egress forgets DNS, by address": (lambda: shop().policy(EGRESS), "10.0.2.12 8080", None, "open"),
    "egress forgets DNS, to a pod": (lambda: shop().policy(EGRESS), "shop/pod/cart-1 8080", None, "open"),
    "DNS allowed": (lambda: shop().policy(EGRESS + TO_DNS % ""), "shop/cart 80", "DNS_ALLOWED", "open"),
    "DNS by a rule that covers it": (
        lambda: shop().policy(EGRESS + names("*.shop.svc.cluster.local")),
        "shop/cart 80",
        "DNS_ALLOWED",
        "open",
    ),
    "DNS by a rule for other names": (
        lambda: shop().policy(EGRESS + names("*.example.com")),
        "shop/cart 80",
        "DNS_NAME_REFUSED",
        "blocked",
    ),
    "a star does not cross a dot": (
        lambda: shop().policy(EGRESS + names("*.local")),
        "shop/cart 80",
        "DNS_NAME_REFUSED",
        "blocked",
    ),
    "an outside name that is learnt": (
        lambda: shop().policy(EGRESS + STRIPE + names("*")).dns(A, "api.stripe.com", "203.0.113.9"),
        "api.stripe.com 443",
        "DNS_ALLOWED",
        "open",
    ),
    "an outside name whose query is refused": (
        lambda: shop().policy(EGRESS + STRIPE + names("*.example.com")).dns(A, "api.stripe.com", refused=True),
        "api.stripe.com 443",
        "DNS_NAME_REFUSED",
        "blocked",
    ),
    "no cluster DNS, inside": (
        lambda: _without_dns(shop()),
        "shop/cart 80",
        "DNS_UNDECIDED",
        "open",
    ),
    "no cluster DNS, outside": (
        lambda: _without_dns(shop()),
        "api.stripe.com 443",
        "DNS_UNDECIDED",
        "unknown",
    ),
}


def _without_dns(cluster: Cluster) -> Cluster:
    cluster.pods = [pod for pod in cluster.pods if pod.namespace != "kube-system"]
    return cluster


@pytest.mark.parametrize(("cluster", "asked", "code", "expected"), DNS.values(), ids=DNS.keys())
def test_the_name_can_be_looked_up(cluster: Callable[[], Cluster], asked: str, code: str | None, expected: str) -> None:
    report = cluster().ask(f"why shop/frontend {asked}")
    assert [found for found in codes(report) if found.startswith("DNS_")] == ([code] if code else [])
    assert report.expected == expected


def test_a_refused_look_up_is_what_was_seen() -> None:
    cluster = shop().policy(EGRESS + names("*.example.com")).dns(A, "cart.shop.svc.cluster.local", refused=True)
    report = cluster.ask("why shop/frontend shop/cart 80")
    assert report.observed == "dropped"
    assert "1 DNS queries for the name were refused" in report.headline.seen


def test_queries_that_drop_though_policy_allows_them_are_told() -> None:
    cluster = shop().dropped(A, "kube-system/coredns-1", 53, protocol=Protocol.UDP, ingress=False, times=2)
    assert "2 DNS queries" in the(cluster.ask("why shop/frontend shop/cart 80"), "DNS_QUERIES_DROPPED").text


NAME = "api.stripe.com"
GATEWAY = """
apiVersion: cilium.io/v2
kind: CiliumEgressGatewayPolicy
metadata: {name: out}
spec:
  selectors: [{podSelector: {matchLabels: {app: frontend, io.kubernetes.pod.namespace: shop}}}]
  destinationCIDRs: [203.0.113.0/24]
  excludedCIDRs: [203.0.113.128/25]
  egressGateway: {nodeSelector: {matchLabels: {role: gateway}}, egressIP: 198.51.100.1}
"""


LOOKUPS = {
    "it resolved": (lambda: shop().dns(A, NAME, "203.0.113.9"), "open", ""),
    "the upstream is dead": (lambda: shop().dns(A, NAME, rcode=2), "blocked", "the answer was SERVFAIL"),
    "there is no such name": (lambda: shop().dns(A, NAME, rcode=3), "blocked", "the answer was NXDOMAIN"),
    "only a search suffix is no name": (lambda: shop().dns(A, f"{NAME}.shop.svc.cluster.local", rcode=3), "open", ""),
    "it failed, and later resolved": (
        lambda: shop().dns(A, NAME, rcode=2, at=200).dns(A, NAME, "203.0.113.9", at=100),
        "open",
        "",
    ),
    "nobody answers": (lambda: shop().asked(A, NAME, at=95).asked(A, NAME), "unknown", "no answer came"),
    "one query of many has no answer": (lambda: shop().dns(A, NAME, "203.0.113.9", at=95).asked(A, NAME), "open", ""),
    "one query is no pattern": (lambda: shop().asked(A, NAME), "open", ""),
    "it was asked this second": (lambda: shop().asked(A, NAME, at=1), "open", ""),
}


@pytest.mark.parametrize(("cluster", "expected", "words"), LOOKUPS.values(), ids=LOOKUPS.keys())
def test_a_look_up_that_policy_allows_may_fail_all_the_same(
    cluster: Callable[[], Cluster], expected: str, words: str
) -> None:
    report = cluster().ask(f"why shop/frontend {NAME} 443")
    assert report.expected == expected
    assert words in "".join(finding.text for finding in report.findings if finding.code == "DNS_FAILS")
    assert ("DNS_FAILS" in codes(report)) == bool(words)


def through(*, ready: bool | None = None, text: str = GATEWAY) -> Cluster:
    """Return the shop with the gateway policy, and with a gateway node where ``ready`` says how it is."""
    cluster = shop().gateway(text)
    if ready is not None:
        cluster.nodes.append(node("n3", 3, ready=ready, role="gateway"))
    return cluster


OUT = {
    "no node matches": (lambda: through(), "203.0.113.9 443", "EGRESS_GATEWAY_NO_NODE", "blocked"),
    "the only node is not ready": (
        lambda: through(ready=False),
        "203.0.113.9 443",
        "EGRESS_GATEWAY_NOT_READY",
        "blocked",
    ),
    "a node is ready": (lambda: through(ready=True), "203.0.113.9 443", "EGRESS_GATEWAY_USED", "open"),
    "an excluded address": (lambda: through(), "203.0.113.200 443", "EGRESS_GATEWAY_EXCLUDED", "open"),
    "an address beside the range": (lambda: through(), "198.51.100.77 443", None, "open"),
    "a pod": (lambda: through(), "shop/cart 80", None, "open"),
    "a name whose address is known": (
        lambda: through().dns(A, "api.stripe.com", "203.0.113.9"),
        "api.stripe.com 443",
        "EGRESS_GATEWAY_NO_NODE",
        "blocked",
    ),
    "another namespace's pods": (
        lambda: through(text=GATEWAY.replace("namespace: shop", "namespace: payments")),
        "203.0.113.9 443",
        None,
        "open",
    ),
    "the agent found no gateway": (
        lambda: _unmapped(through(ready=True)),
        "203.0.113.9 443",
        "EGRESS_GATEWAY_UNMAPPED",
        "blocked",
    ),
}


def _unmapped(cluster: Cluster) -> Cluster:
    address = next(pod.ips[0] for pod in cluster.pods if pod.name == "frontend-1")
    return cluster.agent("n1", Part.AGENT_EGRESS, (EgressGatewayEntry(address, "203.0.113.0/24", None, None),))


@pytest.mark.parametrize(("cluster", "asked", "code", "expected"), OUT.values(), ids=OUT.keys())
def test_the_gateway_out(cluster: Callable[[], Cluster], asked: str, code: str | None, expected: str) -> None:
    report = cluster().ask(f"why shop/frontend {asked}")
    assert [found for found in codes(report) if found.startswith("EGRESS_GATEWAY")] == ([code] if code else [])
    assert report.expected == expected


def status(node: str, *, state: str = "Ok", reaches: bool = True) -> AgentStatus:
    other = {"n1": "n2", "n2": "n1"}[node]
    error = "" if reaches else "timed out"
    return AgentStatus("1.19.0", state, f"it is {state}", {}, (), (peer(other, host=error, endpoint=error),))


def test_healthy_agents_are_fine() -> None:
    assert "n1, n2" in the(shop().ask("why shop/frontend shop/cart 80"), "AGENTS_HEALTHY").text


def test_a_peer_that_is_no_part_of_the_path_does_not_block() -> None:
    cluster = shop().deploy("shop/near", on="n1").agent("n1", Part.AGENT_STATUS, status("n1", reaches=False))
    assert cluster.ask("why shop/frontend shop/near 80").expected == "open"


def test_an_agent_that_is_ill_is_told_and_does_not_block() -> None:
    cluster = shop().agent("n2", Part.AGENT_STATUS, status("n2", state="Failure"))
    report = cluster.ask("why shop/frontend shop/cart 80")
    assert report.expected == "open"
    assert the(report, "AGENT_UNHEALTHY").follow_up == "health n2"


def test_an_agent_that_was_not_read_is_a_doubt_and_a_gap() -> None:
    cluster = shop()
    del cluster.of_node[Part.AGENT_STATUS, "n2"]
    report = cluster.ask("why shop/frontend shop/cart 80")
    assert "exec was refused" in the(report, "AGENT_NOT_READ").text
    assert ("agent status", "n2") in {(gap.part, gap.node) for gap in report.gaps}


FORCE = {
    "behind": ({"state": "regenerating", "desired_revision": 5, "realized_revision": 4}, "revision 4 of 5"),
    "regenerating": ({"state": "regenerating"}, "regenerating"),
    "no enforcement": ({"state": "ready", "ingress_enforcing": False}, "no ingress enforcement"),
}


@pytest.mark.parametrize(("changes", "words"), FORCE.values(), ids=FORCE.keys())
def test_policy_that_is_not_in_force_is_told(changes: dict[str, object], words: str) -> None:
    cluster = shop().policy(allow_from("shop", "cart", "frontend", 8080))
    cluster.agent("n2", Part.AGENT_ENDPOINTS, cluster.agent_endpoints("n2", **changes))
    finding = the(cluster.ask("why shop/frontend shop/cart 80"), "POLICY_NOT_REALIZED")
    assert words in finding.text
    assert "CiliumNetworkPolicy/shop/allow" in {evidence.ref for evidence in finding.evidence}


def test_an_endpoint_without_policies_has_nothing_to_realise() -> None:
    assert not {"POLICY_REALIZED", "POLICY_NOT_REALIZED"} & set(codes(shop().ask("why shop/frontend shop/cart 80")))


def test_policy_that_is_in_force_is_fine() -> None:
    cluster = shop().policy(deny_all("shop", "cart"))
    cluster.agent("n2", Part.AGENT_ENDPOINTS, cluster.agent_endpoints("n2", ingress_enforcing=True))
    assert "POLICY_REALIZED" in codes(cluster.ask("why shop/frontend shop/cart 80"))


def test_pod_endpoint_and_identity_agree() -> None:
    assert codes(shop().ask("why shop/frontend shop/cart 80")).count("IDENTITY_AGREES") == 2


def test_a_label_that_the_identity_lacks_is_told() -> None:
    cluster = shop()
    cluster.pods = [
        replace(pod, labels={**pod.labels, "role": "new"}) if pod.name == "cart-1" else pod for pod in cluster.pods
    ]
    assert "role=new" in the(cluster.ask("why shop/frontend shop/cart 80"), "IDENTITY_STALE").text


def test_policy_goes_by_the_identity_and_not_by_the_label_of_this_second() -> None:
    cluster = shop().policy(deny_all("shop", "cart"))
    cluster.pods = [replace(pod, labels={"app": "renamed"}) if pod.name == "cart-1" else pod for pod in cluster.pods]
    assert cluster.ask("why shop/frontend shop/pod/cart-1 8080").expected == "blocked"


def test_a_pod_without_endpoint_is_told() -> None:
    cluster = shop().pod("shop/new-1", of="new", endpoint=False)
    assert (
        "shop/new-1 has no CiliumEndpoint" in the(cluster.ask("why shop/frontend shop/new 80"), "ENDPOINT_MISSING").text
    )
