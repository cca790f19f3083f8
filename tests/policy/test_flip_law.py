"""The law of explanations: repair exactly the clause that is named, and the side opens.

Repair one of several and it stays shut. It is checked on random clusters, and on the denied sides of the recorded cases
whose clause can be repaired in place.
"""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from handlers.model.decision import Decision, Reason, RuleEffect, Verdict
from handlers.model.party import Party
from handlers.model.rule import Direction, Effect
from handlers.model.traffic import Traffic
from handlers.policy import PolicyConfig, PolicySet, Surroundings, compile_policies
from handlers.policy.cases import Case, traffic_of
from tests.policy.repairs import NoRepairError, Objects, repaired
from tests.policy.test_conformance import CHUNKS, recorded
from tests.policy.worlds import pod, surroundings, tcp, udp
from tests.sampling import examples

OPEN = (Verdict.ALLOWED,)
APPS = ("cart", "frontend", "ledger")
PODS = {
    name: pod(name, node=node, tier=tier)
    for name, node, tier in (
        ("shop/cart", "n1", "back"),
        ("shop/frontend", "n2", "front"),
        ("payments/ledger", "n2", "back"),
        ("monitoring/frontend", "n1", "front"),
    )
}

label_selector = st.fixed_dictionaries(
    {},
    optional={
        "matchLabels": st.dictionaries(
            st.sampled_from(["app", "tier", "missing", "io.kubernetes.pod.namespace"]),
            st.sampled_from([*APPS, "front", "back", "shop", "payments"]),
            max_size=2,
        ),
        "matchExpressions": st.lists(
            st.sampled_from(
                [
                    {"key": "tier", "operator": "In", "values": ["front"]},
                    {"key": "tier", "operator": "NotIn", "values": ["front"]},
                    {"key": "missing", "operator": "Exists"},
                    {"key": "app", "operator": "DoesNotExist"},
                ]
            ),
            max_size=1,
        ),
    },
)
port = st.sampled_from([80, 443, 8080, 53])
protocol = st.sampled_from(["TCP", "UDP"])
cilium_ports = st.lists(
    st.builds(lambda number, name: {"ports": [{"port": str(number), "protocol": name}]}, port, protocol),
    min_size=1,
    max_size=2,
)


