"""Manifests that are wrong, huge, deep, cyclic or random: a status with a reason, never an exception."""

import copy
import datetime
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.model.decision import Verdict
from handlers.model.party import Party
from handlers.model.rule import Direction
from handlers.policy import PolicyConfig, PolicySet, compile_policies
from handlers.policy.cases import Case, CaseError
from tests.policy.test_conformance import recorded
from tests.policy.worlds import CART, FRONTEND, LEDGER, request, surroundings, tcp, udp
from tests.sampling import examples

MUTATIONS = 4000
ODDITIES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    float("nan"),
    "",
    "x" * 5000,
    "*",
    "0.0.0.0/0",
    "65536",
    "(",
    "(a+)+$",
    "\ud800",
    "\x00",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {1: 2},
    {"matchLabels": {"a": 1}},
    {"matchExpressions": [{"key": "", "operator": "In"}]},
    b"bytes",
    datetime.date(2026, 1, 1),
    object(),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give every container of a document with each of its keys."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        entries = list(one.items()) if isinstance(one, dict) else list(enumerate(one)) if isinstance(one, list) else []
        for key, inner in entries:
            yield one, key
            waiting.append(inner)


def oddity(source: random.Random) -> Any:
    return copy.deepcopy(source.choice(ODDITIES))


def mutated(document: Any, source: random.Random, others: list[Any]) -> Any:
    document = copy.deepcopy(document)
    for _ in range(source.randint(1, 4)):
        container, key = source.choice(list(places(document)) or [(document, "spec")])
        match source.randrange(5):
            case 0 if isinstance(container, dict):
                del container[key]
            case 1 if isinstance(container, dict):
                field = source.choice(["fromEndpoints", "toPorts", "specs", "http", "icmps", "except"])
                container[field] = oddity(source)
            case 2:
                other, name = source.choice(list(places(source.choice(others))))
                container[key] = copy.deepcopy(other[name])
            case 3 if isinstance(container, list):
                container.extend(copy.deepcopy(container) * 3)
            case _:
                container[key] = oddity(source)
    return document


def ask(loaded: PolicySet) -> None:
    """Ask everything that can be asked; only an exception would be wrong."""
    outside = loaded.party_of_ip("192.0.2.1")
    for peer in (FRONTEND, LEDGER, outside):
        for traffic in (tcp(80, request("/a")), udp(53)):
            loaded.combine(CART, peer, traffic)
            loaded.decide(Direction.INGRESS, CART, peer, traffic)
    loaded.decide_dns(CART, LEDGER, "api.example.com")
    loaded.selecting(CART)


def test_thousands_of_mutated_policies_are_judged_not_crashed_on() -> None:
    source = random.Random(20261121)  # noqa: S311 - it makes test data
    seeds = [policy for case in recorded("named") for policy in case["policies"]]
    around, config = surroundings(), PolicyConfig()
    outcomes = {True: 0, False: 0}
    for _ in range(MUTATIONS):
        document = mutated(source.choice(seeds), source, seeds)
        loaded = compile_policies([document], config=config, surroundings=around)
        (status,) = loaded.statuses
        assert status.valid is not bool(status.reason)
        assert status.valid or not loaded.rules
        outcomes[status.valid] += 1
        if status.valid:
            ask(loaded)
    assert min(outcomes.values()) > MUTATIONS // 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["endpointSelector", "nodeSelector", "podSelector", "ingress", "egress", "ingressDeny", "egressDeny", "policyTypes"]
)


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(["NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "Pod"]),
    spec=st.dictionaries(FIELDS, JSON, max_size=5) | JSON,
    metadata=st.just({"name": "x", "namespace": "shop"}) | JSON,
)
def test_any_json_is_judged(kind: str, spec: object, metadata: object) -> None:
    document = {"kind": kind, "metadata": metadata, "spec": spec}
    loaded = compile_policies([document], config=PolicyConfig(), surroundings=surroundings())
    (status,) = loaded.statuses
    assert status.valid is not bool(status.reason)
    ask(loaded)


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"matchLabels": value, "ingress": [value]}
    return value


