"""What a version means: since when each fact holds, and what is said where versions differ or are not known."""

from typing import Any

import pytest

from handlers.model.decision import Reason, Verdict
from handlers.model.party import MissingFact, Party
from handlers.model.rule import Direction
from handlers.policy import VERSION_FACTS, PolicyConfig, Version
from handlers.policy.cases import Case
from handlers.policy.config import Beyond, Rival
from handlers.policy.versions import (
    BLOCK_OPENS_NAMESPACE,
    DOUBLE_STAR,
    HOST_BY_IDENTITY,
    LOCAL_CLUSTER_DEFAULT,
    NEWEST_OF_EACH,
    REQUIRES_GONE,
    SERVICE_SELECTOR_LOSES_DOTS,
    TOPOLOGY_LABELS_DROPPED,
    WORLD_SPLITS,
    VersionFact,
)
from tests.policy.worlds import CART, FRONTEND, LEDGER, cnp, np, pod, policies, tcp


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v1.18.3", Version(1, 18, 3)),
        ("1.19", Version(1, 19, 0)),
        ("1.19.0-dev", Version(1, 19, 0, is_release=False)),
        ("1.20.0-rc.1", Version(1, 20, 0, is_release=False)),
        ("quay.io/isovalent/cilium:v1.17.4-cee.1", Version(1, 17, 4)),
        ("cilium v1.19.6+g1234567", Version(1, 19, 6)),
    ],
)
def test_how_versions_are_written(text: str, version: Version) -> None:
    assert Version.parse(text) == version


def test_what_comes_before_a_release_is_older_than_it() -> None:
    written = ["1.18.11", "1.19.0-dev", "1.19.0", "1.19.6", "1.20.0-rc.1", "1.20.0"]
    assert sorted(written, key=Version.parse) == written


@pytest.mark.parametrize(
    ("fact", "holding", "not_holding"),
    [
        (TOPOLOGY_LABELS_DROPPED, "1.18.7 1.18.11 1.19.0 1.19.6 1.20.2 1.21.0", "1.17.15 1.18.6 1.19.0-dev"),
        (BLOCK_OPENS_NAMESPACE, "1.19.0-dev 1.19.0 1.19.4", "1.18.11 1.19.5 1.19.6 1.20.0"),
        (SERVICE_SELECTOR_LOSES_DOTS, "1.17.14 1.18.8 1.19.0-dev 1.19.2", "1.16.9 1.17.15 1.18.9 1.19.3 1.20.0"),
        (HOST_BY_IDENTITY, "1.20.2 1.21.0", "1.19.6 1.20.0 1.20.1"),
        (WORLD_SPLITS, "1.16.0 1.17.15", "1.18.0 1.19.6"),
        (REQUIRES_GONE, "1.19.0 1.20.2", "1.18.11 1.19.0-dev"),
        (DOUBLE_STAR, "1.19.0", "1.18.11 1.19.0-dev"),
        (LOCAL_CLUSTER_DEFAULT, "1.19.0-dev 1.19.0", "1.18.11"),
    ],
    ids=lambda value: value.name if isinstance(value, VersionFact) else None,
)
def test_since_which_patch_release(fact: VersionFact, holding: str, not_holding: str) -> None:
    assert [text for text in holding.split() if not fact.holds_in(Version.parse(text))] == []
    assert [text for text in not_holding.split() if fact.holds_in(Version.parse(text))] == []


def test_every_fact_tells_two_known_versions_apart() -> None:
    known = (*NEWEST_OF_EACH, *(step for fact in VERSION_FACTS for step in (*fact.since, *fact.until)))
    assert [fact.name for fact in VERSION_FACTS if len({fact.holds_in(version) for version in known}) != 2] == []


ALLOWED_FROM_FRONTEND = cnp("{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {app: frontend}}]}]}")
FROM_EVERY_NAMESPACE_BUT = np(
    "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: "
    "[{key: env, operator: NotIn, values: [x]}]}}]}]}"
)


def under(version: str, *rivals: Rival, **options: Any) -> PolicyConfig:
    config = PolicyConfig.from_cilium_config({"enable-ipv6": "false"}, version)
    changed: dict[str, Any] = {"rivals": rivals, **options}
    return PolicyConfig(**{name: changed.get(name, getattr(config, name)) for name in PolicyConfig.__slots__})