def cilium_rules(side: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    peers: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.lists(label_selector, min_size=1, max_size=2).map(lambda many: {f"{side}Endpoints": many}),
        st.lists(st.sampled_from(["world", "host", "remote-node", "health"]), min_size=1, max_size=2).map(
            lambda many: {f"{side}Entities": many}
        ),
        st.just({f"{side}CIDRSet": [{"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}]}),
        st.just({f"{side}CIDR": ["198.51.100.0/24"]}),
        st.just({}),
    )
    rule = st.builds(
        lambda peer, ports: {**peer, **({"toPorts": ports} if ports else {})}, peers, st.none() | cilium_ports
    )
    return st.lists(rule, min_size=1, max_size=3)


def network_policy_rules(side: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    plain = st.fixed_dictionaries(
        {"podSelector": st.sampled_from([{}, *({"matchLabels": {"app": app}} for app in APPS)])},
        optional={"namespaceSelector": st.sampled_from([{}, {"matchLabels": {"team": "money"}}])},
    )
    block = st.just({"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}})
    ports = st.lists(st.builds(lambda p, n: {"port": p, "protocol": n}, port, protocol), min_size=1, max_size=2)
    rule = st.fixed_dictionaries({side: st.lists(plain | block, min_size=1, max_size=2)}, optional={"ports": ports})
    return st.lists(rule, min_size=0, max_size=2)


@st.composite
def policy(draw: st.DrawFn, index: int) -> dict[str, Any]:
    direction = draw(st.sampled_from(["ingress", "egress"]))
    side = "from" if direction == "ingress" else "to"
    metadata = {"name": f"p{index}", "namespace": "shop"}
    if draw(st.booleans()):
        spec = {
            "podSelector": {},
            "policyTypes": [direction.capitalize()],
            direction: draw(network_policy_rules(side)),
        }
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
    spec = {"endpointSelector": {}, direction: draw(cilium_rules(side))}
    return {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": metadata, "spec": spec}


objects_strategy = st.integers(1, 2).flatmap(lambda count: st.tuples(*(policy(index) for index in range(count))))
peers = st.sampled_from([*PODS, "10.0.0.2", "192.0.2.1", "192.0.2.200", "203.0.113.9"])
traffic_strategy = st.builds(lambda make, number: make(number), st.sampled_from([tcp, udp]), port)


def party_of(loaded: PolicySet, who: str) -> Party:
    return PODS[who] if who in PODS else loaded.party_of_ip(who)


def compiled(objects: Objects, config: PolicyConfig, around: Surroundings) -> PolicySet:
    loaded = compile_policies(objects, config=config, surroundings=around)
    assert all(status.valid for status in loaded.statuses), json.dumps(objects)
    return loaded


def opens(objects: Objects, decision: Decision, subject: str, peer: str) -> bool:
    """Decide again, from scratch: an address may get another identity from another policy."""
    loaded = compiled(objects, PolicyConfig(), surroundings())
    again = loaded.decide(decision.direction, party_of(loaded, subject), party_of(loaded, peer), decision.traffic)
    return again.verdict in OPEN


@settings(
    max_examples=examples(60),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(objects=objects_strategy, peer=peers, traffic=traffic_strategy, direction=st.sampled_from(list(Direction)))
def test_repairing_the_named_clause_opens_and_repairing_one_of_several_does_not(
    objects: tuple[dict[str, Any], ...], peer: str, traffic: Traffic, direction: Direction
) -> None:
    assume(peer != "shop/cart")
    # Strategies share values; a repair of one rule must not reach into another.
    given_objects = json.loads(json.dumps(objects))
    loaded = compiled(given_objects, PolicyConfig(), surroundings())
    subject = party_of(loaded, "shop/cart")
    decision = loaded.decide(direction, subject, party_of(loaded, peer), traffic)
    assume(decision.verdict is Verdict.DENIED and decision.reason is Reason.DEFAULT_DENY)
    assert decision.nearest_miss is not None
    for effect in decision.effects:
        if effect.effect is Effect.ALLOW and not effect.matched:
            check_effect(given_objects, effect, decision, peer)


def check_effect(objects: Objects, effect: RuleEffect, decision: Decision, peer: str) -> None:
    """A rule with one failing clause opens when that is repaired; one with several stays shut until all are."""
    all_repaired: Objects | None = objects
    for clause in effect.failed:
        try:
            one = repaired(objects, clause, decision)
        except NoRepairError:
            return
        opened = opens(one, decision, "shop/cart", peer)
        assert opened is (len(effect.failed) == 1), (clause, json.dumps(one))
    for clause in effect.failed:
        try:
            all_repaired = repaired(all_repaired or objects, clause, decision)
        except (NoRepairError, KeyError, IndexError):
            return
    assert all_repaired is not None
    assert opens(all_repaired, decision, "shop/cart", peer), (effect.failed, json.dumps(all_repaired))


def verdict_after(document: dict[str, Any], objects: Objects, query: Any, direction: Direction) -> Verdict:
    case = Case({**document, "policies": objects})
    source, destination = case.parties(query)
    both = case.policies.combine(source, destination, traffic_of(query))
    return (both.egress if direction is Direction.EGRESS else both.ingress).verdict


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_recorded_denials_open_when_their_only_clause_is_repaired(chunk: int) -> None:
    checked: Counter[str] = Counter()
    shut: list[tuple[object, ...]] = []
    for document in recorded("train")[chunk::CHUNKS]:
        case = Case(document)
        for query in document["queries"][::3]:
            source, destination = case.parties(query)
            for side in case.policies.combine(source, destination, traffic_of(query)).blocking:
                miss = side.nearest_miss
                if miss is None or len(miss.clauses) > 1:
                    continue
                try:
                    objects = repaired(document["policies"], miss.clause, side)
                except NoRepairError:
                    continue
                verdict = verdict_after(document, objects, query, side.direction)
                name = type(miss.clause).__name__
                checked[name] += 1
                # A repaired packet may still meet the proxy; a repaired request has to pass.
                opened = (
                    (Verdict.ALLOWED,) if side.verdict is Verdict.DENIED_L7 else (Verdict.ALLOWED, Verdict.DENIED_L7)
                )
                if verdict not in opened:
                    shut.append((document["id"], query, miss, verdict))
    assert shut == []
    assert checked.total() > 20
    assert len(checked) > 3
