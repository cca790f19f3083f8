"""Reports and parts travel as JSON and come back equal."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.model.agent import Metric
from handlers.model.cluster import NodeConfig, PolicyObject
from handlers.model.parts import PARTS, Part
from handlers.model.report import Report
from handlers.model.snapshot import AnyPart
from handlers.model.wire import decode, encode
from tests.knowledge.build import allow_from, deny_all, shop
from tests.sampling import examples

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)

QUESTIONS = (
    "why shop/frontend shop/cart 80",
    "why shop/frontend api.stripe.com 443",
    "why shop/nobody shop/cart",
    "drops",
    "health",
    "policies shop",
    "identity shop/cart",
)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("denied", [True, False], ids=["denied", "allowed"])
def test_a_report_comes_back_equal(question: str, denied: bool) -> None:
    policy = deny_all("shop", "cart") if denied else allow_from("shop", "cart", "frontend", 8080)
    report = shop().policy(policy).dropped("shop/frontend-1", "shop/cart-1", 8080, times=2).ask(question)
    body = json.loads(json.dumps(encode(report, Report)))
    assert decode(Report, body) == report
    assert encode(decode(Report, body), Report) == body


OBJECTS = st.lists(
    st.builds(PolicyObject, manifest=st.dictionaries(st.text(max_size=5), JSON, max_size=3)), max_size=2
).map(tuple)
NODE_CONFIGS = st.lists(
    st.builds(NodeConfig, node_selector=st.dictionaries(st.text(max_size=5), JSON, max_size=3)), max_size=2
).map(tuple)
METRICS = st.lists(st.builds(Metric, value=st.floats(allow_nan=False)), max_size=2).map(tuple)


def _values(part: AnyPart) -> st.SearchStrategy[Any]:
    if part.holds == tuple[PolicyObject, ...]:
        return OBJECTS
    if part is Part.NODE_CONFIGS:
        return NODE_CONFIGS
    return METRICS if part is Part.AGENT_METRICS else st.from_type(part.holds)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_any_value_of_a_part_comes_back_equal(part: AnyPart) -> None:
    hint = part.holds

    @settings(max_examples=examples(3), suppress_health_check=list(HealthCheck), database=None)
    @given(_values(part))
    def holds(value: Any) -> None:
        body = json.loads(json.dumps(encode(value, hint)))
        assert encode(decode(hint, body), hint) == body

    holds()
