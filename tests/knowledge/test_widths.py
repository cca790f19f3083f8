"""No more is read than a question needs, and the answer is the one that the whole cluster gives."""

from dataclasses import replace
from typing import Any

import pytest

from handlers.catalogue import CATALOGUE, understand
from handlers.engine import answer
from handlers.model.parts import Part
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import Ask, Gap, Known, Missing
from tests.knowledge.build import Cluster, FakeSource, deny_all, shop
from workers.collect import collect


class WholeCluster(FakeSource):
    """A source that gives all of a list, whatever of it was asked for."""

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        everything = Scope(all_namespaces=True, pods=(PodQuery(),), identities=(), flows=ask.scope.flows)
        return super().read(replace(ask, scope=everything), timeout)


def big() -> Cluster:
    """The shop, beside a namespace that has much and nothing to do with it."""
    cluster = shop().policy(deny_all("shop", "cart")).policy(deny_all("bank", "ledger"))
    for number in range(5):
        cluster.pod(f"bank/ledger-{number}", of="ledger")
    return cluster


def namespaces_read(source: FakeSource) -> set[str | None]:
    """Return the namespaces that policies, endpoints or pods were asked of, None for every one."""
    found: set[str | None] = set()
    for ask in source.asks:
        if ask.part in (Part.POLICIES, Part.CILIUM_ENDPOINTS):
            found |= {None} if ask.scope.all_namespaces else set(ask.scope.namespaces or ())
        if ask.part is Part.PODS:
            found |= {query.namespace for query in ask.scope.pods or () if query.ip is None}
    return found


def number_of(cluster: Cluster, name: str) -> int:
    """Return the identity of a pod."""
    return next(one.identity or 0 for one in cluster.endpoints if f"{one.namespace}/{one.name}" == name)


def read_both(asked: Any, cluster: Cluster) -> FakeSource:
    """Ask of what is read, and of the whole cluster: both answers are one. Return the source that was read."""
    narrow = cluster.source()
    whole = WholeCluster(narrow.parts, narrow.per_node)
    narrowly = answer(asked, collect(asked, narrow, budget=30), CATALOGUE)
    widely = answer(asked, collect(asked, whole, budget=30), CATALOGUE)
    assert [(one.code, one.text) for one in narrowly.findings] == [(one.code, one.text) for one in widely.findings]
    assert narrowly.headline == widely.headline
    return narrow


@pytest.mark.parametrize(
    ("question", "namespaces"),
    [
        pytest.param("identity shop/deploy/cart", {"shop"}, id="an endpoint with its namespace"),
        pytest.param("identity ADDRESS", {"shop"}, id="the address of a pod"),
        pytest.param("identity cart.shop", {"shop"}, id="a name that resolvers look up"),
        pytest.param("identity 203.0.113.9", set(), id="an address of nobody"),
        pytest.param("identity CART", {"shop"}, id="the number of some pods"),
        pytest.param("identity 40000", {None}, id="a number that nobody has may be anybody's"),
        pytest.param("identity 2", set(), id="a reserved number"),
        pytest.param("identity world", set(), id="an entity"),
        pytest.param("identity shop/nosuch", {"shop"}, id="a name that nobody has"),
    ],
)
def test_an_identity_is_read_where_its_carriers_are(question: str, namespaces: set[str | None]) -> None:
    cluster = big()
    address = next(pod.ips[0] for pod in cluster.pods if pod.name == "cart-1")
    words = question.replace("CART", str(number_of(cluster, "shop/cart-1"))).replace("ADDRESS", address)
    asked = understand(words).question
    assert namespaces_read(read_both(asked, cluster)) == namespaces


@pytest.mark.parametrize(
    ("question", "namespaces"),
    [
        pytest.param("drops shop", {"shop", "front"}, id="a namespace, and whoever else its drops are about"),
        pytest.param("drops", {"shop", "front"}, id="the cluster, where its drops are"),
        pytest.param("drops node/n1", {"shop", "front"}, id="a node"),
        pytest.param("drops bank", set(), id="a namespace that nothing was dropped in"),
        pytest.param("drops shopp", set(), id="a namespace that does not exist"),
        pytest.param("drops shop/cart", {None}, id="what a name means only pods tell"),
    ],
)
def test_drops_are_explained_by_the_namespaces_of_their_ends(question: str, namespaces: set[str | None]) -> None:
    cluster = big().pod("front/web-1", of="web").dropped("front/web-1", "shop/cart-1", 8080)
    narrow = read_both(understand(question).question, cluster)
    assert namespaces_read(narrow) == namespaces


def test_without_flows_nothing_is_read_to_explain_them() -> None:
    cluster = big().dropped("shop/frontend-1", "shop/cart-1", 8080).without(Part.FLOWS, gap=Gap.TIMEOUT)
    assert namespaces_read(read_both(understand("drops shop").question, cluster)) == set()


def test_drops_of_many_namespaces_are_explained_by_whole_lists() -> None:
    cluster = big()
    for number in range(11):
        cluster.pod(f"team-{number}/web-1", of="web").dropped(f"team-{number}/web-1", "shop/cart-1", 8080)
    assert namespaces_read(read_both(understand("drops").question, cluster)) == {None}


def test_whether_an_address_is_of_a_service_is_read_before_its_drops_are_counted() -> None:
    source = big().source()
    asked = understand("drops 203.0.113.9").question
    report = answer(asked, collect(asked, source, budget=30), CATALOGUE)
    assert str(report.headline.claim).startswith("No drops seen in 203.0.113.9")
