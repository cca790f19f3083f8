"""Comparing two states of policy: accesses, ports, bit sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.model.decision import Redirect
from handlers.model.labels import Label, LabelSet, Source
from handlers.model.party import Party
from handlers.model.rule import HttpRule, LabelSelector, Operator, Requirement
from handlers.model.traffic import Protocol, Traffic
from handlers.patch.identify import labels_meaning
from handlers.policy.ports import covered
from handlers.reach.access import CLOSED, Access, Level, Widening, widening_of
from handlers.reach.bits import members, partition
from handlers.reach.ends import PodEnds
from handlers.reach.label_index import LabelIndex
from handlers.reach.ports import PortSpan, blocks, in_words, merged, spans_between, whole_span, without
from tests.patch.lab import CART, FRONTEND, LOADGEN, REDIS
from tests.policy.worlds import pod

OPEN = Access(Level.OPEN)
GET, POST = HttpRule(method="GET"), HttpRule(method="POST")
ONE = Access(Level.LIMITED, frozenset({GET}), Redirect.HTTP)
TWO = Access(Level.LIMITED, frozenset({GET, POST}), Redirect.HTTP)
OTHER = Access(Level.LIMITED, frozenset({POST}), Redirect.HTTP)
UNKNOWN = Access(Level.UNKNOWN)

CHANGES = {
    "closed to open": (CLOSED, OPEN, Widening.OPENED),
    "closed to some requests": (CLOSED, ONE, Widening.OPENED),
    "one request more": (ONE, TWO, Widening.OPENED),
    "some requests to all": (TWO, OPEN, Widening.OPENED),
    "another request instead": (ONE, OTHER, Widening.CLOSED),
    "one request less": (TWO, ONE, Widening.CLOSED),
    "open to some requests": (OPEN, ONE, Widening.CLOSED),
    "open to closed": (OPEN, CLOSED, Widening.CLOSED),
    "nothing": (ONE, ONE, Widening.SAME),
    "all names through the DNS proxy": (OPEN, Access(Level.OPEN, proxy=Redirect.DNS), Widening.SAME),
    "all requests through the HTTP proxy: not all traffic is HTTP": (
        OPEN, Access(Level.OPEN, proxy=Redirect.HTTP), Widening.CLOSED,
    ),
    "a handshake is demanded": (OPEN, Access(Level.OPEN, demands_authentication=True), Widening.CLOSED),
    "rules begin to contradict": (CLOSED, Access(Level.BROKEN), Widening.CLOSED),
    "unknown stays unknown": (UNKNOWN, UNKNOWN, Widening.UNKNOWABLE),
    "unknown becomes open": (UNKNOWN, OPEN, Widening.UNKNOWABLE),
    "open becomes unknown": (OPEN, UNKNOWN, Widening.CLOSED),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "change"), CHANGES.values(), ids=CHANGES)
def test_a_change_that_could_close_something_counts_as_closing(before: Access, after: Access, change: Widening) -> None:
    assert widening_of(before, after) is change


def test_ranges_join_and_read_well() -> None:
    ranges = [PortSpan(Protocol.TCP, 80, 80), PortSpan(Protocol.TCP, 81, 90), PortSpan(Protocol.UDP, 53, 53)]
    assert in_words(ranges) == ("80-90/TCP", "53/UDP")
    assert in_words(map(whole_span, Protocol)) == ("every port and protocol",)
    assert str(PortSpan(Protocol.ICMP, 8, 8)) == "ICMP type 8"
    assert str(PortSpan(Protocol.TCP, 1, 0xFFFF)) == "any port/TCP"


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_taking_a_port_out_of_a_range_leaves_all_others(first: int, more: int, port: int) -> None:
    whole = PortSpan(Protocol.TCP, first, first + more)
    parts = without(whole, Traffic(Protocol.TCP, port))
    left = {number for part in parts for number in range(part.first, part.last + 1)}
    assert left == set(range(first, first + more + 1)) - {port}


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 10)), max_size=8))
def test_merging_keeps_every_port_once(pieces: list[tuple[int, int]]) -> None:
    ranges = [PortSpan(Protocol.TCP, first, first + more) for first, more in pieces]
    joined = merged(ranges)
    numbers = [number for one in joined for number in range(one.first, one.last + 1)]
    assert sorted(numbers) == sorted({n for one in ranges for n in range(one.first, one.last + 1)})


def test_a_port_decides_alike_inside_a_block() -> None:
    for one in spans_between(Protocol.TCP, (*blocks(1000, 1200), 1201)):
        lengths = {covered(1000, 1200, port) for port in range(one.first, min(one.last, 3000) + 1)}
        assert len(lengths) == 1


KEYS = st.sampled_from(["app", "tier", "env"])
VALUES = st.sampled_from(["a", "b", ""])
IDENTITIES = st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=6)
REQUIREMENTS = st.builds(
    Requirement,
    st.sampled_from([Source.ANY, Source.K8S, Source.RESERVED]),
    KEYS,
    st.sampled_from(list(Operator)),
    st.tuples(VALUES),
)


@given(IDENTITIES, st.lists(REQUIREMENTS, max_size=3))
def test_masks_agree_with_matching_one_by_one(identities: list[dict[str, str]], clauses: list[Requirement]) -> None:
    sets = [LabelSet(tuple(Label(key, "k8s", value) for key, value in labels.items())) for labels in identities]
    selector = LabelSelector(tuple(clauses))
    assert members(LabelIndex(sets).selected(selector)) == [
        n for n, labels in enumerate(sets) if selector.matches(labels)
    ]


@given(st.integers(0, 255), st.lists(st.integers(0, 255), max_size=5))
def test_groups_are_what_the_masks_do_not_tell_apart(within: int, masks: list[int]) -> None:
    groups = partition(within, masks)
    assert sum(groups) == within
    for group in groups:
        assert all(group & mask in (0, group) for mask in masks)


MEANINGS = {
    "one label is enough": (CART, (CART, REDIS), ["app"]),
    "others share the name": (REDIS, (REDIS, pod("shop/redis", tier="cache")), ["app", "tier"]),
    "a version is no other workload": (pod("shop/cart", version="v1"), (CART, pod("shop/cart", version="v1")), ["app"]),
    "another namespace does not matter": (FRONTEND, (FRONTEND, pod("payments/frontend", tier="x")), ["app"]),
    "never the template's hash": (LOADGEN, (LOADGEN, pod("shop/loadgen", extra="yes")), ["app"]),
}


@pytest.mark.parametrize(("one", "everybody", "keys"), MEANINGS.values(), ids=MEANINGS)
def test_labels_that_mean_a_workload(one: Party, everybody: tuple[Party, ...], keys: list[str]) -> None:
    chosen = labels_meaning(one.labels, PodEnds.of_parties(everybody), complete=True)
    assert [label.key for label in chosen] == keys
