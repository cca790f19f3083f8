"""Stories of changes: what they cut, what they open, and what Hubble had seen of it."""

import pytest

from handlers.model.rule import PolicyRef
from handlers.model.traffic import Protocol, Traffic
from handlers.reach.compare import ChangeKind, FlowChange, compare
from handlers.reach.observed import FlowJudge, ObservedFlow, fates
from handlers.reach.proposal import LabelChange, Proposal, ProposalError, parse_reference
from tests.matrix.clusters import cluster
from tests.policy.worlds import cnp, documents, np

CART_8080 = cnp(
    "{endpointSelector: {matchLabels: {app: cart}}, ingress: [{fromEndpoints: [{matchLabels: {app: frontend}}], "
    "toPorts: [{ports: [{port: '8080', protocol: TCP}]}]}]}",
    name="cart",
)


def told(changes: tuple[FlowChange, ...]) -> set[tuple[str, str, str, str]]:
    return {
        (str(change.kind), str(source), str(destination), ", ".join(map(str, change.ports)))
        for change in changes
        for source in change.sources
        for destination in change.destinations
    }


def pods_only(changes: set[tuple[str, str, str, str]]) -> set[tuple[str, str, str, str]]:
    return {change for change in changes if "/" in change[1] and "/" in change[2]}


def test_nothing_changes_when_a_policy_is_applied_again() -> None:
    before = cluster(CART_8080)
    after = Proposal(put=tuple(documents(CART_8080))).applied(before)
    assert compare(before, after).is_nothing


def test_a_new_policy_cuts_everybody_else() -> None:
    before = cluster()
    changes = compare(before, Proposal(put=tuple(documents(CART_8080))).applied(before)).changes
    assert {change.kind for change in changes} == {ChangeKind.CUT}
    cut = pods_only(told(changes))
    assert ("cut", "shop/redis", "shop/cart", "8080/TCP, every other port") in cut
    assert ("cut", "shop/frontend", "shop/cart", "every other port") in cut
    assert not [one for one in cut if one[2] != "shop/cart"]


def test_deleting_the_policy_opens_the_same() -> None:
    after = cluster(CART_8080)
    deletion = Proposal(delete=(parse_reference("cnp/shop/cart"),))
    opened = compare(after, deletion.applied(after)).changes
    cut = compare(deletion.applied(after), after).changes
    assert {change.kind for change in opened} == {ChangeKind.OPENED}
    assert {one[1:] for one in told(opened)} == {one[1:] for one in told(cut)}


def test_a_changed_port_moves_what_is_open() -> None:
    before = cluster(CART_8080)
    after = Proposal(put=tuple(documents(CART_8080.replace("8080", "9090")))).applied(before)
    changes = compare(before, after).changes
    assert told(changes) == {
        ("cut", "shop/frontend", "shop/cart", "8080/TCP"),
        ("opened", "shop/frontend", "shop/cart", "9090/TCP"),
    }


def test_a_label_on_a_pod_moves_it_to_another_identity() -> None:
    before = cluster(CART_8080)
    change = LabelChange.parse("shop/redis app=frontend")
    changes = compare(before, Proposal(labels=(change,)).applied(before)).changes
    assert pods_only(told(changes)) == {("opened", "shop/redis", "shop/cart", "8080/TCP")}


def test_a_label_that_identities_do_not_carry_changes_nothing() -> None:
    before = cluster(CART_8080)
    change = LabelChange.parse("shop/redis pod-template-hash=abc")
    assert compare(before, Proposal(labels=(change,)).applied(before)).is_nothing


def test_a_label_on_a_namespace() -> None:
    text = np(
        "{podSelector: {matchLabels: {app: cart}}, "
        "ingress: [{from: [{namespaceSelector: {matchLabels: {team: shop}}}]}]}"
    )
    before = cluster(text)
    change = LabelChange.parse("monitoring team=shop")
    changes = compare(before, Proposal(labels=(change,)).applied(before)).changes
    assert told(changes) == {("opened", "monitoring/prometheus", "shop/cart", "every port")}


