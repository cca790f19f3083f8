"""Why a flow is denied: the clause that failed, as a value, and where it stands in the manifest."""

import pytest

from handlers.model.decision import (
    CidrExcepts,
    CidrGroupMisses,
    CidrMisses,
    CidrSparesCluster,
    Clause,
    EntityDiffers,
    FqdnNotLearnt,
    FqdnNotListed,
    FqdnSparesCluster,
    HttpDiffers,
    IcmpNeedsRule,
    NamedPortFault,
    NamedPortUnresolved,
    NobodySelected,
    NoPortListed,
    NothingAllowed,
    PeerIsNoPod,
    PeerLabelDiffers,
    PortDiffers,
    ProtocolDiffers,
    Reason,
    ServiceMisses,
    Verdict,
)
from handlers.model.labels import Label
from handlers.model.party import Party
from handlers.model.rule import Implied, Operator, Origin, PolicyRef
from handlers.model.traffic import Traffic
from tests.policy.worlds import (
    CART,
    FRONTEND,
    LEDGER,
    PROMETHEUS,
    address,
    ccnp,
    cnp,
    into,
    np,
    out_of,
    ping,
    pod,
    policies,
    request,
    tcp,
    udp,
)

RULE = PolicyRef("CiliumNetworkPolicy", "shop", "rule")
NP = PolicyRef("NetworkPolicy", "shop", "np")
LOADGEN = pod("shop/loadgen", pod_template_hash="77")


def at(pointer: str, policy: PolicyRef = RULE) -> Origin:
    return Origin(policy, pointer)


def spec(ingress: str) -> str:
    return cnp(f"{{endpointSelector: {{matchLabels: {{app: cart}}}}, ingress: {ingress}}}")


def egress(rules: str) -> str:
    return cnp(f"{{endpointSelector: {{matchLabels: {{app: cart}}}}, egress: {rules}}}")


FROM_FRONTEND = "fromEndpoints: [{matchLabels: {app: frontend}}]"
FROM = "/spec/ingress/0/fromEndpoints/0"
PORTS = "/spec/ingress/0/toPorts/0"
LABEL = f"{FROM}/matchLabels"

