"""Who an end is in the eyes of policy: addresses, nodes by viewer, other clusters, both IP versions."""

from typing import Any

import pytest

from handlers.model.decision import Verdict
from handlers.model.labels import LabelSet
from handlers.model.party import Party, PartyKind
from handlers.model.rule import Direction
from handlers.policy import CidrGroup, Node, PolicyConfig
from tests.policy.worlds import CART, FRONTEND, NODES, ccnp, cnp, into, np, out_of, pod, policies, surroundings, tcp

DUAL = PolicyConfig(ipv6=True)
BLOCKS = cnp(
    "{endpointSelector: {}, egress: [{toCIDR: [192.0.2.0/24, '2001:db8::/32']}, "
    "{toCIDRSet: [{cidr: 192.0.0.0/16, except: [192.0.2.128/25]}]}, {toFQDNs: [{matchPattern: '*.example.com'}]}]}"
)


@pytest.mark.parametrize(
    ("ip", "config", "labels"),
    [
        ("8.8.8.8", PolicyConfig(), ("reserved:world",)),
        ("8.8.8.8", DUAL, ("reserved:world-ipv4",)),
        ("2001:db8::7", DUAL, ("cidr:2001-db8--0/32", "reserved:world-ipv6")),
        ("2001:db9::7", DUAL, ("reserved:world-ipv6",)),
        ("192.0.2.7", PolicyConfig(), ("cidr:192.0.2.0/24", "reserved:world")),
        ("192.0.2.200", PolicyConfig(), ("cidr:192.0.2.128/25", "reserved:world")),
        ("192.0.9.9", PolicyConfig(), ("cidr:192.0.0.0/16", "reserved:world")),
        (
            "198.51.100.3",
            PolicyConfig(),
            ("cidrgroup:io.cilium.policy.cidrgroupname/office", "cidrgroup:place=office", "reserved:world"),
        ),
        ("203.0.113.5", PolicyConfig(), ("fqdn:*.example.com", "reserved:world")),
        ("::ffff:192.0.2.7", PolicyConfig(), ("cidr:192.0.2.0/24", "reserved:world")),
    ],
)
def test_the_identity_of_an_address(ip: str, config: PolicyConfig, labels: tuple[str, ...]) -> None:
    assert policies(BLOCKS, config=config).party_of_ip(ip).labels.strings() == labels


def test_an_address_of_a_node_is_the_node() -> None:
    party = policies(BLOCKS).party_of_ip("10.0.0.2")
    assert (party.kind, party.name) == (PartyKind.NODE, "n2")
    assert party.labels.strings() == ("reserved:kube-apiserver", "reserved:remote-node")
    assert party.local_labels is not None
    assert party.local_labels.strings() == ("reserved:host", "reserved:kube-apiserver")
    assert party.host_labels is not None
    assert party.host_labels.strings() == ("reserved:host", "k8s:role=control")


TO_HOST = cnp("{endpointSelector: {}, egress: [{toEntities: [host]}]}")
TO_REMOTE = cnp("{endpointSelector: {}, egress: [{toEntities: [remote-node]}]}")


@pytest.mark.parametrize(
    ("text", "node", "verdict"),
    [
        (TO_HOST, NODES[0], Verdict.ALLOWED),
        (TO_HOST, NODES[1], Verdict.DENIED),
        (TO_REMOTE, NODES[0], Verdict.DENIED),
        (TO_REMOTE, NODES[1], Verdict.ALLOWED),
        (TO_HOST, Node("n1", ("10.9.0.1",), {}, cluster="west"), Verdict.DENIED),
        (TO_REMOTE, Node("n1", ("10.9.0.1",), {}, cluster="west"), Verdict.ALLOWED),
    ],
)
def test_a_node_is_the_host_only_for_its_own_pods(text: str, node: Node, verdict: Verdict) -> None:
    loaded = policies(text)
    assert loaded.decide(Direction.EGRESS, CART, loaded.party_of_node(node), tcp(22)).verdict is verdict