def cyclic() -> dict[str, Any]:
    spec: dict[str, Any] = {"endpointSelector": {}}
    spec["ingress"] = [spec]
    spec["fromEndpoints"] = spec
    return spec


@pytest.mark.parametrize(
    "spec",
    [
        nested(20_000),
        cyclic(),
        {"endpointSelector": {}, "ingress": [{"fromEndpoints": [{"matchLabels": nested(20_000)}]}]},
        {"endpointSelector": {}, "ingress": [{"fromCIDR": ["1" * 1_000_000]}]},
        {"endpointSelector": {}, "ingress": [{"toPorts": [{"ports": [{"port": "9" * 1_000_000}]}]}]},
    ],
    ids=["deep", "cyclic", "deep-selector", "long-prefix", "long-port"],
)
def test_deep_cyclic_and_long_manifests_are_judged(spec: Any) -> None:
    document = {"kind": "CiliumNetworkPolicy", "metadata": {"name": "x", "namespace": "shop"}, "spec": spec}
    loaded = compile_policies([document], config=PolicyConfig(), surroundings=surroundings())
    assert [status.valid for status in loaded.statuses] == [False]


def test_many_rules_are_compiled_in_time_that_grows_with_them() -> None:
    rules = [{"fromEndpoints": [{"matchLabels": {"app": f"x{number}"}}]} for number in range(5000)]
    spec = {"endpointSelector": {}, "ingress": rules}
    document = {"kind": "CiliumNetworkPolicy", "metadata": {"name": "x", "namespace": "shop"}, "spec": spec}
    started = time.perf_counter()
    loaded = compile_policies([document], config=PolicyConfig(), surroundings=surroundings())
    assert loaded.decide(Direction.INGRESS, CART, FRONTEND, tcp(80)).verdict is Verdict.DENIED
    assert time.perf_counter() - started < 5


def test_an_expression_that_backtracks_elsewhere_is_matched_in_linear_time() -> None:
    http = {"http": [{"path": "(a|a)*(a+)+b"}]}
    ports = [{"ports": [{"port": "80", "protocol": "TCP"}], "rules": http}]
    spec = {"endpointSelector": {}, "ingress": [{"toPorts": ports}]}
    document = {"kind": "CiliumNetworkPolicy", "metadata": {"name": "x", "namespace": "shop"}, "spec": spec}
    loaded = compile_policies([document], config=PolicyConfig(), surroundings=surroundings())
    started = time.perf_counter()
    decision = loaded.decide(Direction.INGRESS, CART, FRONTEND, tcp(80, request("a" * 4000)))
    assert decision.verdict is Verdict.DENIED_L7
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("thing", ["text", None, 7, [], object()])
def test_what_is_no_manifest_gets_a_status_too(thing: Any) -> None:
    loaded = compile_policies([thing], config=PolicyConfig(), surroundings=surroundings())
    assert [status.valid for status in loaded.statuses] == [False]
    assert loaded.statuses[0].reason


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": "x", "cluster": []},
        {"id": "x", "cluster": {"pods": [5]}},
        {"id": "x", "cluster": {}, "queries": [{"src": {"pod": "no/where"}, "dst": {"ip": "1.1.1.1"}}]},
        {"id": "x", "cluster": {}, "options": {"enforcement": "perhaps"}},
    ],
)
def test_a_case_in_the_wrong_format_is_named_or_empty(document: dict[str, Any]) -> None:
    try:
        outcome: Any = Case(document).answer_line()["answers"]
    except CaseError as error:
        outcome = str(error)
    assert outcome == [] or isinstance(outcome, str)


def test_no_party_is_confused_by_an_odd_address() -> None:
    loaded = compile_policies([], config=PolicyConfig(), surroundings=surroundings())
    for text in ("", "1.2.3", "fe80::1%eth0/64", "x" * 1000):
        with pytest.raises(ValueError, match="no IP address"):
            loaded.party_of_ip(text)
    assert isinstance(loaded.party_of_ip("::ffff:192.0.2.1"), Party)
