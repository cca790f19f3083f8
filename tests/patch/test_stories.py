"""The recorded stories: what is blocked there, and the patch that an owner would write."""

import json
import shlex

import pytest
import yaml

from handlers.model.labels import LabelSet
from handlers.model.party import MissingFact, Party, PartyKind
from handlers.model.rule import Origin, PolicyRef
from handlers.model.traffic import Traffic
from handlers.patch import DnsSide
from handlers.patch.edits import applied
from handlers.policy import PolicyConfig, Version
from tests.patch.lab import (
    CART,
    CATALOG,
    CHECKOUT,
    DNS,
    FRONTEND,
    LOADGEN,
    PODS,
    PROMETHEUS,
    REDIS,
    Answer,
    ask,
    is_open,
    recorded,
)
from tests.policy.worlds import NODES, ccnp, cnp, documents, np, ping, pod, policies, request, tcp, udp

STRIPE = DnsSide("api.stripe.example", (DNS,))
OTHER = DnsSide("api.other.example", (DNS,))
NODE = policies("").party_of_node(NODES[0])


def added(answer: Answer) -> list[list[str]]:
    """Give the lines that each patch adds, without their indentation."""
    return [
        [line[1:].strip() for line in patch.diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
        for patch in answer.proposal.patches
    ]


STORIES = {
    "a peer is missing: it joins the others": (
        "02-ingress-default-deny", LOADGEN, CART, tcp(8080), None,
        [["- matchLabels:", "app: loadgen"]],
    ),
    "the port is wrong: it joins the others": (
        "06-wrong-port", CART, REDIS, tcp(6379), None,
        [["- port: '6379'", "protocol: TCP"]],
    ),
    "the name is not listed: it joins the others": (
        "10-tofqdns", CHECKOUT, "198.18.10.40", tcp(443), OTHER,
        [["- matchName: api.other.example"]],
    ),
    "an exception carves the address out: a rule for it alone": (
        "12-egress-cidr", FRONTEND, "198.18.10.30", tcp(80), None,
        [["- toCIDR:", "- 198.18.10.30/32", "toPorts:", "- ports:", "- port: '80'", "protocol: TCP"]],
    ),
    "both sides block: a patch for each": (
        "14-both-sides", LOADGEN, CHECKOUT, tcp(8443), None,
        [
            [
                "- toEndpoints:", "- matchLabels:", "app: checkout-api", "k8s:io.kubernetes.pod.namespace: payments",
                "toPorts:", "- ports:", "- port: '8443'", "protocol: TCP",
            ],
            ["- matchLabels:", "app: loadgen", "k8s:io.kubernetes.pod.namespace: shop"],
        ],
    ),
    "ICMP is allowed to another peer": (
        "15-ports-icmp", LOADGEN, CATALOG, ping(), None,
        [["- matchLabels:", "app: loadgen"]],
    ),
    "a node is an entity": (
        "17-host-entity", NODE, PROMETHEUS, tcp(9090), None,
        [["- fromEntities:", "- remote-node", "toPorts:", "- ports:", "- port: '9090'", "protocol: TCP"]],
    ),
    "the proxy refuses a request: its method and path, escaped": (
        "23-l7-http-no-envoy", FRONTEND, CATALOG, tcp(8080, request("/admin?x=1", "POST")), None,
        [["- method: POST", "path: /admin\\?x=1"]],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("story", "source", "destination", "traffic", "dns", "lines"), STORIES.values(), ids=STORIES)
def test_the_patch_is_what_an_owner_would_write(
    story: str, source: Party, destination: Party | str, traffic: Traffic, dns: DnsSide | None, lines: list[list[str]]
) -> None:
    answer = ask(recorded(story), source, destination, traffic, dns=dns)
    assert added(answer) == lines
    peer = answer.old.party_of_ip(destination) if isinstance(destination, str) else destination
    assert is_open(answer.sides(source, peer, traffic, (dns.name,) if dns else ()))
    assert all(patch.blast_radius_known for patch in answer.proposal.patches)


def test_a_denied_look_up_gets_a_dns_rule_for_the_name_as_resolvers_ask_for_it() -> None:
    answer = ask(recorded("11-tofqdns-dns-denied"), CHECKOUT, "198.18.10.40", tcp(443), dns=STRIPE)
    rule = answer.patched()[0]["spec"]["egress"][1]
    names = [entry["matchName"] for entry in rule["toPorts"][0]["rules"]["dns"]]
    assert names[:2] == ["api.stripe.example", "api.stripe.example.payments.svc.cluster.local"]
    assert answer.again().decide_dns(CHECKOUT, DNS, "api.stripe.example").passes
    assert not answer.again().decide_dns(CHECKOUT, DNS, "elsewhere.example").passes
    assert {flow.port.partition(" ")[0] for flow in answer.patch.also_opens} == {"53/TCP", "53/UDP"}


def test_a_name_that_is_neither_listed_nor_learnt_gets_both_in_one_patch() -> None:
    answer = ask(recorded("11-tofqdns-dns-denied"), CHECKOUT, "198.18.10.40", tcp(443), dns=OTHER)
    egress = answer.patched()[0]["spec"]["egress"]
    assert egress[0]["toFQDNs"] == [{"matchName": "api.stripe.example"}, {"matchName": "api.other.example"}]
    assert egress[1]["toPorts"][0]["rules"]["dns"][0] == {"matchName": "api.other.example"}


def test_names_that_pass_today_still_pass_when_dns_goes_through_the_proxy() -> None:
    plain = documents(
        cnp(
            "{endpointSelector: {}, egress: [{toEndpoints: [{matchLabels: {k8s-app: kube-dns, "
            "'k8s:io.kubernetes.pod.namespace': kube-system}}], toPorts: [{ports: [{port: '53', protocol: UDP}]}]}]}",
            namespace="payments",
        )
    )
    answer = ask(plain, CHECKOUT, "198.18.10.40", tcp(443), dns=OTHER)
    new = answer.again()
    for name in ("api.other.example", "elsewhere.example"):
        assert new.decide_dns(CHECKOUT, DNS, name).passes


def test_an_explicit_deny_is_explained_and_not_patched() -> None:
    answer = ask(recorded("04-ingress-deny-ccnp"), CART, REDIS, tcp(6379))
    assert answer.proposal.patches == ()
    (denial,) = answer.proposal.denials
    assert denial.rules == (
        Origin(PolicyRef("CiliumClusterwideNetworkPolicy", "", "db-deny-shop"), "/spec/ingressDeny/0"),
    )
    assert denial.allowed_without
    assert [(flow.source, flow.destination, flow.port) for flow in denial.narrowing] == [
        ("shop/app=cart (cart)", "shop/app=redis (redis)", "every port and protocol")
    ]
    assert len(denial.removing) == 5
    assert "A deny wins over every allow" in denial.text
    assert "/spec/ingressDeny/0" in denial.text


def test_a_namespace_wide_default_deny_gets_a_small_policy_of_its_kind_beside_it() -> None:
    answer = ask(recorded("20-namespace-default-deny"), LOADGEN, CART, tcp(8080))
    egress, ingress = answer.proposal.patches
    assert (egress.policy, egress.is_new) == ("NetworkPolicy/shop/loadgen-to-cart", True)
    assert (ingress.policy, ingress.is_new) == ("NetworkPolicy/shop/cart-from-frontend", False)
    assert yaml.safe_load(egress.manifest)["spec"] == {
        "podSelector": {"matchLabels": {"app": "loadgen"}},
        "policyTypes": ["Egress"],
        "egress": [
            {"to": [{"podSelector": {"matchLabels": {"app": "cart"}}}], "ports": [{"protocol": "TCP", "port": 8080}]}
        ],
    }
    assert is_open(answer.sides(LOADGEN, CART, tcp(8080)))


def test_a_network_policy_cannot_say_icmp_so_the_patch_is_a_cilium_policy() -> None:
    answer = ask(recorded("20-namespace-default-deny"), LOADGEN, CART, ping())
    assert [patch.policy.partition("/")[0] for patch in answer.proposal.patches] == ["CiliumNetworkPolicy"] * 2
    assert is_open(answer.sides(LOADGEN, CART, ping()))


def test_across_namespaces_a_network_policy_names_the_namespace() -> None:
    answer = ask(
        documents(np("{podSelector: {}, policyTypes: [Ingress]}", namespace="payments")), CART, CHECKOUT, tcp(80)
    )
    peer = yaml.safe_load(answer.patch.manifest)["spec"]["ingress"][0]["from"]
    assert peer == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
            "podSelector": {"matchLabels": {"app": "cart"}},
        }
    ]