@pytest.mark.parametrize(
    ("modes", "verdict"), [(PolicyConfig(), Verdict.DENIED), (PolicyConfig(cidr_matches_nodes=True), Verdict.ALLOWED)]
)
def test_prefixes_mean_nodes_only_when_told(modes: PolicyConfig, verdict: Verdict) -> None:
    text = cnp("{endpointSelector: {}, egress: [{toCIDR: [10.0.0.0/24]}]}")
    loaded = policies(text, config=modes)
    for ip in ("10.0.0.1", "10.0.0.2"):
        assert loaded.decide(Direction.EGRESS, CART, loaded.party_of_ip(ip), tcp(22)).verdict is verdict


BY_NODE_LABEL = cnp("{endpointSelector: {}, ingress: [{fromNodes: [{matchLabels: {role: control}}]}]}")
NODE_LABELS = PolicyConfig(node_selector_labels=True)


def test_node_selectors_mean_remote_nodes_of_this_cluster() -> None:
    loaded = policies(BY_NODE_LABEL, config=NODE_LABELS)
    far = Node("n7", ("10.9.0.7",), {"role": "control"}, cluster="west")
    verdicts = {
        node.name: loaded.decide(Direction.INGRESS, CART, loaded.party_of_node(node), tcp(80)).verdict
        for node in (NODES[1], Node("n3", ("10.0.0.3",), {"role": "worker"}), far)
    }
    assert verdicts == {"n2": Verdict.ALLOWED, "n3": Verdict.DENIED, "n7": Verdict.DENIED}


def test_node_selectors_need_their_flag() -> None:
    status = policies(BY_NODE_LABEL).statuses[0]
    assert (status.valid, "enable-node-selector-labels" in status.reason) == (False, True)


HOST_POLICY = ccnp("{nodeSelector: {matchLabels: {role: worker}}, ingress: [{fromEntities: [cluster]}]}")


@pytest.mark.parametrize(
    ("config", "ip", "verdict"),
    [
        (PolicyConfig(), "10.0.0.1", Verdict.NOT_APPLICABLE),
        (PolicyConfig(host_firewall=True), "10.0.0.1", Verdict.DENIED),
        (PolicyConfig(host_firewall=True), "10.0.0.2", Verdict.ALLOWED),
    ],
)
def test_host_policies_need_the_host_firewall_and_the_node_s_labels(
    config: PolicyConfig, ip: str, verdict: Verdict
) -> None:
    loaded = policies(HOST_POLICY, config=config)
    outside = loaded.party_of_ip("8.8.8.8")
    assert loaded.decide(Direction.INGRESS, loaded.party_of_ip(ip), outside, tcp(22)).verdict is verdict


MESH = cnp(
    "{endpointSelector: {}, ingress: [{fromEndpoints: "
    "[{matchLabels: {app: frontend, io.cilium.k8s.policy.cluster: west}}]}]}"
)


@pytest.mark.parametrize(("cluster", "verdict"), [("west", Verdict.ALLOWED), ("default", Verdict.DENIED)])
def test_a_named_cluster_is_meant_exactly(cluster: str, verdict: Verdict) -> None:
    assert into(CART, pod("shop/frontend", cluster=cluster), tcp(80), MESH).verdict is verdict


def test_pods_of_other_clusters_are_under_nobody_s_policy_here() -> None:
    far = pod("shop/cart", cluster="west")
    assert into(far, FRONTEND, tcp(80), np("{podSelector: {}}")).verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("selector", "ip", "verdict"),
    [
        ("{matchLabels: {place: office}}", "198.51.100.3", Verdict.ALLOWED),
        ("{matchLabels: {place: office}}", "198.51.101.3", Verdict.DENIED),
        ("{matchExpressions: [{key: place, operator: In, values: [office, home]}]}", "203.0.113.3", Verdict.ALLOWED),
        ("{matchExpressions: [{key: place, operator: Exists}]}", "8.8.8.8", Verdict.DENIED),
    ],
)
def test_groups_by_label(selector: str, ip: str, verdict: Verdict) -> None:
    groups = (
        CidrGroup("office", {"place": "office"}, ("198.51.100.0/24",)),
        CidrGroup("home", {"place": "home"}, ("203.0.113.0/24",)),
    )
    text = cnp(f"{{endpointSelector: {{}}, egress: [{{toCIDRSet: [{{cidrGroupSelector: {selector}}}]}}]}}")
    around = surroundings(cidr_groups=groups)
    loaded = policies(text, around=around)
    assert loaded.decide(Direction.EGRESS, CART, loaded.party_of_ip(ip), tcp(443)).verdict is verdict


