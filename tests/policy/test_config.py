"""Settings and versions: what cilium-config says, and what changed when."""

import pytest

from handlers.model.decision import Verdict
from handlers.model.labels import Label, LabelFilter, LabelFilterError, LabelSet, pod_identity_labels
from handlers.model.policy_kind import PolicyKind
from handlers.policy import VERSION_FACTS, ConfigError, Enforcement, PolicyConfig, Version, compile_policies
from tests.policy.worlds import (
    CART,
    FRONTEND,
    LEDGER,
    cnp,
    documents,
    into,
    np,
    out_of,
    pod,
    policies,
    surroundings,
    tcp,
)


def config(version: str, **options: str) -> PolicyConfig:
    return PolicyConfig.from_cilium_config({key.replace("_", "-"): value for key, value in options.items()}, version)


def test_an_empty_config_means_the_defaults_of_the_version() -> None:
    old, new = config("v1.18.4"), config("1.19.1")
    assert (old.default_local_cluster, new.default_local_cluster) == (False, True)
    assert new == PolicyConfig(version=Version(1, 19, 1), ipv6=True)


def test_every_option_is_read() -> None:
    read = config(
        "quay.io/cilium/cilium:v1.18.3@sha256:00",
        enable_policy="always",
        cluster_name="west",
        allow_localhost="policy",
        policy_audit_mode="true",
        policy_cidr_match_mode="nodes",
        enable_host_firewall="true",
        enable_node_selector_labels="true",
        enable_non_default_deny_policies="false",
        enable_ipv6="false",
        policy_default_local_cluster="true",
        enable_l7_proxy="false",
        enable_icmp_rules="false",
        enable_k8s_networkpolicy="false",
        labels="k8s:app !team",
    )
    assert read.version == Version(1, 18, 3)
    assert read.enforcement is Enforcement.ALWAYS
    assert (read.cluster_name, read.selector_cluster) == ("west", "west")
    assert (read.always_allow_localhost, read.audit_mode, read.cidr_matches_nodes) == (False, True, True)
    assert (read.host_firewall, read.node_selector_labels, read.non_default_deny) == (True, True, False)
    assert (read.dual_stack, read.l7_proxy, read.icmp_rules) == (False, False, False)
    assert read.kinds == {PolicyKind.CILIUM, PolicyKind.CILIUM_CLUSTERWIDE}
    assert read.label_filter.only_included


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("enable-policy", "sometimes"),
        ("allow-localhost", "no"),
        ("enable-ipv6", "maybe"),
        ("labels", "k8s:["),
    ],
)
def test_a_value_that_the_agent_would_not_take_is_named(option: str, value: str) -> None:
    with pytest.raises(ConfigError):
        PolicyConfig.from_cilium_config({option: value}, "1.19.0")


def test_a_version_must_be_one() -> None:
    with pytest.raises(ValueError, match="no Cilium version"):
        PolicyConfig.from_cilium_config({}, "latest")


def test_every_version_fact_says_since_when_and_where_it_is_written() -> None:
    assert len({fact.name for fact in VERSION_FACTS}) == len(VERSION_FACTS)
    assert all(fact.meaning and fact.source and (fact.since or fact.until) for fact in VERSION_FACTS)
    assert all(step >= Version(1, 16) for fact in VERSION_FACTS for step in (*fact.since, *fact.until))


REQUIRES = cnp("{endpointSelector: {}, ingress: [{fromEndpoints: [{}], fromRequires: [{matchLabels: {app: x}}]}]}")
SECTIONLESS = cnp("{endpointSelector: {}}")
BAD_DENY = cnp("{endpointSelector: {}, ingressDeny: [{fromEntities: [all], fromCIDR: [192.0.2.0/24]}]}")
SERVICE_AND_PORT = cnp(
    "{endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: ledger, namespace: payments}}], "
    "toPorts: [{ports: [{port: '443', protocol: TCP}]}]}]}"
)
GROUP_LABELS = cnp("{endpointSelector: {}, ingress: [{fromCIDRSet: [{cidrGroupSelector: {}}]}]}")
MESH = cnp("{endpointSelector: {}, ingress: [{fromEntities: [cluster-mesh]}]}")
WIDE_EXCEPTION = cnp("{endpointSelector: {}, ingress: [{fromCIDRSet: [{cidr: 10.1.0.0/16, except: [10.1.0.0/8]}]}]}")
TUNNEL = cnp("{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '0', protocol: GRE}]}]}]}")
VRRP = cnp("{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '0', protocol: VRRP}]}]}]}")
KAFKA_OVER_UDP = cnp(
    "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', protocol: UDP}], rules: {kafka: [{}]}}]}]}"
)
BARE = cnp("{endpointSelector: {}, ingress: [{fromCIDR: [192.0.2.1]}]}")


