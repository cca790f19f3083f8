"""What a person may read is what the API server says, and nothing where it does not say."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from handlers.model.ownership import Content, Owner
from handlers.rights.allowed import NOTHING, Allowed
from handlers.rights.people import NOBODY, Person
from handlers.rights.reviews import is_allowed
from tests.cluster.fake_api import FakeApi, Fault
from workers.reviews import REMEMBER, Reviews, reviewer_of
from workers.sources.kube_transport import ClusterAccess

JANE = Person("jane", ("shop",))
SHOP_PODS, SHOP_POLICIES = Owner(Content.PODS, "shop"), Owner(Content.CILIUM_POLICIES, "shop")
PAYMENTS, SHOP = Owner(Content.NAMESPACES, "payments"), Owner(Content.NAMESPACES, "shop")
NODES = Owner(Content.NODES)
LIST_PODS, LIST_NODES = ("list", "", "pods"), ("list", "", "nodes")


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi({}) as running:
        yield running


@pytest.fixture
def reviews(api: FakeApi, tmp_path: Path, redis_client: redis.Redis) -> Reviews:
    return Reviews(reviewer_of(ClusterAccess("lab", api.kubeconfig(tmp_path))), redis_client)


def test_each_namespace_and_content_is_asked_about_by_itself(api: FakeApi, reviews: Reviews) -> None:
    api.grants = {("shop", "shop", LIST_PODS)}
    allowed = reviews.allowed(JANE, [SHOP_PODS, SHOP_POLICIES, PAYMENTS, NODES])
    assert allowed == Allowed(frozenset({SHOP_PODS}))
    assert (allowed.reads(SHOP), allowed.reads(PAYMENTS), allowed.reads(NODES)) == (True, False, False)
    assert set(api.reviews) == {
        (("jane", "shop", "system:authenticated"), namespace, *right)
        for namespace, right in (
            ("", LIST_PODS),
            ("", ("list", "cilium.io", "ciliumnetworkpolicies")),
            ("", LIST_NODES),
            ("shop", LIST_PODS),
            ("shop", ("list", "cilium.io", "ciliumnetworkpolicies")),
            ("payments", LIST_PODS),
        )
    }


def test_who_may_read_everywhere_is_asked_about_no_namespace(api: FakeApi, reviews: Reviews) -> None:
    api.grants = {("system:authenticated", "*", LIST_PODS), ("jane", "*", LIST_NODES)}
    allowed = reviews.allowed(JANE, [SHOP_PODS, PAYMENTS, NODES])
    assert allowed == Allowed(everywhere=frozenset({Content.PODS, Content.NODES}))
    assert allowed.reads(PAYMENTS)
    assert {namespace for _who, namespace, *_ in api.reviews} == {""}


def test_decisions_are_remembered_for_a_moment(api: FakeApi, reviews: Reviews, redis_client: redis.Redis) -> None:
    api.grants = {("jane", "shop", LIST_PODS)}
    first = reviews.allowed(JANE, [SHOP_PODS])
    api.grants = set()
    assert reviews.allowed(JANE, [SHOP_PODS]) == first
    assert len(api.reviews) == 2
    assert [redis_client.ttl(key) <= REMEMBER.total_seconds() for key in redis_client.scan_iter()] == [True]
    assert reviews.allowed(Person("ada", ("shop",)), [SHOP_PODS]) == NOTHING


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(status=403), id="the bot may not review"),
        pytest.param(Fault(status=500), id="the server fails"),
        pytest.param(Fault(drops=True), id="the connection breaks"),
    ],
)
def test_a_review_that_fails_allows_nothing_and_is_not_remembered(
    api: FakeApi, reviews: Reviews, redis_client: redis.Redis, fault: Fault
) -> None:
    api.grants = {("jane", "*", LIST_PODS)}
    api.faults["discovery"] = fault
    assert reviews.allowed(JANE, [SHOP_PODS]) == NOTHING
    assert list(redis_client.scan_iter()) == []


def test_nobody_is_asked_about_nobody(api: FakeApi, reviews: Reviews) -> None:
    assert reviews.allowed(NOBODY, [SHOP_PODS]) == NOTHING
    assert api.reviews == []


def test_an_archive_has_nobody_to_ask(redis_client: redis.Redis) -> None:
    assert Reviews(reviewer_of(None), redis_client).allowed(JANE, [SHOP_PODS]) == NOTHING


@pytest.mark.parametrize(
    ("answer", "is_yes"),
    [
        pytest.param({"status": {"allowed": True}}, True, id="a plain yes"),
        pytest.param({"status": {"allowed": False}}, False, id="a no"),
        pytest.param({"status": {"allowed": "true"}}, False, id="a text"),
        pytest.param({"status": {"allowed": True, "denied": True}}, False, id="both"),
        pytest.param({"status": {"allowed": True, "evaluationError": "x"}}, False, id="a yes with an error"),
        pytest.param({}, False, id="nothing"),
        pytest.param(None, False, id="no object"),
    ],
)
def test_only_a_plain_yes_is_one(answer: object, is_yes: bool) -> None:
    assert is_allowed(answer) is is_yes