@pytest.mark.parametrize(
    ("cidr", "ip", "verdict"),
    [
        ("0.0.0.0/0", "8.8.8.8", Verdict.ALLOWED),
        ("0.0.0.0/0", "2001:db8::1", Verdict.DENIED),
        ("'::/0'", "2001:db8::1", Verdict.ALLOWED),
        ("'::/0'", "8.8.8.8", Verdict.DENIED),
    ],
)
@pytest.mark.parametrize("field", ["toCIDR: [{}]", "toCIDRSet: [{{cidr: {}}}]"])
def test_everything_is_one_ip_version_on_dual_stack(field: str, cidr: str, ip: str, verdict: Verdict) -> None:
    text = cnp(f"{{endpointSelector: {{}}, egress: [{{{field.format(cidr)}}}]}}")
    loaded = policies(text, config=DUAL)
    assert loaded.decide(Direction.EGRESS, CART, loaded.party_of_ip(ip), tcp(443)).verdict is verdict


@pytest.mark.parametrize(
    ("name", "enforced"),
    [("init", True), ("host", False), ("other", False)],
)
def test_label_keys_that_the_agent_mistakes_for_reserved_ones(name: str, enforced: bool) -> None:
    """The agent asks for the labels ``init`` and ``host`` without saying of which source."""
    labels: dict[str, Any] = {name: "x"}
    odd = pod("shop/odd", **labels)
    decision = into(odd, FRONTEND, tcp(80), cnp("{endpointSelector: {matchLabels: {app: cart}}, ingress: [{}]}"))
    assert decision.enforced is enforced


def test_a_pod_with_a_host_label_escapes_its_policies() -> None:
    odd = pod("shop/odd", host="x")
    assert into(odd, FRONTEND, tcp(80), np("{podSelector: {}}")).verdict is Verdict.ALLOWED


def test_the_local_node_passes_where_others_do_not() -> None:
    text = np("{podSelector: {}, policyTypes: [Ingress]}")
    loaded = policies(text)
    near, far = (loaded.party_of_node(node) for node in NODES)
    assert loaded.decide(Direction.INGRESS, CART, near, tcp(80)).reason == "allow-localhost"
    assert loaded.decide(Direction.INGRESS, CART, far, tcp(80)).verdict is Verdict.DENIED


def test_both_sides_are_asked_and_the_first_to_stop_the_packet_counts() -> None:
    text = np("{podSelector: {matchLabels: {app: frontend}}, policyTypes: [Egress]}", name="out")
    text += np("{podSelector: {matchLabels: {app: cart}}, policyTypes: [Ingress]}", name="in")
    both = policies(text).combine(FRONTEND, CART, tcp(8080))
    assert both.verdict is Verdict.DENIED
    assert [side.direction for side in both.blocking] == [Direction.EGRESS, Direction.INGRESS]
    assert not both.loops_back
    assert policies(text).combine(CART, CART, tcp(8080)).loops_back


def test_rules_that_contradict_each_other_are_an_error_in_both_directions() -> None:
    http = "rules: {http: [{path: /a}]}"
    dns = "rules: {dns: [{matchName: a.test}]}"
    ports = "ports: [{port: '53', protocol: TCP}]"
    text = cnp(
        f"{{endpointSelector: {{}}, egress: [{{toPorts: [{{{ports}, {http}}}]}}, {{toPorts: [{{{ports}, {dns}}}]}}]}}"
    )
    text += np("{podSelector: {}, ingress: [{}]}")
    assert out_of(CART, FRONTEND, tcp(53), text).verdict is Verdict.ERROR
    decision = into(CART, FRONTEND, tcp(53), text)
    assert decision.verdict is Verdict.ERROR
    assert decision.conflict is not None
    assert "http and dns" in decision.conflict.what
    assert len(decision.conflict.rules) == 2


def test_health_endpoints_are_selected_by_wide_policies() -> None:
    text = ccnp("{endpointSelector: {}, ingress: [{fromEntities: [host]}]}")
    health = Party(PartyKind.HEALTH, LabelSet.reserved("health"), node="n1")
    assert into(health, FRONTEND, tcp(4240), text).verdict is Verdict.DENIED