def test_a_cluster_wide_owner_is_left_alone_when_it_means_others_too() -> None:
    wide = documents(ccnp("{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {app: grafana}}]}]}"))
    answer = ask(wide, LOADGEN, CART, tcp(8080))
    assert answer.patch.policy == "CiliumNetworkPolicy/shop/cart-from-loadgen"
    assert answer.patch.also_opens == ()


def test_a_cluster_wide_owner_that_means_this_workload_is_extended() -> None:
    own = documents(
        ccnp(
            "{endpointSelector: {matchLabels: {app: cart, 'k8s:io.kubernetes.pod.namespace': shop}}, "
            "ingress: [{fromEndpoints: [{matchLabels: {app: frontend}}], toPorts: [{ports: [{port: '8080'}]}]}]}"
        )
    )
    answer = ask(own, LOADGEN, CART, tcp(8080))
    assert answer.patch.policy == "CiliumClusterwideNetworkPolicy//wide"
    assert "k8s:io.kubernetes.pod.namespace: shop" in answer.patch.diff


def test_what_else_opens_is_listed_by_identity_and_counted_in_pods() -> None:
    twins = [pod("shop/loadgen", canary="yes", pod_template_hash="1"), LOADGEN, pod("shop/loadgen", canary="yes")]
    answer = ask(recorded("02-ingress-default-deny"), LOADGEN, CART, tcp(8080), pods=(*PODS, *twins))
    (flow,) = answer.patch.also_opens
    assert (flow.source.partition(" ")[0], flow.port, flow.count) == ("shop/app=loadgen", "8080/TCP", 2)