def from_outside(config: PolicyConfig, subject: Party = CART) -> tuple[Verdict, tuple[MissingFact, ...]]:
    loaded = policies(FROM_EVERY_NAMESPACE_BUT, config=config)
    decision = loaded.decide(Direction.INGRESS, subject, loaded.party_of_ip("203.0.113.1"), tcp(80))
    outcome, _ = loaded.outcome(Direction.INGRESS, subject, loaded.party_of_ip("203.0.113.1"), tcp(80))
    assert outcome.verdict is decision.verdict
    return decision.verdict, decision.missing


ELSEWHERE = Rival(under("1.18.11"), frozenset({"n2"}))
UNKNOWN = (Verdict.UNKNOWN, (MissingFact.VERSION,))


@pytest.mark.parametrize(
    ("rivals", "node", "says"),
    [
        pytest.param((), "n1", (Verdict.DENIED, ()), id="one-version"),
        pytest.param((ELSEWHERE,), "n1", (Verdict.DENIED, ()), id="mixed-and-the-node-runs-the-usual-one"),
        pytest.param((ELSEWHERE,), "n2", (Verdict.ALLOWED, ()), id="mixed-and-the-node-runs-another-one"),
        pytest.param((ELSEWHERE,), "", UNKNOWN, id="mixed-and-the-node-is-not-known"),
        pytest.param((Rival(under("1.18.11")),), "n1", UNKNOWN, id="version-not-known-and-they-differ"),
        pytest.param((Rival(under("1.20.2")),), "n1", (Verdict.DENIED, ()), id="version-not-known-and-they-agree"),
    ],
)
def test_the_version_of_the_subjects_node_judges(
    rivals: tuple[Rival, ...], node: str, says: tuple[Verdict, tuple[MissingFact, ...]]
) -> None:
    assert from_outside(under("1.19.6", *rivals), pod("shop/cart", node=node)) == says


ABROAD = "Cilium 1.21.0 (known are 1.16 to 1.20)"


@pytest.mark.parametrize("peer", [pytest.param(FRONTEND, id="allowed"), pytest.param(LEDGER, id="denied")])
def test_a_newer_version_decides_nothing_where_a_policy_selects(peer: Party) -> None:
    loaded = policies(ALLOWED_FROM_FRONTEND, config=under("1.21.0"))
    decision = loaded.decide(Direction.INGRESS, CART, peer, tcp(80))
    assert (decision.verdict, decision.reason, decision.beyond) == (Verdict.UNKNOWN, Reason.BEYOND, (ABROAD,))
    assert loaded.decide(Direction.EGRESS, CART, peer, tcp(80)).verdict is Verdict.ALLOWED


def test_a_case_of_a_newer_version_is_unknown() -> None:
    assert [PolicyConfig.from_cilium_config({}, text).beyond != () for text in ("1.15.9", "1.20.9", "1.21.0")] == [
        True,
        False,
        True,
    ]
    case: dict[str, Any] = {
        "id": "newer",
        "cluster": {"pods": [{"namespace": "shop", "name": "a", "ip": "10.0.0.1", "labels": {"app": "a"}}]},
        "policies": [
            {
                "apiVersion": "cilium.io/v2",
                "kind": "CiliumNetworkPolicy",
                "metadata": {"name": "x", "namespace": "shop"},
                "spec": {"endpointSelector": {}, "ingress": [{}]},
            }
        ],
        "options": {"ciliumVersion": "1.21.0"},
        "queries": [{"src": {"ip": "203.0.113.1"}, "dst": {"pod": "shop/a"}, "port": 80, "protocol": "TCP"}],
    }
    assert [answer["verdict"] for answer in Case(case).answers()] == ["unknown"]


@pytest.mark.parametrize(
    ("beyond", "subject", "peer", "named"),
    [
        pytest.param(Beyond("X", is_policy=True), CART, LEDGER, ("X",), id="cluster-wide-policy"),
        pytest.param(Beyond("X", "payments", is_policy=True), LEDGER, CART, ("X",), id="policy-of-the-subject"),
        pytest.param(Beyond("X", "payments", is_policy=True), CART, LEDGER, ("X",), id="policy-of-the-peer"),
        pytest.param(Beyond("X", "monitoring", is_policy=True), CART, LEDGER, (), id="policy-of-neither"),
        pytest.param(Beyond("X"), LEDGER, CART, (), id="setting-where-no-policy-selects"),
    ],
)
def test_what_is_not_understood_matters_where_it_can(
    beyond: Beyond, subject: Party, peer: Party, named: tuple[str, ...]
) -> None:
    loaded = policies(ALLOWED_FROM_FRONTEND, config=under("1.19.6", beyond=(beyond,)))
    assert loaded.decide(Direction.INGRESS, subject, peer, tcp(80)).beyond == named
