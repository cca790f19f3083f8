"""Truth table of the lints: a policy, and the codes that it earns; each with a flow that shows it."""

import pytest

import handlers.lints
from handlers.catalogue import declared
from handlers.lints import LINTS, LintContext, lint
from handlers.model.finding import Code, Finding, Outcome
from handlers.model.traffic import Protocol, Traffic
from handlers.reach.cluster import Cluster, ExposedPort, ExposedService
from handlers.reach.observed import ObservedFlow
from handlers.reach.state import State
from tests.matrix.clusters import cluster
from tests.policy.worlds import ccnp, cnp, np

CART = "endpointSelector: {matchLabels: {app: cart}}"
FRONTEND = "fromEndpoints: [{matchLabels: {app: frontend}}]"
DNS_RULE = "{toPorts: [{ports: [{port: '53', protocol: ANY}], rules: {dns: [{matchPattern: '*'}]}}]}"
SOUND = cnp(f"{{{CART}, ingress: [{{{FRONTEND}, toPorts: [{{ports: [{{port: '8080', protocol: TCP}}]}}]}}]}}")


def found(of: Cluster, flows: tuple[ObservedFlow, ...] | None = None) -> tuple[Finding, ...]:
    return lint(LintContext(State.of(of), flows))


def codes(of: Cluster, flows: tuple[ObservedFlow, ...] | None = None) -> set[str]:
    return {one.code for one in found(of, flows)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (cnp(f"{{{CART}, ingress: []}}"), "LINT_INVALID_POLICY"),
        (
            cnp("{endpointSelector: {matchLabels: {app: nobody}}, ingress: [{fromEntities: [all]}]}"),
            "LINT_SELECTS_NOBODY",
        ),
        (ccnp("{nodeSelector: {}, ingress: [{fromEntities: [cluster]}]}"), "LINT_SELECTS_NOBODY"),
        (
            cnp(f"{{{CART}, ingress: [{{fromEndpoints: [{{matchLabels: {{app: ledger}}}}]}}]}}"),
            "LINT_PEER_SELECTS_NOBODY",
        ),
        (
            cnp(f"{{{CART}, ingress: [{{fromEndpoints: [{{matchLabels: {{pod-template-hash: x}}}}]}}]}}"),
            "LINT_LABEL_NOT_IN_IDENTITY",
        ),
        (
            cnp(
                f"{{{CART}, egress: [{{toServices: [{{k8sService: {{serviceName: gone, namespace: shop}}}}], "
                "toPorts: [{ports: [{port: '443', protocol: TCP}]}]}]}"
            ),
            "LINT_SERVICE_MATCHES_NOTHING",
        ),
        (cnp(f"{{{CART}, ingress: [{{fromCIDR: [10.244.0.0/16]}}]}}"), "LINT_CIDR_OF_PODS"),
        (np("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.244.0.0/16}}]}]}"), "LINT_CIDR_OF_PODS"),
        (cnp(f"{{{CART}, egress: [{{toFQDNs: [{{matchName: api.example.com}}]}}]}}"), "LINT_FQDN_WITHOUT_DNS_RULE"),
        (
            cnp(f"{{{CART}, ingress: [{{{FRONTEND}, toPorts: [{{ports: [{{port: nope, protocol: TCP}}]}}]}}]}}"),
            "LINT_PORT_NAME_UNKNOWN",
        ),
        (
            cnp(
                f"{{{CART}, egress: [{{toEndpoints: [{{}}], toPorts: [{{ports: [{{port: twice, protocol: TCP}}]}}]}}]}}"
            ),
            "LINT_PORT_NAME_AMBIGUOUS",
        ),
        (
            cnp(f"{{{CART}, ingress: [{{{FRONTEND}, icmps: [{{fields: [{{type: EchoReply}}]}}]}}]}}"),
            "LINT_ICMP_TYPE_ZERO",
        ),
        (cnp(f"{{{CART}, ingress: [{{}}]}}"), "LINT_EMPTY_RULE"),
        (cnp(f"{{{CART}, ingress: [{{fromEndpoints: []}}]}}"), "LINT_EMPTY_LIST"),
        (cnp(f"{{{CART}, ingress: [], egress: [{{toEntities: [all]}}]}}"), "LINT_EMPTY_LIST"),
        (SOUND + SOUND.replace("name: rule", "name: twin"), "LINT_SHADOWED_POLICY"),
        (
            SOUND + np("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", name="wide"),
            "LINT_SHADOWED_POLICY",
        ),
        (
            cnp(
                f"{{{CART}, ingress: [{{{FRONTEND}, toPorts: [{{ports: [{{port: '80', protocol: TCP}}], "
                "rules: {http: [{path: /}]}}]}, "
                f"{{{FRONTEND}, toPorts: [{{ports: [{{port: '80', protocol: TCP}}], "
                "rules: {kafka: [{topic: t}]}}]}]}"
            ),
            "LINT_CONFLICTING_RULES",
        ),
    ],
)
def test_each_trap_is_found(text: str, code: str) -> None:
    of_code = [one for one in found(cluster(text)) if one.code == code]
    assert of_code
    for one in of_code:
        assert one.evidence[0].excerpt
        assert "->" in one.evidence[0].excerpt
        assert one.evidence[0].excerpt in one.text
        assert "?" not in one.text