def test_an_application_rule_on_an_open_port_is_told_as_such() -> None:
    before = cluster(CART_8080)
    with_http = CART_8080.replace("protocol: TCP}]", "protocol: TCP}], rules: {http: [{path: /cart}]}")
    changes = compare(before, Proposal(put=tuple(documents(with_http))).applied(before)).changes
    assert told(changes) == {("requests", "shop/frontend", "shop/cart", "8080/TCP")}
    other = compare(cluster(with_http), cluster(with_http.replace("/cart", "/other"))).changes
    assert told(other) == {("requests", "shop/frontend", "shop/cart", "8080/TCP")}


def test_a_policy_that_the_agent_would_refuse_is_told() -> None:
    before = cluster(CART_8080)
    broken = cnp("{endpointSelector: {}, ingress: []}", name="cart")
    compared = compare(before, Proposal(put=tuple(documents(broken))).applied(before))
    assert [status.policy.name for status in compared.refused] == ["cart"]
    assert compared.of_kind(ChangeKind.OPENED)


def test_what_was_not_read_makes_a_doubt_and_no_verdict() -> None:
    text = cnp(
        "{endpointSelector: {matchLabels: {app: cart}}, egress: [{toServices: [{k8sService: "
        "{serviceName: ledger, namespace: payments}}]}]}"
    )
    before = cluster(services=None)
    compared = compare(before, Proposal(put=tuple(documents(text))).applied(before))
    assert {change.kind for change in compared.changes} == {ChangeKind.DOUBT}


def test_observed_flows_that_would_be_cut() -> None:
    before = cluster()
    after = Proposal(put=tuple(documents(CART_8080))).applied(before)
    flows = [
        ObservedFlow("shop/redis", "shop/cart", Traffic(Protocol.TCP, 8080), 7, passed=True),
        ObservedFlow("shop/frontend", "shop/cart", Traffic(Protocol.TCP, 8080), 9, passed=True),
        ObservedFlow("203.0.113.5", "shop/cart", Traffic(Protocol.TCP, 8080), 1, passed=True),
        ObservedFlow("shop/gone", "shop/cart", Traffic(Protocol.TCP, 8080), 1, passed=True),
    ]
    judges = [FlowJudge(one, one.compiled()) for one in (before, after)]
    assert [str(fate.flow) for fate in fates(flows, *judges) if fate.is_cut] == [
        "shop/redis -> shop/cart 8080/TCP",
        "203.0.113.5 -> shop/cart 8080/TCP",
    ]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("cnp/shop/cart", PolicyRef("CiliumNetworkPolicy", "shop", "cart")),
        ("ccnp/wide", PolicyRef("CiliumClusterwideNetworkPolicy", "", "wide")),
        ("CiliumClusterwideNetworkPolicy//wide", PolicyRef("CiliumClusterwideNetworkPolicy", "", "wide")),
        ("netpol/web", PolicyRef("NetworkPolicy", "default", "web")),
    ],
)
def test_policies_by_name(text: str, reference: PolicyRef) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize("text", ["cart", "deploy/shop/cart", "", "///"])
def test_what_names_no_policy(text: str) -> None:
    with pytest.raises(ProposalError):
        parse_reference(text)


@pytest.mark.parametrize("text", ["shop/redis", "shop/redis tier", "shop/redis =x", "shop/redis -"])
def test_what_is_no_label_change(text: str) -> None:
    with pytest.raises(ProposalError):
        LabelChange.parse(text)


def test_what_is_not_there_cannot_be_deleted_or_labelled() -> None:
    for proposal in (
        Proposal(delete=(parse_reference("cnp/shop/none"),)),
        Proposal(labels=(LabelChange("shop/none", {"a": "b"}),)),
        Proposal(labels=(LabelChange("nowhere", {"a": "b"}),)),
    ):
        with pytest.raises(ProposalError):
            proposal.applied(cluster())