def test_a_policy_for_several_ports_is_not_widened_by_a_peer_that_asked_for_one() -> None:
    two = documents(
        cnp(
            "{endpointSelector: {matchLabels: {app: cart}}, ingress: [{fromEndpoints: [{matchLabels: {app: frontend}}],"
            " toPorts: [{ports: [{port: '8080', protocol: TCP}, {port: '9090', protocol: TCP}]}]}]}"
        )
    )
    answer = ask(two, LOADGEN, CART, tcp(8080))
    assert answer.patch.also_opens == ()
    assert not is_open(answer.sides(LOADGEN, CART, tcp(9090)))


def test_a_new_policy_isolates_nobody_who_was_not() -> None:
    canary = pod("shop/cart", version="v2", isolated="yes")
    only_canary = documents(
        cnp("{endpointSelector: {matchExpressions: [{key: isolated, operator: Exists}]}, ingressDeny: "
            "[{fromEntities: [world]}]}")
    )  # fmt: skip
    answer = ask(only_canary, LOADGEN, canary, tcp(8080), pods=(*PODS, canary))
    assert is_open(answer.sides(LOADGEN, canary, tcp(8080)))
    assert is_open(answer.sides(FRONTEND, CART, tcp(9999)))


def test_unread_identities_are_said_and_the_patch_names_all_lasting_labels() -> None:
    redis = documents(np("{podSelector: {}, policyTypes: [Ingress]}"))
    answer = ask(redis, LOADGEN, REDIS, tcp(6379), pods=None)
    assert not answer.patch.blast_radius_known
    assert answer.patch.blast_radius_gap == "the identities in use were not read"
    assert yaml.safe_load(answer.patch.manifest)["spec"]["podSelector"]["matchLabels"] == {"app": "redis", "tier": "db"}
    assert "pod-template-hash" not in answer.patch.manifest


def test_what_policy_does_not_block_gets_no_patch() -> None:
    answer = ask(recorded("02-ingress-default-deny"), FRONTEND, CART, tcp(8080))
    assert (answer.proposal.patches, answer.proposal.declined) == ((), ("policy does not block the flow",))


def test_what_cannot_be_judged_gets_no_patch() -> None:
    torn = documents(
        cnp("{endpointSelector: {}, egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: "
            "{http: [{path: /}]}}]}, {toPorts: [{ports: [{port: '80', protocol: TCP}], rules: "
            "{kafka: [{topic: a}]}}]}]}")
    )  # fmt: skip
    answer = ask(torn, LOADGEN, CART, tcp(9000))
    assert answer.proposal.patches == ()
    assert "contradict" in answer.proposal.declined[0] or answer.proposal.declined


def test_requirements_that_narrow_every_rule_are_named() -> None:
    narrowed = documents(cnp("{endpointSelector: {}, ingress: [{fromRequires: [{matchLabels: {team: a}}]}]}"))
    answer = ask(narrowed, LOADGEN, CART, tcp(8080), config=PolicyConfig(version=Version(1, 18)))
    assert answer.proposal.patches == ()
    assert "fromRequires" in answer.proposal.declined[0]


def test_the_command_carries_the_json_patch_whole_and_the_json_patch_makes_the_manifest() -> None:
    manifests = recorded("02-ingress-default-deny")
    answer = ask(manifests, LOADGEN, CART, tcp(8080))
    words = shlex.split(answer.patch.command)
    assert words[:7] == ["kubectl", "-n", "shop", "patch", "cnp", "cart-allow-frontend", "--type=json"]
    operations = json.loads(words[-1])
    assert [operation["op"] for operation in operations] == ["test", "add"]
    assert json.loads(answer.patch.json_patch) == operations
    assert applied(manifests[0], operations)["spec"] == yaml.safe_load(answer.patch.manifest)["spec"]