INGRESS: dict[str, tuple[str, Party, Traffic, Clause]] = {
    "another value of the label": (
        spec(f"[{{{FROM_FRONTEND}}}]"),
        LOADGEN,
        tcp(8080),
        PeerLabelDiffers(at(f"{LABEL}/app"), "app", Operator.EQUALS, ("frontend",), Label("app", "k8s", "loadgen")),
    ),
    "no such label": (
        spec("[{fromEndpoints: [{matchLabels: {tier: web}}]}]"),
        FRONTEND,
        tcp(8080),
        PeerLabelDiffers(at(f"{LABEL}/tier"), "tier", Operator.EQUALS, ("web",), None),
    ),
    "an expression": (
        spec("[{fromEndpoints: [{matchExpressions: [{key: app, operator: NotIn, values: [frontend]}]}]}]"),
        FRONTEND,
        tcp(8080),
        PeerLabelDiffers(
            at(f"{FROM}/matchExpressions/0"),
            "app",
            Operator.NOT_IN,
            ("frontend",),
            Label("app", "k8s", "frontend"),
        ),
    ),
    "no namespace written means the policy's own": (
        spec("[{fromEndpoints: [{matchLabels: {app: ledger}}]}]"),
        LEDGER,
        tcp(8080),
        PeerLabelDiffers(
            at(FROM),
            "io.kubernetes.pod.namespace",
            Operator.EQUALS,
            ("shop",),
            Label("io.kubernetes.pod.namespace", "k8s", "payments"),
            Implied.POLICY_NAMESPACE,
        ),
    ),
    "no cluster written means this one": (
        spec(f"[{{{FROM_FRONTEND}}}]"),
        pod("shop/frontend", cluster="west"),
        tcp(8080),
        PeerLabelDiffers(
            at(FROM),
            "io.cilium.k8s.policy.cluster",
            Operator.EQUALS,
            ("default",),
            Label("io.cilium.k8s.policy.cluster", "k8s", "west"),
            Implied.LOCAL_CLUSTER,
        ),
    ),
    "a label that the namespace does not have": (
        spec("[{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.env: prod}}]}]"),
        PROMETHEUS,
        tcp(8080),
        PeerLabelDiffers(
            at(f"{LABEL}/io.cilium.k8s.namespace.labels.env"),
            "io.cilium.k8s.namespace.labels.env",
            Operator.EQUALS,
            ("prod",),
            None,
        ),
    ),
    "a label that Cilium keeps out of identities": (
        spec('[{fromEndpoints: [{matchLabels: {pod-template-hash: "77"}}]}]'),
        LOADGEN,
        tcp(8080),
        PeerLabelDiffers(
            at(f"{LABEL}/pod-template-hash"),
            "pod-template-hash",
            Operator.EQUALS,
            ("77",),
            None,
            dropped="77",
            filtered=True,
        ),
    ),
    "the Service's port instead of the pod's": (
        spec(f"[{{{FROM_FRONTEND}, toPorts: [{{ports: [{{port: '80', protocol: TCP}}]}}]}}]"),
        FRONTEND,
        tcp(8080),
        PortDiffers(at(f"{PORTS}/ports/0"), ("80/TCP",), "8080/TCP"),
    ),
    "another protocol": (
        spec(f"[{{{FROM_FRONTEND}, toPorts: [{{ports: [{{port: '53', protocol: UDP}}]}}]}}]"),
        FRONTEND,
        tcp(53),
        ProtocolDiffers(at(f"{PORTS}/ports/0"), ("53/UDP",), "53/TCP"),
    ),
    "ping beside port rules": (
        spec(f"[{{{FROM_FRONTEND}, toPorts: [{{ports: [{{port: '80', protocol: TCP}}]}}]}}]"),
        FRONTEND,
        ping(),
        IcmpNeedsRule(at(f"{PORTS}/ports/0"), ("80/TCP",), "ICMP type 8"),
    ),
    "another ICMP type": (
        spec(f"[{{{FROM_FRONTEND}, icmps: [{{fields: [{{type: 3}}]}}]}}]"),
        FRONTEND,
        ping(),
        PortDiffers(at("/spec/ingress/0/icmps/0/fields/0"), ("ICMP type 3",), "ICMP type 8"),
    ),
    "a port name that the pod does not have": (
        spec(f"[{{{FROM_FRONTEND}, toPorts: [{{ports: [{{port: grpc, protocol: TCP}}]}}]}}]"),
        FRONTEND,
        tcp(9000),
        NamedPortUnresolved(at(f"{PORTS}/ports/0"), "grpc", NamedPortFault.UNKNOWN),
    ),
    "a port name of another protocol": (
        spec(f"[{{{FROM_FRONTEND}, toPorts: [{{ports: [{{port: dns, protocol: TCP}}]}}]}}]"),
        FRONTEND,
        tcp(53),
        NamedPortUnresolved(at(f"{PORTS}/ports/0"), "dns", NamedPortFault.OTHER_PROTOCOL),
    ),
    "an empty port list": (
        spec(f"[{{{FROM_FRONTEND}, toPorts: [{{ports: []}}]}}]"),
        FRONTEND,
        tcp(8080),
        NoPortListed(at("/spec/ingress/0/toPorts")),
    ),
    "an empty rule": (spec("[{}]"), FRONTEND, tcp(8080), NobodySelected(at("/spec/ingress/0"), "")),
    "an empty peer list": (
        spec("[{fromEndpoints: []}]"),
        FRONTEND,
        tcp(8080),
        NobodySelected(at("/spec/ingress/0"), "from"),
    ),
    "another entity": (
        spec("[{fromEntities: [host]}]"),
        FRONTEND,
        tcp(8080),
        EntityDiffers(at("/spec/ingress/0/fromEntities/0"), "host", ("cluster",)),
    ),
    "a NetworkPolicy that isolates": (
        np("{podSelector: {}, policyTypes: [Ingress]}"),
        FRONTEND,
        tcp(8080),
        NobodySelected(at("/spec/policyTypes", NP), "from"),
    ),
    "a deny policy that isolates": (
        cnp("{endpointSelector: {}, ingressDeny: [{fromEndpoints: [{matchLabels: {app: evil}}]}]}"),
        FRONTEND,
        tcp(8080),
        NothingAllowed(at("/spec/ingressDeny/0")),
    ),
}


@pytest.mark.parametrize("words", INGRESS)
def test_the_clause_that_kept_a_peer_out(words: str) -> None:
    text, peer, traffic, clause = INGRESS[words]
    decision = into(CART, peer, traffic, text)
    assert (decision.verdict, decision.reason) == (Verdict.DENIED, Reason.DEFAULT_DENY)
    assert decision.nearest_miss is not None
    assert decision.nearest_miss.clauses == (clause,)


def test_a_pod_selector_does_not_mean_a_node() -> None:
    text = spec("[{fromEndpoints: [{matchLabels: {app: frontend}}]}]")
    decision = into(CART, address(text, "10.0.0.2"), tcp(8080), text)
    assert decision.nearest_miss is not None
    entities = ("kube-apiserver", "remote-node", "cluster")
    assert decision.nearest_miss.clauses == (PeerIsNoPod(at(FROM), "app=frontend", entities),)


TO = "/spec/egress/0"

