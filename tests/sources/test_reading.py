"""Fields that somebody else wrote: of the wanted type, absent, or refused with the place named."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.sources.convert import reading
from workers.sources.convert.reading import MalformedError, each, items, name_of, parse_moment

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        pytest.param(reading.struct, None, {}, id="a null object is empty"),
        pytest.param(reading.struct, {"a": 1}, {"a": 1}, id="an object stays"),
        pytest.param(reading.rows, None, [], id="a null list is empty"),
        pytest.param(reading.texts, ["a"], ("a",), id="strings stay"),
        pytest.param(reading.text, None, None, id="a null string is absent"),
        pytest.param(reading.number, "12", 12, id="jsonpb writes 64-bit numbers as strings"),
        pytest.param(reading.number, None, None, id="a null number is absent"),
        pytest.param(reading.flag, False, False, id="false is not absent"),
        pytest.param(reading.flag, None, None, id="a null flag is absent"),
        pytest.param(reading.moment, "0001-01-01T00:00:00Z", None, id="Go's zero time is no time"),
    ],
)
def test_a_field_is_read(read: Callable[[Any, str], Any], value: Any, expected: Any) -> None:
    assert read({"field": value}, "field") == expected
    if expected in (None, {}, []):
        assert read({}, "field") == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        pytest.param(reading.struct, [], id="a list is no object"),
        pytest.param(reading.rows, ["a"], id="strings are no objects"),
        pytest.param(reading.texts, [1], id="numbers are no strings"),
        pytest.param(reading.texts, "a", id="a string is no list"),
        pytest.param(reading.text, 1, id="a number is no string"),
        pytest.param(reading.number, True, id="true is no number"),
        pytest.param(reading.number, 1.5, id="a fraction is no whole number"),
        pytest.param(reading.number, "9" * 30, id="a number of thirty digits"),
        pytest.param(reading.flag, "true", id="a word is no boolean"),
        pytest.param(reading.labels, {"a": 1}, id="labels are strings"),
        pytest.param(reading.moment, "yesterday", id="a word is no time"),
        pytest.param(reading.moment, "9999-12-31T23:59:59-23:59", id="a time past the calendar's end in UTC"),
        pytest.param(reading.moment, "0001-01-02T00:00:00+14:00", id="a time before its beginning"),
        pytest.param(reading.moment, "2026-11-20T12:00:00", id="a time without a zone"),
    ],
)
def test_a_field_of_another_type_is_refused(read: Callable[[Any, str], Any], value: Any) -> None:
    with pytest.raises(MalformedError, match="field"):
        read({"field": value}, "field")


def test_nine_fractional_digits_are_cut_to_six() -> None:
    assert parse_moment("2026-11-20T12:18:38.311789259Z") == datetime(2026, 11, 20, 12, 18, 38, 311789, UTC)


def test_the_first_malformed_object_is_named_and_none_is_left_out() -> None:
    bodies = [{"metadata": {"name": "a"}}, {"metadata": {"name": "b", "namespace": "shop", "labels": []}}]
    with pytest.raises(MalformedError, match="Pod shop/b: labels is a list, not an object"):
        each("Pod", bodies, lambda body: reading.labels(reading.struct(body, "metadata"), "labels"))


def test_an_object_without_a_name_is_told_by_its_place() -> None:
    with pytest.raises(MalformedError, match=r"Pod number 2: .*name"):
        each("Pod", [{"metadata": {"name": "a"}}, {}], name_of)


def test_a_list_without_items_is_no_empty_list() -> None:
    assert items({"items": None}, "pods") == []
    with pytest.raises(MalformedError):
        items({"kind": "Status"}, "pods")
    with pytest.raises(MalformedError):
        items(None, "pods")


@given(JSON)
def test_no_body_raises_anything_but_malformed(body: Any) -> None:
    from workers.sources.convert import agent_json, cilium, kubernetes, policies
    from workers.sources.convert.flow_json import flow_from_json

    readers: list[Callable[[Any], Any]] = [
        kubernetes.pod,
        kubernetes.service,
        kubernetes.endpoint_slice,
        cilium.cilium_endpoint,
        cilium.cilium_identity,
        cilium.endpoints_of_slice,
        lambda item: policies.policy_object("NetworkPolicy", "networking.k8s.io/v1", item),
        flow_from_json,
    ]
    for read in readers:
        for shape in (body, {"metadata": {"name": "a"}, "spec": body, "status": body}, {"metadata": body, "l4": body}):
            with contextlib.suppress(MalformedError):
                each("Object", [shape], read)
    for read in (agent_json.endpoints, agent_json.services, agent_json.policy_map, agent_json.peers):
        with contextlib.suppress(MalformedError):
            read(body)