@pytest.mark.parametrize(
    "text",
    [
        SOUND,
        np("{podSelector: {}, policyTypes: [Ingress]}"),
        cnp(f"{{{CART}, ingress: [{{fromCIDRSet: [{{cidr: 10.244.0.0/16, except: [10.244.0.0/24]}}]}}]}}"),
        cnp(f"{{{CART}, egress: [{{toCIDR: [0.0.0.0/0]}}]}}"),
        np("{podSelector: {matchLabels: {app: cart}}, ingress: [{}]}"),
        cnp(f"{{{CART}, egress: [{DNS_RULE}, {{toFQDNs: [{{matchName: api.example.com}}]}}]}}"),
        cnp(f"{{{CART}, ingress: [{{{FRONTEND}, toPorts: [{{ports: [{{port: http, protocol: TCP}}]}}]}}]}}"),
        cnp(f"{{{CART}, egress: [{{toServices: [{{k8sService: {{serviceName: ledger, namespace: payments}}}}]}}]}}"),
        cnp(f"{{{CART}, ingress: [{{{FRONTEND}}}]}}", name="a")
        + cnp(f"{{{CART}, ingress: [{{fromEndpoints: [{{matchLabels: {{app: redis}}}}]}}]}}", name="b"),
        cnp(f"{{{CART}, ingress: [{{fromCIDR: [10.0.0.0/8]}}]}}", name="a")
        + cnp(f"{{{CART}, ingress: [{{fromCIDR: [10.1.0.0/16]}}]}}", name="b").replace("10.1", "172.16"),
    ],
)
def test_sound_policies_earn_nothing(text: str) -> None:
    assert codes(cluster(text)) == set()


def test_a_service_that_matches_nothing_opens_to_everybody_and_the_witness_shows_it() -> None:
    text = cnp(
        f"{{{CART}, egress: [{{toServices: [{{k8sService: {{serviceName: gone, namespace: shop}}}}], "
        "toPorts: [{ports: [{port: '443', protocol: TCP}]}]}]}"
    )
    one = next(one for one in found(cluster(text)) if one.code == "LINT_SERVICE_MATCHES_NOTHING")
    assert "opens its ports to everybody" in one.text
    assert one.evidence[0].excerpt.endswith("443/TCP is allowed")


def test_a_service_port_is_told_from_the_target() -> None:
    exposed = (ExposedService("shop", "cart", {"app": "cart"}, (ExposedPort(80, "TCP", frozenset({8080})),)),)
    wrong = cnp(f"{{{CART}, ingress: [{{{FRONTEND}, toPorts: [{{ports: [{{port: '80', protocol: TCP}}]}}]}}]}}")
    for text, expected in ((wrong, {"LINT_SERVICE_PORT"}), (SOUND, set())):
        of = cluster(text)
        of = Cluster(of.manifests, of.config, of.surroundings, of.pods, services=exposed)
        assert codes(of) == expected


def test_a_rule_without_flows_is_a_note_and_no_problem() -> None:
    used = ObservedFlow("shop/frontend", "shop/cart", Traffic(Protocol.TCP, 8080), 3, passed=True)
    other = ObservedFlow("shop/redis", "shop/cart", Traffic(Protocol.TCP, 8080), 1, passed=False)
    assert codes(cluster(SOUND), (used,)) == set()
    notes = found(cluster(SOUND), (other,))
    assert [(one.code, one.outcome) for one in notes] == [("LINT_UNUSED_RULE", Outcome.FINE)]
    assert codes(cluster(SOUND), ()) == set()


def test_deny_all_is_a_note_and_beside_another_rule_a_problem() -> None:
    alone = found(cluster(cnp(f"{{{CART}, ingress: [{{}}]}}")))
    beside = found(cluster(cnp(f"{{{CART}, ingress: [{{}}, {{{FRONTEND}}}]}}")))
    assert [one.outcome for one in alone] == [Outcome.FINE]
    assert [(one.code, one.outcome) for one in beside] == [("LINT_EMPTY_RULE", Outcome.PROBLEM)]


def test_every_lint_has_declared_codes() -> None:
    assert len(declared(handlers.lints, Code)) == len(LINTS)
