"""A fact that was not read makes the outcome unknown only where the outcome depends on it."""

import pytest

from handlers.model.decision import Verdict
from handlers.model.labels import LabelSet
from handlers.model.party import MissingFact, Party, PartyKind
from handlers.policy import PolicyConfig, Surroundings
from tests.policy.worlds import CART, FRONTEND, LEDGER, cnp, into, out_of, pod, policies, surroundings, tcp

EVERYWHERE = "{toEntities: [all]}"


def egress(rules: str) -> str:
    return cnp(f"{{endpointSelector: {{matchLabels: {{app: cart}}}}, egress: [{rules}]}}")


def outside(text: str, ip: str, around: Surroundings) -> Party:
    return policies(text, around=around).party_of_ip(ip)


TO_SERVICE = "{toServices: [{k8sService: {serviceName: ledger, namespace: payments}}]}"
TO_GROUP = "{toCIDRSet: [{cidrGroupRef: office}]}"
TO_NAME = "{toFQDNs: [{matchName: api.example.com}]}"
TO_API = "{toEntities: [kube-apiserver]}"


def test_services_matter_when_only_they_could_allow() -> None:
    around = surroundings(services=None)
    decision = out_of(CART, LEDGER, tcp(443), egress(TO_SERVICE), around=around)
    assert (decision.verdict, decision.missing) == (Verdict.UNKNOWN, (MissingFact.SERVICES,))


def test_services_do_not_matter_when_another_rule_allows() -> None:
    around = surroundings(services=None)
    decision = out_of(CART, LEDGER, tcp(443), egress(f"{TO_SERVICE}, {EVERYWHERE}"), around=around)
    assert (decision.verdict, decision.missing) == (Verdict.ALLOWED, ())


def test_services_do_not_matter_when_a_deny_decides() -> None:
    text = cnp(f"{{endpointSelector: {{}}, egress: [{TO_SERVICE}], egressDeny: [{{toEntities: [cluster]}}]}}")
    decision = out_of(CART, LEDGER, tcp(443), text, around=surroundings(services=None))
    assert (decision.verdict, decision.missing) == (Verdict.DENIED, ())


@pytest.mark.parametrize(
    ("rule", "unread", "fact"),
    [
        (TO_GROUP, "cidr_groups", MissingFact.CIDR_GROUPS),
        (TO_NAME, "fqdn_cache", MissingFact.DNS_NAMES),
        (TO_API, "kube_apiserver", MissingFact.KUBE_APISERVER),
    ],
)
def test_what_an_outside_address_is_may_depend_on_what_was_not_read(rule: str, unread: str, fact: MissingFact) -> None:
    around = surroundings(**{unread: None})
    text = egress(rule)
    decision = out_of(CART, outside(text, "192.0.2.1", around), tcp(443), text, around=around)
    assert (decision.verdict, decision.missing) == (Verdict.UNKNOWN, (fact,))
    inside = out_of(CART, FRONTEND, tcp(443), text, around=around)
    assert (inside.verdict, inside.missing) == (Verdict.DENIED, ())


def test_a_party_known_by_name_only_leaves_its_address_open() -> None:
    named = Party(
        PartyKind.OUTSIDE,
        LabelSet.reserved("world"),
        name="api.example.com",
        managed=False,
        fqdn_names=("api.example.com",),
        missing=frozenset({MissingFact.ADDRESS}),
    )
    assert out_of(CART, named, tcp(443), egress(TO_NAME)).verdict is Verdict.ALLOWED
    decision = out_of(CART, named, tcp(443), egress("{toCIDR: [192.0.2.0/24]}"))
    assert (decision.verdict, decision.missing) == (Verdict.UNKNOWN, (MissingFact.ADDRESS,))


def test_port_names_matter_only_for_rules_that_use_them() -> None:
    around = surroundings(named_ports=None)
    named = "{toPorts: [{ports: [{port: http, protocol: TCP}]}]}"
    decision = out_of(CART, LEDGER, tcp(8080), egress(named), around=around)
    assert (decision.verdict, decision.missing) == (Verdict.UNKNOWN, (MissingFact.NAMED_PORTS,))
    text = cnp(f"{{endpointSelector: {{}}, ingress: [{named}]}}")
    assert into(CART, FRONTEND, tcp(8080), text, around=around).verdict is Verdict.ALLOWED
    assert into(CART, FRONTEND, tcp(8080), egress(named), around=around).verdict is Verdict.ALLOWED


def test_the_own_port_names_of_a_pod_may_be_unread() -> None:
    unread = pod("shop/cart")
    unread = Party(unread.kind, unread.labels, unread.name, unread.ips, unread.node, named_ports=None)
    text = cnp("{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]}")
    decision = into(unread, FRONTEND, tcp(8080), text)
    assert (decision.verdict, decision.missing) == (Verdict.UNKNOWN, (MissingFact.NAMED_PORTS,))


def test_many_unread_facts_do_not_make_a_decision_slow() -> None:
    rules = ", ".join(TO_GROUP.replace("office", f"office-{number}") for number in range(40))
    around = surroundings(cidr_groups=None)
    text = egress(rules)
    decision = out_of(CART, outside(text, "192.0.2.1", around), tcp(443), text, around=around)
    assert decision.missing == (MissingFact.CIDR_GROUPS,)


def test_audit_mode_lets_through_what_policy_denies_and_says_so() -> None:
    text = egress("{}")
    decision = out_of(CART, LEDGER, tcp(443), text, config=PolicyConfig(audit_mode=True))
    assert (decision.verdict, decision.audited) == (Verdict.DENIED, True)
    assert out_of(CART, LEDGER, tcp(443), text).audited is False
