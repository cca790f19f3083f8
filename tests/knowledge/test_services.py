"""``services``: which Services lead nowhere, or not from every node."""

from collections.abc import Callable

import pytest

from handlers.model.finding import Outcome
from handlers.model.parts import Part
from tests.knowledge.build import Cluster
from tests.reading import in_words


def shop(*, ready: bool = True) -> Cluster:
    return Cluster().deploy("shop/frontend").deploy("shop/cart", on="n2", ports=("http:8080",), ready=ready)


CASES: dict[str, tuple[Callable[[], Cluster], list[str], str]] = {
    "a ready pod behind it": (lambda: shop().service("shop/cart", "80->8080"), [], "leads to one"),
    "a selector that nobody has": (
        lambda: shop().service("shop/cart", "80->8080", selector={"app": "carts"}),
        ["SERVICE_IS_EMPTY"],
        "it selects app=carts",
    ),
    "a pod that is not ready": (
        lambda: shop(ready=False).service("shop/cart", "80->8080"),
        ["SERVICE_IS_UNREADY"],
        "has no ready backend for 80/TCP",
    ),
    "Services that were not read": (
        lambda: shop().service("shop/cart", "80->8080").without(Part.SERVICES),
        [],
        "Cannot tell whether the Services of the cluster lead somewhere",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_leads_nowhere(name: str) -> None:
    cluster, problems, words = CASES[name]
    report = cluster().ask("services")
    assert [one.code for one in report.findings if one.outcome is Outcome.PROBLEM] == problems
    assert words in in_words(report)


def test_one_namespace_is_asked_about_alone() -> None:
    cluster = shop().service("shop/cart", "80->8080", selector={"app": "carts"}).deploy("payments/ledger")
    assert "leads to one" in in_words(cluster.ask("services payments"))
    assert cluster.ask("services shop").findings[0].follow_up == "service shop/cart"