EGRESS: dict[str, tuple[str, str, Clause]] = {
    "outside the prefix": (
        egress("[{toCIDR: [192.0.2.0/24]}]"),
        "198.51.100.9",
        CidrMisses(at(f"{TO}/toCIDR/0"), "192.0.2.0/24", "198.51.100.9"),
    ),
    "carved out": (
        egress("[{toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.128/25]}]}]"),
        "192.0.2.200",
        CidrExcepts(at(f"{TO}/toCIDRSet/0/except/0"), "192.0.2.0/24", "192.0.2.128/25", "192.0.2.200"),
    ),
    "a node in the prefix": (
        egress("[{toCIDR: [10.0.0.0/8]}]"),
        "10.0.0.2",
        CidrSparesCluster(at(f"{TO}/toCIDR/0"), "10.0.0.0/8", "10.0.0.2", ("kube-apiserver", "remote-node", "cluster")),
    ),
    "not in the CIDR group": (
        egress("[{toCIDRSet: [{cidrGroupRef: office}]}]"),
        "192.0.2.1",
        CidrGroupMisses(at(f"{TO}/toCIDRSet/0"), "CIDR group office", "192.0.2.1"),
    ),
    "another DNS name": (
        egress("[{toFQDNs: [{matchName: api.example.com}]}]"),
        "203.0.113.6",
        FqdnNotListed(at(f"{TO}/toFQDNs/0"), "api.example.com", ("other.example.com",)),
    ),
    "an address that no DNS answer gave": (
        egress("[{toFQDNs: [{matchName: api.example.com}]}]"),
        "203.0.113.77",
        FqdnNotLearnt(at(f"{TO}/toFQDNs/0"), "api.example.com", "203.0.113.77", ("203.0.113.5",)),
    ),
    "a DNS rule and a node": (
        egress("[{toFQDNs: [{matchName: api.example.com}]}]"),
        "10.0.0.2",
        FqdnSparesCluster(at(f"{TO}/toFQDNs/0"), "api.example.com"),
    ),
    "another Service": (
        egress("[{toServices: [{k8sService: {serviceName: ledger, namespace: payments}}]}]"),
        "203.0.113.9",
        ServiceMisses(at(f"{TO}/toServices/0"), "payments/ledger", found=True),
    ),
    "a Service that does not exist": (
        egress("[{toServices: [{k8sService: {serviceName: gone, namespace: payments}}]}]"),
        "203.0.113.9",
        ServiceMisses(at(f"{TO}/toServices"), "payments/gone", found=False),
    ),
}


@pytest.mark.parametrize("words", EGRESS)
def test_the_clause_that_kept_an_address_closed(words: str) -> None:
    text, ip, clause = EGRESS[words]
    decision = out_of(CART, address(text, ip), tcp(443), text)
    assert decision.verdict is Verdict.DENIED
    assert decision.nearest_miss is not None
    assert decision.nearest_miss.clauses == (clause,)


def test_a_cidr_does_not_mean_a_pod() -> None:
    decision = out_of(CART, LEDGER, tcp(443), egress("[{toCIDR: [10.244.0.0/16]}]"))
    assert decision.nearest_miss is not None
    assert decision.nearest_miss.clauses == (
        CidrSparesCluster(at(f"{TO}/toCIDR/0"), "10.244.0.0/16", LEDGER.ips[0], ("cluster",)),
    )


def test_an_ambiguous_port_name_opens_nothing() -> None:
    decision = out_of(CART, LEDGER, tcp(1), egress("[{toPorts: [{ports: [{port: twice, protocol: TCP}]}]}]"))
    assert decision.nearest_miss is not None
    assert decision.nearest_miss.clause == NamedPortUnresolved(
        at(f"{TO}/toPorts/0/ports/0"), "twice", NamedPortFault.AMBIGUOUS
    )


def test_the_rule_with_the_fewest_failing_clauses_is_the_nearest() -> None:
    far = "{fromEndpoints: [{matchLabels: {app: x, tier: y}}], toPorts: [{ports: [{port: '1', protocol: TCP}]}]}"
    near = f"{{{FROM_FRONTEND}, toPorts: [{{ports: [{{port: '80', protocol: TCP}}]}}]}}"
    decision = into(CART, FRONTEND, tcp(8080), spec(f"[{far}, {near}]"))
    assert decision.nearest_miss is not None
    assert decision.nearest_miss.rule == at("/spec/ingress/1")
    assert [len(effect.failed) for effect in decision.effects] == [3, 1]