def test_what_the_api_server_adds_is_not_shown() -> None:
    live = recorded("02-ingress-default-deny")[0]
    live["status"] = {"conditions": [{"type": "Valid"}]}
    live["metadata"] |= {"uid": "1", "resourceVersion": "7", "managedFields": [{}], "generation": 2}
    live["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "owner": "cart"}
    shown = yaml.safe_load(ask([live], LOADGEN, CART, tcp(8080)).patch.manifest)
    assert list(shown) == ["apiVersion", "kind", "metadata", "spec"]
    assert shown["metadata"] == {
        "name": "cart-allow-frontend",
        "namespace": "shop",
        "annotations": {"owner": "cart"},
    }


def test_two_edits_of_one_object_are_one_patch() -> None:
    both = documents(
        cnp(
            "{endpointSelector: {matchLabels: {team: a}}, "
            "ingress: [{fromEndpoints: [{matchLabels: {app: x}}]}], egress: [{toEndpoints: [{matchLabels: {app: x}}]}]}"
        )
    )
    one, other = pod("shop/one", team="a"), pod("shop/two", team="a")
    answer = ask(both, one, other, udp(53), pods=(*PODS, one, other))
    assert is_open(answer.sides(one, other, udp(53)))
    assert len({patch.policy for patch in answer.proposal.patches}) == len(answer.proposal.patches)


NAMELESS = Party(
    kind=PartyKind.OUTSIDE,
    labels=LabelSet.reserved("world"),
    name="api.other.example",
    managed=False,
    fqdn_names=(),
    missing=frozenset({MissingFact.ADDRESS, MissingFact.CIDR_GROUPS}),
)


def test_a_name_whose_address_nobody_knows_yet_is_allowed_by_name() -> None:
    answer = ask(recorded("11-tofqdns-dns-denied"), CHECKOUT, NAMELESS, tcp(443), dns=OTHER)
    assert "matchName: api.other.example" in answer.patch.diff
    assert is_open(answer.sides(CHECKOUT, NAMELESS, tcp(443), ("api.other.example",)))


def test_an_open_address_whose_name_cannot_be_looked_up_gets_a_dns_rule() -> None:
    by_address = documents(
        cnp("{endpointSelector: {}, egress: [{toCIDR: [198.18.0.0/16]}]}", name="out", namespace="payments")
    )
    answer = ask(by_address, CHECKOUT, "198.18.10.40", tcp(443), dns=OTHER)
    assert not answer.old.decide_dns(CHECKOUT, DNS, OTHER.name).passes
    assert answer.again().decide_dns(CHECKOUT, DNS, OTHER.name).passes


def test_names_learnt_by_chance_are_no_base_for_a_rule() -> None:
    isolated = documents(cnp("{endpointSelector: {}, egress: [{}]}", namespace="payments"))
    answer = ask(isolated, CHECKOUT, "198.18.10.40", tcp(443), names=("api.other.example",))
    assert "198.18.10.40/32" in answer.patch.diff
    assert "toFQDNs" not in answer.patch.diff


def test_rules_that_fit_others_whose_own_side_blocks_are_mentioned() -> None:
    twin = pod("shop/loadgen", canary="yes", locked="yes")
    locked = documents(
        cnp("{endpointSelector: {matchLabels: {locked: 'yes'}}, egress: [{}]}", name="locked")
    ) + recorded("02-ingress-default-deny")
    answer = ask(locked, LOADGEN, CART, tcp(8080), pods=(*PODS, twin))
    assert answer.patch.also_opens == ()
    assert any("1 pair of identities that their other side still stops" in check for check in answer.patch.checks)


def test_the_proxy_lets_in_more_requests_than_asked_only_where_that_is_said() -> None:
    shared = documents(
        cnp(
            "{endpointSelector: {matchLabels: {app: catalog}}, ingress: [{"
            "fromEndpoints: [{matchLabels: {app: frontend}}], "
            "toPorts: [{ports: [{port: '8080', protocol: TCP}], rules: {http: [{method: GET, path: /api/.*}]}}]}]}"
        )
    )
    answer = ask(shared, LOADGEN, CATALOG, tcp(8080))
    assert is_open(answer.sides(LOADGEN, CATALOG, tcp(8080)))
    assert answer.patch.checks[0].endswith("is open for GET /api/.*")
