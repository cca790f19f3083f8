"""The small matchers: port ranges, DNS patterns, regular expressions, label selectors, numbers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.model.labels import LabelSet
from handlers.model.rule import Operator, Requirement
from handlers.policy.fqdn import name_matches
from handlers.policy.ports import covered
from handlers.policy.syntax import is_service_name, label_key_fault, parse_unsigned
from tests.sampling import examples


@settings(max_examples=examples(100))
@given(start=st.integers(1, 65535), width=st.integers(0, 300), offset=st.integers(-3, 303))
def test_a_range_covers_exactly_its_ports_with_an_aligned_block(start: int, width: int, offset: int) -> None:
    end, port = min(start + width, 65535), start + offset
    if not 0 < port <= 65535:
        return
    bits = covered(start, end, port)
    assert (bits is not None) is (start <= port <= end)
    if bits is not None:
        size = 1 << (16 - bits)
        low = port - port % size
        assert start <= low
        assert low + size - 1 <= end
        wider = low - low % (2 * size)
        assert size > width or not (start <= wider and wider + 2 * size - 1 <= end) or bits == 0


@pytest.mark.parametrize(
    ("start", "end", "port", "bits"),
    [(0, 0, 80, 0), (0, 65535, 80, 0), (80, 0, 80, 16), (80, 79, 80, 16), (80, 0, 81, None), (8, 15, 9, 13)],
)
def test_wildcards_and_single_ports(start: int, end: int, port: int, bits: int | None) -> None:
    assert covered(start, end, port) == bits


@pytest.mark.parametrize(
    ("pattern", "name", "old", "new"),
    [
        ("*.example.com", "a.example.com", True, True),
        ("*.example.com", "a.b.example.com", False, False),
        ("*.example.com", "example.com", False, False),
        ("*example.com", "myexample.com", True, True),
        ("*example.com", "example.com.", True, True),
        ("sub*.Example.com", "SUBDOMAIN.example.com", True, True),
        ("a*c*e.com", "abcde.com", True, True),
        ("a*c*e.com", "abde.com", False, False),
        ("*", "anything.at.all", True, True),
        ("*", "odd name.test", False, False),
        ("**.example.com", "a.example.com", True, True),
        ("**.example.com", "a.b.example.com", False, True),
        ("**.example.com", "example.com", False, False),
    ],
)
def test_dns_patterns(pattern: str, name: str, old: bool, new: bool) -> None:
    assert name_matches(name, "", pattern, double_star=False) is old
    assert name_matches(name, "", pattern, double_star=True) is new


LABELS = LabelSet.parse(["k8s:app=web", "reserved:world", "cidr:10.1.0.0/16"])


@pytest.mark.parametrize(
    ("requirement", "matches"),
    [
        (Requirement("any", "app", Operator.EQUALS, ("web",)), True),
        (Requirement("container", "app", Operator.EQUALS, ("web",)), False),
        (Requirement("k8s", "app", Operator.NOT_IN, ("web",)), False),
        (Requirement("k8s", "gone", Operator.NOT_IN, ("web",)), True),
        (Requirement("k8s", "gone", Operator.DOES_NOT_EXIST), True),
        (Requirement("cidr", "10.0.0.0/8", Operator.EXISTS), True),
        (Requirement("cidr", "10.0.0.0/8", Operator.EQUALS, ("",)), True),
        (Requirement("cidr", "10.1.2.0/24", Operator.EXISTS), False),
        (Requirement("cidr", "10.1.2.0/24", Operator.DOES_NOT_EXIST), True),
        (Requirement("reserved", "world", Operator.EQUALS, ("",)), True),
    ],
)
def test_requirements(requirement: Requirement, matches: bool) -> None:
    assert requirement.matches(LABELS) is matches


@pytest.mark.parametrize(
    ("text", "number"),
    [("80", 80), ("0x50", 80), ("0b11", 3), ("010", 8), ("1_000", 1000), ("65536", None), ("-1", None), ("8 0", None)],
)
def test_numbers_as_the_agent_reads_them(text: str, number: int | None) -> None:
    assert parse_unsigned(text, 16) == number


@pytest.mark.parametrize(
    ("name", "is_name"),
    [("http", True), ("1a", True), ("80", False), ("a--b", False), ("-a", False), ("a" * 16, False)],
)
def test_port_names(name: str, is_name: bool) -> None:
    assert is_service_name(name) is is_name


@pytest.mark.parametrize(
    ("key", "fault"),
    [("any.app", ""), ("k8s.App.io/x", "prefix"), ("a/b/c", "slash"), ("a" * 64, "longer"), ("", "empty")],
)
def test_label_keys(key: str, fault: str) -> None:
    assert fault in label_key_fault(key)
    assert bool(label_key_fault(key)) is bool(fault)