@pytest.mark.parametrize(
    ("text", "version", "valid"),
    [
        (REQUIRES, "1.18.0", True),
        (REQUIRES, "1.19.0", False),
        (REQUIRES, "1.19.0-dev", True),
        (SECTIONLESS, "1.16.9", True),
        (SECTIONLESS, "1.17.0", False),
        (BAD_DENY, "1.16.9", True),
        (BAD_DENY, "1.17.0", False),
        (SERVICE_AND_PORT, "1.16.0", False),
        (SERVICE_AND_PORT, "1.17.0", True),
        (GROUP_LABELS, "1.16.0", False),
        (GROUP_LABELS, "1.17.0", True),
        (BARE, "1.19.0", True),
        (BARE, "1.20.2", True),
        (MESH, "1.19.6", False),
        (MESH, "1.20.0", True),
        (WIDE_EXCEPTION, "1.19.6", True),
        (WIDE_EXCEPTION, "1.20.0", False),
        (TUNNEL, "1.19.6", False),
        (TUNNEL, "1.20.0", True),
        (VRRP, "1.18.11", False),
        (VRRP, "1.19.0", True),
        (KAFKA_OVER_UDP, "1.19.6", False),
        (KAFKA_OVER_UDP, "1.20.0", True),
    ],
)
def test_validity_by_version(text: str, version: str, valid: bool) -> None:
    compiled = compile_policies(documents(text), config=config(version), surroundings=surroundings())
    assert [status.valid for status in compiled.statuses] == [valid]


@pytest.mark.parametrize(("version", "verdict"), [("1.18.0", Verdict.ALLOWED), ("1.19.0", Verdict.DENIED)])
def test_peers_of_other_clusters_by_version(version: str, verdict: Verdict) -> None:
    text = cnp("{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {app: frontend}}]}]}")
    far = pod("shop/frontend", cluster="west")
    assert into(CART, far, tcp(80), text, config=config(version)).verdict is verdict


@pytest.mark.parametrize(("version", "redirect"), [("1.16.0", None), ("1.17.0", "http")])
def test_redirects_beat_more_specific_peers_since_1_17(version: str, redirect: str | None) -> None:
    http = "{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /a}]}}]}"
    wide = "{fromEndpoints: [{}], toPorts: [{ports: [{port: '1', endPort: 1023, protocol: TCP}]}]}"
    text = cnp(f"{{endpointSelector: {{}}, ingress: [{http}, {wide}]}}")
    assert into(CART, FRONTEND, tcp(80), text, config=config(version)).redirect == redirect


@pytest.mark.parametrize(("version", "opens"), [("1.17.3", False), ("1.17.4", True), ("1.18.0", True)])
def test_dns_rules_without_default_deny_by_version(version: str, opens: bool) -> None:
    text = cnp(
        "{endpointSelector: {}, enableDefaultDeny: {egress: false}, egress: "
        "[{toPorts: [{ports: [{port: '53', protocol: UDP}], rules: {dns: [{matchName: a.test}]}}]}]}"
    )
    loaded = policies(text, config=config(version))
    decision = loaded.decide_dns(CART, LEDGER, "b.test")
    assert (decision.verdict is Verdict.ALLOWED) is opens


def test_a_kind_that_is_switched_off_is_ignored() -> None:
    loaded = policies(np("{podSelector: {}}"), config=config("1.19.0", enable_k8s_networkpolicy="false"))
    assert [(status.valid, status.enforced) for status in loaded.statuses] == [(True, False)]
    assert into(CART, FRONTEND, tcp(80), np("{podSelector: {}}")).verdict is Verdict.DENIED


def test_groups_are_left_to_the_operator() -> None:
    text = cnp("{endpointSelector: {}, egress: [{toGroups: [{aws: {region: x}}]}]}")
    status = policies(text).statuses[0]
    assert (status.valid, status.ignored) == (True, "requires derivative (toGroups)")
    assert out_of(CART, LEDGER, tcp(80), text).verdict is Verdict.ALLOWED


def identity(**labels: str) -> LabelSet:
    return pod_identity_labels(
        pod_labels={key.replace("__", "/").replace("_", "-"): value for key, value in labels.items()},
        namespace="shop",
        namespace_labels={"env": "prod"},
        service_account="cart",
        cluster="east",
    )


def test_identity_labels_of_a_pod() -> None:
    labels = identity(app="cart", pod_template_hash="1", app_kubernetes="x", io_cilium="y")
    assert labels.strings() == (
        "k8s:app=cart",
        "k8s:app-kubernetes=x",
        "k8s:io-cilium=y",
        "k8s:io.cilium.k8s.namespace.labels.env=prod",
        "k8s:io.cilium.k8s.policy.cluster=east",
        "k8s:io.cilium.k8s.policy.serviceaccount=cart",
        "k8s:io.kubernetes.pod.namespace=shop",
    )


@pytest.mark.parametrize(
    ("option", "key", "kept"),
    [
        ("", "app", True),
        ("", "topology.kubernetes.io/zone", False),
        ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone", True),
        ("", "kubernetes.io/os", False),
        ("", "app.kubernetes.io/name", True),
        ("", "statefulset.kubernetes.io/pod-name", False),
        ("", "x.beta.kubernetes.io/y", False),
        ("app", "app", True),
        ("app", "tier", False),
        ("!tier", "tier", False),
        ("!tier", "app", True),
        ("kubernetes.io/os", "kubernetes.io/os", True),
    ],
)
def test_the_label_filter(option: str, key: str, kept: bool) -> None:
    assert LabelFilter.from_option(option).keeps(Label(key, "k8s", "v")) is kept


def test_a_label_pattern_must_compile() -> None:
    with pytest.raises(LabelFilterError):
        LabelFilter.from_option("(")


@pytest.mark.parametrize("text", ["k8s:app=web", "reserved:host", "cidr:10.0.0.0/8", "unspec:x=y=z"])
def test_labels_read_back_as_written(text: str) -> None:
    assert str(Label.parse(text)) == text