def test_every_policy_that_isolates_is_named() -> None:
    text = spec(f"[{{{FROM_FRONTEND}}}]") + np("{podSelector: {}, policyTypes: [Ingress]}")
    text += ccnp("{endpointSelector: {}, ingress: [{fromEntities: [health]}], enableDefaultDeny: {ingress: false}}")
    decision = into(CART, LOADGEN, tcp(8080), text)
    assert decision.default_deny_by == (at("/spec/ingress/0"), at("/spec/policyTypes", NP))
    assert [str(policy) for policy in decision.selected_by] == [
        "CiliumClusterwideNetworkPolicy//wide",
        "CiliumNetworkPolicy/shop/rule",
        "NetworkPolicy/shop/np",
    ]


def test_an_explicit_deny_names_the_rule_and_what_it_overrules() -> None:
    text = spec(f"[{{{FROM_FRONTEND}}}]") + cnp(
        "{endpointSelector: {}, ingressDeny: [{fromEndpoints: [{matchLabels: {app: frontend}}]}]}", name="forbid"
    )
    decision = into(CART, FRONTEND, tcp(8080), text)
    assert (decision.verdict, decision.reason) == (Verdict.DENIED, Reason.EXPLICIT_DENY)
    assert decision.rules == (Origin(PolicyRef("CiliumNetworkPolicy", "shop", "forbid"), "/spec/ingressDeny/0"),)
    assert decision.also_rules == (at("/spec/ingress/0"),)
    assert decision.nearest_miss is None


def test_an_allowed_side_names_the_rule_of_specs() -> None:
    text = (
        "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: rule, namespace: shop}, specs: ["
        "{endpointSelector: {}, ingress: [{}]}, {endpointSelector: {}, ingress: [{}, {fromEndpoints: [{}]}]}]}"
    )
    decision = into(CART, FRONTEND, tcp(8080), text)
    assert decision.verdict is Verdict.ALLOWED
    assert decision.rules == (at("/specs/1/ingress/1"),)


HTTP = "toPorts: [{ports: [{port: '8080', protocol: TCP}], rules: {http: [{method: GET, path: '/api/.*'}]}}]"


@pytest.mark.parametrize(
    ("asked", "clause"),
    [
        (request("/api/x", "POST"), ("method", "GET", "POST")),
        (request("/private"), ("path", "/api/.*", "/private")),
    ],
)
def test_a_refused_request_names_the_field(asked: object, clause: tuple[str, str, str]) -> None:
    decision = into(CART, FRONTEND, tcp(8080, asked), spec(f"[{{{FROM_FRONTEND}, {HTTP}}}]"))  # type: ignore[arg-type]
    assert decision.verdict is Verdict.DENIED_L7
    field, wanted, had = clause
    pointer = f"{PORTS}/rules/http/0/{field}"
    assert decision.nearest_miss is not None
    assert decision.nearest_miss.clauses == (HttpDiffers(at(pointer), field, wanted, had),)


def test_without_a_request_the_allowed_ones_are_listed() -> None:
    decision = into(CART, FRONTEND, tcp(8080), spec(f"[{{{FROM_FRONTEND}, {HTTP}}}]"))
    assert (decision.verdict, decision.redirect, decision.l7_open) == (Verdict.ALLOWED, "http", False)
    assert [str(rule) for rule in decision.http_rules] == ["GET /api/.*"]


def test_a_dns_name_is_judged_after_the_packet() -> None:
    rule = "toPorts: [{ports: [{port: '53', protocol: ANY}], rules: {dns: [{matchPattern: '*.example.com'}]}}]"
    loaded = policies(egress(f"[{{toEndpoints: [{{}}], {rule}}}]"))
    dns = pod("shop/dns")
    assert loaded.decide_dns(CART, dns, "api.example.com").l7 is Verdict.ALLOWED
    refused = loaded.decide_dns(CART, dns, "evil.test")
    assert (refused.verdict, refused.l7) == (Verdict.DENIED_L7, Verdict.DENIED_L7)
    assert refused.nearest_miss is not None
    assert loaded.decide_dns(CART, LEDGER, "api.example.com").verdict is Verdict.DENIED


def test_what_each_policy_does_in_one_line() -> None:
    text = spec(f"[{{{FROM_FRONTEND}, {HTTP}}}]") + np("{podSelector: {}, policyTypes: [Ingress, Egress]}")
    assert [summary.text for summary in policies(text).selecting(CART)] == [
        "shop/rule allows ingress from app=frontend on 8080/TCP (GET /api/.*) and denies the rest",
        "shop/np denies all ingress",
        "shop/np denies all egress",
    ]


def test_udp_is_not_covered_by_a_tcp_rule() -> None:
    decision = into(CART, FRONTEND, udp(53), np("{podSelector: {}, ingress: [{ports: [{port: 53}]}]}"))
    assert decision.nearest_miss is not None
    assert decision.nearest_miss.clause == ProtocolDiffers(at("/spec/ingress/0/ports/0", NP), ("53/TCP",), "53/UDP")
