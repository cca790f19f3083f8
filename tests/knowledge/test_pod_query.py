"""Label selectors and pod queries choose what the API server would have chosen."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.model.cluster import Pod
from handlers.model.parts import Part
from handlers.model.pod_query import label_test, pod_test
from handlers.model.scope import PodQuery, Scope

LABELS = {"app": "cart", "tier": "backend", "kubernetes.io/name": "x"}


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        ("", True),
        ("app=cart", True),
        ("app==cart", True),
        ("app = cart , tier=backend", True),
        ("app=cart,tier=frontend", False),
        ("app!=cart", False),
        ("missing!=cart", True),
        ("app in (cart, frontend)", True),
        ("app in (frontend)", False),
        ("app notin (cart)", False),
        ("missing notin (cart)", True),
        ("tier", True),
        ("!tier", False),
        ("! missing", True),
        ("kubernetes.io/name=x,app in (a,cart),!missing", True),
        ("app=", False),
    ],
)
def test_a_label_selector(selector: str, selects: bool) -> None:
    assert label_test(selector)(LABELS) is selects


@pytest.mark.parametrize("selector", ["app in cart", "=", "a=b c", "(a)", "a in (b", "!"])
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(ValueError, match="no label selector"):
        label_test(selector)


@given(st.text(max_size=40))
def test_no_text_takes_long_or_raises_anything_else(selector: str) -> None:
    with contextlib.suppress(ValueError):
        label_test(selector)({})


def _pod(name: str, ip: str, node: str = "n1", namespace: str = "shop") -> Pod:
    return Pod(
        namespace=namespace,
        name=name,
        labels={"app": name},
        ips=(ip,),
        node=node,
        phase="Running",
        ready=True,
        ports=(),
        service_account="default",
        host_network=False,
        owner=None,
    )


A, B = _pod("a", "10.0.0.1"), _pod("b", "2001:db8::1", node="n2", namespace="payments")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (PodQuery(), [A, B]),
        (PodQuery(namespace="shop"), [A]),
        (PodQuery(labels="app=b"), [B]),
        (PodQuery(ip="2001:0db8:0::1"), [B]),
        (PodQuery(node="n2", namespace="shop"), []),
    ],
)
def test_a_pod_query(query: PodQuery, found: list[Pod]) -> None:
    assert [pod for pod in (A, B) if pod_test(query)(pod)] == found


def test_queries_are_ored_and_each_pod_is_told_once() -> None:
    scope = Scope(pods=(PodQuery(namespace="shop"), PodQuery(ip="10.0.0.1")))
    assert Part.PODS.width.narrowed(scope, (A, B)) == (A,)
