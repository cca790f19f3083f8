"""The hops beside policy: looking the name up, the gateway out, agents, identities, what is in force."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.model.agent import AddressIdentity, AgentStatus, EgressGatewayEntry
from handlers.model.change import Change
from handlers.model.finding import Outcome
from handlers.model.parts import Part
from handlers.model.snapshot import Gap, Missing
from handlers.model.traffic import Protocol
from tests.knowledge.build import Cluster, ago, allow_from, codes, deny_all, node, peer, shop, the

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
        "DNS_SERVERS_DOWN DNS_UNDECIDED",
        "blocked",
    ),
    "no cluster DNS, outside": (
        lambda: _without_dns(shop()),
        "api.stripe.com 443",
        "DNS_SERVERS_DOWN DNS_UNDECIDED",
        "blocked",
    ),
}


def _without_dns(cluster: Cluster) -> Cluster:
    cluster.pods = [pod for pod in cluster.pods if pod.namespace != "kube-system"]
    return cluster


@pytest.mark.parametrize(("cluster", "asked", "code", "expected"), DNS.values(), ids=DNS.keys())
def test_the_name_can_be_looked_up(cluster: Callable[[], Cluster], asked: str, code: str | None, expected: str) -> None:
    report = cluster().ask(f"why shop/frontend {asked}")
    assert [found for found in codes(report) if found.startswith("DNS_")] == (code or "").split()
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


def through(
    *,
    ready: bool | None = None,
    text: str = GATEWAY,
    at_home: str | None = "192.168.0.3",
    at_gateway: str | None = "198.51.100.1",
) -> Cluster:
    """Return the shop with the gateway policy, and with a gateway node where ``ready`` says how it is.

    ``at_home`` and ``at_gateway`` are the gateway and the address that the maps of the two nodes have.
    """
    cluster = shop(enable_egress_gateway="true", enable_bpf_masquerade="true", kube_proxy_replacement="true").gateway(
        text
    )
    if ready is not None:
        cluster.nodes.append(node("n3", 3, ready=ready, role="gateway"))
        cluster.agent("n1", Part.AGENT_EGRESS, (_entry(cluster, None, at_home),))
        cluster.agent("n3", Part.AGENT_EGRESS, (_entry(cluster, at_gateway, "192.168.0.3"),))
    return cluster


def _entry(cluster: Cluster, address: str | None, gateway: str | None) -> EgressGatewayEntry:
    source = next(pod.ips[0] for pod in cluster.pods if pod.name == "frontend-1")
    return EgressGatewayEntry(source, "203.0.113.0/24", address, gateway)


def without_map(cluster: Cluster, of: str) -> Cluster:
    del cluster.of_node[Part.AGENT_EGRESS, of]
    return cluster


TO = "203.0.113.9 443"
SECOND = GATEWAY.replace("name: out", "name: other").replace("198.51.100.1", "198.51.100.2")
TWO = GATEWAY.replace(
    "egressGateway:", "egressGateways: [{nodeSelector: {matchLabels: {role: none}}}]\n  egressGateway:"
)
OUT: dict[str, tuple[Callable[[], Cluster], str, list[str], str]] = {
    "no node matches": (lambda: through(), TO, ["NO_NODE"], "blocked"),
    "the only node is not ready": (lambda: through(ready=False), TO, ["NOT_READY"], "unknown"),
    "it is not ready, and answers come": (
        lambda: through(ready=False).worked(A, "203.0.113.9", 443),
        TO,
        ["NOT_READY"],
        "open",
    ),
    "a node is ready": (lambda: through(ready=True), TO, ["USED"], "open"),
    "an excluded address": (lambda: through(), "203.0.113.200 443", ["EXCLUDED"], "open"),
    "an address beside the range": (lambda: through(), "198.51.100.77 443", [], "open"),
    "a pod": (lambda: through(), "shop/cart 80", [], "open"),
    "a range that it may hold": (lambda: through(), "203.0.112.0/20 443", ["UNCLEAR"], "unknown"),
    "a name whose address is known": (
        lambda: through().dns(A, "api.stripe.com", "203.0.113.9"),
        "api.stripe.com 443",
        ["NO_NODE"],
        "blocked",
    ),
    "another namespace's pods": (
        lambda: through(text=GATEWAY.replace("namespace: shop", "namespace: payments")),
        TO,
        [],
        "open",
    ),
    "pods of the node's own": (
        lambda: through(text=GATEWAY.replace("podSelector", "nodeSelector: {matchLabels: {role: none}}, podSelector")),
        TO,
        [],
        "open",
    ),
    "namespaces by their labels": (
        lambda: through(
            text=GATEWAY.replace(
                "podSelector: {matchLabels: {app: frontend, io.kubernetes.pod.namespace: shop}}",
                "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}",
            )
        ),
        TO,
        ["NO_NODE"],
        "blocked",
    ),
    "the agent found no gateway": (
        lambda: through(ready=True, at_home=None),
        TO,
        ["UNMAPPED", "USED"],
        "blocked",
    ),
    "the agent has another gateway": (
        lambda: through(ready=True, at_home="192.168.0.2"),
        TO,
        ["MAP_DIFFERS", "USED"],
        "open",
    ),
    "the agent excludes what the policy does not": (
        lambda: through(ready=True, at_home="Excluded CIDR"),
        TO,
        ["MAP_DIFFERS", "USED"],
        "open",
    ),
    "the agent has no entry": (
        lambda: through(ready=True).agent("n1", Part.AGENT_EGRESS, ()),
        TO,
        ["NOT_IN_MAP", "USED"],
        "open",
    ),
    "the gateway has no such address": (
        lambda: through(ready=True, at_gateway=None),
        TO,
        ["NO_ADDRESS", "USED"],
        "blocked",
    ),
    "the gateway has another address": (
        lambda: through(ready=True, at_gateway="198.51.100.9"),
        TO,
        ["MAP_DIFFERS", "USED"],
        "open",
    ),
    "the gateway has no entry": (
        lambda: through(ready=True).agent("n3", Part.AGENT_EGRESS, ()),
        TO,
        ["NOT_AT_GATEWAY", "USED"],
        "unknown",
    ),
    "an agent before 1.18 writes any address": (
        lambda: _with_version(through(ready=True), "1.17.15"),
        TO,
        ["ADDRESS_UNPROVEN", "USED"],
        "unknown",
    ),
    "an agent before 1.18, and the node has the address": (
        lambda: _with_version(through(ready=True), "1.17.15").agent(
            "n3", Part.AGENT_ADDRESSES, (AddressIdentity("198.51.100.1/32", 1),)
        ),
        TO,
        ["USED"],
        "open",
    ),
    "an agent before 1.18, and the node has it not": (
        lambda: _with_version(through(ready=True), "1.17.15").agent(
            "n3", Part.AGENT_ADDRESSES, (AddressIdentity("198.51.100.9/32", 1), AddressIdentity("198.51.100.1/32", 6))
        ),
        TO,
        ["NO_ADDRESS", "USED"],
        "blocked",
    ),
    "an agent before 1.18, and answers come": (
        lambda: _with_version(through(ready=True), "1.17.15").worked(A, "203.0.113.9", 443),
        TO,
        ["USED"],
        "open",
    ),
    "the gateway was not heard": (
        lambda: without_map(through(ready=True), "n3"),
        TO,
        ["MAP_UNREAD", "USED"],
        "unknown",
    ),
    "it was not heard, and answers come": (
        lambda: without_map(through(ready=True), "n3").worked(A, "203.0.113.9", 443),
        TO,
        ["USED"],
        "open",
    ),
    "the pod's own agent was not heard": (
        lambda: without_map(through(ready=True), "n1"),
        TO,
        ["MAP_UNREAD", "USED"],
        "unknown",
    ),
    "two policies for one range": (
        lambda: through(ready=True).gateway(SECOND),
        TO,
        ["CONFLICT", "USED", "USED"],
        "open",
    ),
    "two policies, and the gateway lacks the address": (
        lambda: through(ready=True, at_gateway=None).gateway(SECOND),
        TO,
        ["CONFLICT", "NO_ADDRESS", "USED", "USED"],
        "blocked",
    ),
    "two that say the same": (
        lambda: through(ready=True).gateway(GATEWAY.replace("name: out", "name: other")),
        TO,
        ["USED", "USED"],
        "open",
    ),
    "one of two has no node": (
        lambda: through(ready=True).gateway(SECOND.replace("role: gateway", "role: none")),
        TO,
        ["NO_NODE", "CONFLICT", "USED"],
        "unknown",
    ),
    "a narrower range of another policy": (
        lambda: (
            through(ready=True)
            .gateway(SECOND.replace("[203.0.113.0/24]", "[203.0.113.9/32]"))
            .agent("n1", Part.AGENT_EGRESS, ())
        ),
        TO,
        ["NOT_IN_MAP", "USED"],
        "open",
    ),
    "a narrower range within one that is excluded": (
        lambda: through().gateway(SECOND.replace("[203.0.113.0/24]", "[203.0.113.200/32]")),
        "203.0.113.200 443",
        ["NO_NODE"],
        "blocked",
    ),
    "egressGateways put egressGateway out": (lambda: through(ready=True, text=TWO), TO, ["NO_NODE"], "blocked"),
    "both an address and an interface": (
        lambda: through(ready=True, text=GATEWAY.replace("egressIP:", "interface: eth1, egressIP:")),
        TO,
        ["REFUSED"],
        "open",
    ),
    "the feature is off": (lambda: _off(through()), TO, ["OFF"], "open"),
    "masquerading is not done in BPF": (
        lambda: _with(through(ready=True), {"enable-bpf-masquerade": "false"}),
        TO,
        ["NEEDS", "USED"],
        "open",
    ),
    "the option's old name": (
        lambda: _with(through(), {"enable-egress-gateway": "", "enable-ipv4-egress-gateway": "true"}),
        TO,
        ["NO_NODE"],
        "blocked",
    ),
    "the settings could not be read": (lambda: through().without(Part.CONFIG), TO, ["NO_NODE"], "blocked"),
}


def _with(cluster: Cluster, options: dict[str, str]) -> Cluster:
    cluster.config = replace(cluster.config, options={**cluster.config.options, **options})
    return cluster


def _with_version(cluster: Cluster, version: str) -> Cluster:
    cluster.config = replace(cluster.config, version=version, versions={"n3": version})
    cluster.gaps[Part.RELAY] = Missing(Gap.UNREACHABLE, "relay does not answer")
    return cluster


def _off(cluster: Cluster) -> Cluster:
    return _with(cluster, {"enable-egress-gateway": "false"})


@pytest.mark.parametrize(("cluster", "asked", "found", "expected"), OUT.values(), ids=OUT.keys())
def test_the_gateway_out(cluster: Callable[[], Cluster], asked: str, found: list[str], expected: str) -> None:
    report = cluster().ask(f"why shop/frontend {asked}")
    told = [code.removeprefix("EGRESS_GATEWAY_") for code in codes(report) if code.startswith("EGRESS_GATEWAY_")]
    assert sorted(told) == sorted(found)
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
    assert the(report, "AGENT_UNHEALTHY").follow_up == "agent n2"


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


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        pytest.param(20, "IDENTITY_FOLLOWS", id="a moment ago"),
        pytest.param(300, "IDENTITY_STALE", id="minutes ago"),
    ],
)
def test_a_label_takes_a_moment_to_become_another_identity(seconds: float, code: str) -> None:
    cluster = shop()
    change = Change("Pod", "shop", "cart-1", "kubectl-label", ago(seconds), fields=("metadata.labels.role",))
    cluster.pods = [
        replace(pod, labels={**pod.labels, "role": "new"}, changes=(change,)) if pod.name == "cart-1" else pod
        for pod in cluster.pods
    ]
    report = cluster.ask("why shop/frontend shop/cart 80")
    assert (the(report, code).outcome is Outcome.PROBLEM) is (code == "IDENTITY_STALE")


def test_policy_goes_by_the_identity_and_not_by_the_label_of_this_second() -> None:
    cluster = shop().policy(deny_all("shop", "cart"))
    cluster.pods = [replace(pod, labels={"app": "renamed"}) if pod.name == "cart-1" else pod for pod in cluster.pods]
    assert cluster.ask("why shop/frontend shop/pod/cart-1 8080").expected == "blocked"


def test_a_pod_without_endpoint_is_told() -> None:
    cluster = shop().pod("shop/new-1", of="new", endpoint=False)
    assert (
        "shop/new-1 has no CiliumEndpoint" in the(cluster.ask("why shop/frontend shop/new 80"), "ENDPOINT_MISSING").text
    )
