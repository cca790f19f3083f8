"""Contracts: how lines are read, and when they hold."""

from typing import Any

import pytest

from handlers.contract import Checked, ContractError, Result, check, read_contract
from handlers.reach.state import State
from tests.matrix.clusters import cluster
from tests.policy.worlds import cnp

CART = cnp(
    "{endpointSelector: {matchLabels: {app: cart}}, ingress: [{fromEndpoints: [{matchLabels: {app: frontend}}], "
    "toPorts: [{ports: [{port: '8080', protocol: TCP}]}]}]}"
)
SURVEY = State.of(cluster(CART))


def checked(document: Any, state: State = SURVEY) -> list[Checked]:
    return list(check(read_contract(document), state))


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("shop/frontend -> shop/cart 8080/TCP", Result.HOLDS),
        ("shop/frontend -> shop/cart on 8080", Result.HOLDS),
        ("shop/frontend -> shop/cart 8080-8081/TCP", Result.BROKEN),
        ("shop/frontend -> shop/cart", Result.BROKEN),
        ("shop/redis -> shop/cart 8080/TCP", Result.BROKEN),
        ("shop/* -> shop/redis", Result.HOLDS),
        ("shop/* -> shop/cart 8080", Result.BROKEN),
        ("shop/cart -> api.example.com 443/TCP", Result.HOLDS),
        ("shop/cart -> 203.0.113.5 443/TCP", Result.HOLDS),
        ("host -> shop/cart any", Result.HOLDS),
        ("shop/nobody -> shop/cart 80", Result.EMPTY),
        ("shop/cart -> shop/cart 80", Result.EMPTY),
        ("shop/tier=data -> payments/ledger icmp", Result.HOLDS),
        ("*/app=prometheus -> shop/redis udp, 53/TCP", Result.HOLDS),
    ],
)
def test_what_is_demanded_open(line: str, result: Result) -> None:
    assert [one.result for one in checked({"allow": [line]})] == [result]


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("world -> shop/cart", Result.HOLDS),
        ("shop/redis -> shop/cart any", Result.HOLDS),
        ("shop/frontend -> shop/cart 8080", Result.BROKEN),
        ("shop/frontend -> shop/cart 1-8079/TCP, 8081-65535/TCP", Result.HOLDS),
        ("world -> payments/*", Result.BROKEN),
    ],
)
def test_what_is_demanded_closed(line: str, result: Result) -> None:
    assert [one.result for one in checked({"deny": [line]})] == [result]


def test_a_breach_names_the_pair_and_the_rule() -> None:
    one = checked({"deny": [{"from": "shop/frontend", "to": "shop/cart", "ports": 8080, "why": "cart is private"}]})[0]
    assert one.count == 1
    breach = one.breaches[0]
    assert (breach.source, breach.destination, str(breach.traffic)) == ("shop/frontend", "shop/cart", "8080/TCP")
    assert "ingress: shop/rule/spec/ingress/0" in breach.because
    assert one.line.why == "cart is private"


def test_what_was_not_read_is_unknown() -> None:
    text = cnp(
        "{endpointSelector: {matchLabels: {app: cart}}, egress: [{toServices: [{k8sService: "
        "{serviceName: ledger, namespace: payments}}]}]}"
    )
    state = State.of(cluster(text, services=None))
    lines = {"allow": ["shop/cart -> payments/ledger 80"], "deny": ["shop/cart -> payments/ledger 80"]}
    assert [one.result for one in checked(lines, state)] == [Result.UNKNOWN, Result.UNKNOWN]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        "allow",
        {"alow": []},
        {"allow": "a -> b"},
        {"allow": [3]},
        {"allow": ["shop/a shop/b"]},
        {"allow": ["shop/a -> shop/b 80/XYZ"]},
        {"allow": ["shop/a -> shop/b 70000"]},
        {"allow": ["shop/a -> shop/b 90-80"]},
        {"allow": [{"from": "shop/a"}]},
        {"allow": [{"from": "shop/a", "to": "shop/b", "port": 80}]},
        {"allow": [{"from": "shop/a", "to": "shop/b", "ports": [True]}]},
        {"allow": [{"from": "shop/a", "to": "shop/b", "ports": {"a": 1}}]},
        {"allow": [" -> "]},
        {"allow": ["x" * 100_000]},
        {"allow": [["a"]]},
        {1: []},
    ],
)
def test_what_is_no_contract_is_named(document: object) -> None:
    with pytest.raises(ContractError):
        read_contract(document)


@pytest.mark.parametrize("name", ["cart", "/x", "shop/a=,b", ""])
def test_what_names_no_end_is_named(name: str) -> None:
    with pytest.raises(ContractError):
        checked({"allow": [{"from": name, "to": "world"}]})
