"""Comparing two states of policy: accesses, ports, bit sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.model.decision import Redirect
from handlers.model.labels import Label, LabelSet, Source
from handlers.model.rule import HttpRule, L4Protocol, LabelSelector, Operator, PortProtocol, Requirement
from handlers.model.traffic import Protocol, Traffic
from handlers.patch.access import CLOSED, Access, Change, Level, change_of
from handlers.patch.ground import Ground, bits, partition
from handlers.patch.identify import labels_meaning
from handlers.patch.known import KnownIdentity
from handlers.patch.ports import PortRange, _ranges, in_words, merged, without
from handlers.policy.ports import covered
from tests.patch.lab import CART, FRONTEND, LOADGEN, REDIS
from tests.policy.worlds import pod

OPEN = Access(Level.OPEN)
GET, POST = HttpRule(method="GET"), HttpRule(method="POST")
ONE = Access(Level.LIMITED, frozenset({GET}), Redirect.HTTP)
TWO = Access(Level.LIMITED, frozenset({GET, POST}), Redirect.HTTP)
OTHER = Access(Level.LIMITED, frozenset({POST}), Redirect.HTTP)
UNKNOWN = Access(Level.UNKNOWN)

CHANGES = {
    "closed to open": (CLOSED, OPEN, Change.OPENED),
    "closed to some requests": (CLOSED, ONE, Change.OPENED),
    "one request more": (ONE, TWO, Change.OPENED),
    "some requests to all": (TWO, OPEN, Change.OPENED),
    "another request instead": (ONE, OTHER, Change.CLOSED),
    "one request less": (TWO, ONE, Change.CLOSED),
    "open to some requests": (OPEN, ONE, Change.CLOSED),
    "open to closed": (OPEN, CLOSED, Change.CLOSED),
    "nothing": (ONE, ONE, Change.SAME),
    "all names through the DNS proxy": (OPEN, Access(Level.OPEN, proxy=Redirect.DNS), Change.SAME),
    "all requests through the HTTP proxy: not all traffic is HTTP": (
        OPEN, Access(Level.OPEN, proxy=Redirect.HTTP), Change.CLOSED,
    ),
    "a handshake is demanded": (OPEN, Access(Level.OPEN, demands_authentication=True), Change.CLOSED),
    "rules begin to contradict": (CLOSED, Access(Level.BROKEN), Change.CLOSED),
    "unknown stays unknown": (UNKNOWN, UNKNOWN, Change.UNKNOWABLE),
    "unknown becomes open": (UNKNOWN, OPEN, Change.UNKNOWABLE),
    "open becomes unknown": (OPEN, UNKNOWN, Change.CLOSED),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "change"), CHANGES.values(), ids=CHANGES)
def test_a_change_that_could_close_something_counts_as_closing(before: Access, after: Access, change: Change) -> None:
    assert change_of(before, after) is change


def test_ranges_join_and_read_well() -> None:
    ranges = [PortRange(Protocol.TCP, 80, 80), PortRange(Protocol.TCP, 81, 90), PortRange(Protocol.UDP, 53, 53)]
    assert in_words(ranges) == ("80-90/TCP", "53/UDP")
    assert in_words([PortRange(one, 0, 0xFF if one.is_icmp else 0xFFFF) for one in Protocol]) == (
        "every port and protocol",
    )
    assert str(PortRange(Protocol.ICMP, 8, 8)) == "ICMP type 8"
    assert str(PortRange(Protocol.TCP, 0, 0xFFFF)) == "any port/TCP"


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_taking_a_port_out_of_a_range_leaves_all_others(first: int, more: int, port: int) -> None:
    whole = PortRange(Protocol.TCP, first, first + more)
    parts = without(whole, Traffic(Protocol.TCP, port))
    left = {number for part in parts for number in range(part.first, part.last + 1)}
    assert left == set(range(first, first + more + 1)) - {port}


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 10)), max_size=8))
def test_merging_keeps_every_port_once(pieces: list[tuple[int, int]]) -> None:
    ranges = [PortRange(Protocol.TCP, first, first + more) for first, more in pieces]
    joined = merged(ranges)
    numbers = [number for one in joined for number in range(one.first, one.last + 1)]
    assert sorted(numbers) == sorted({n for one in ranges for n in range(one.first, one.last + 1)})


def test_a_port_decides_alike_inside_a_range() -> None:
    entry = PortProtocol(port=1000, end_port=1200, protocol=L4Protocol.TCP, pointer="")
    for one in _ranges(Protocol.TCP, [entry], lambda name, protocol: 0, in_blocks=True):
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
    ground = Ground([KnownIdentity(labels) for labels in sets])
    assert list(bits(ground.mask(selector))) == [n for n, labels in enumerate(sets) if selector.matches(labels)]


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
def test_labels_that_mean_a_workload(one: object, everybody: tuple[object, ...], keys: list[str]) -> None:
    ground = Ground([KnownIdentity(party.labels) for party in everybody])  # type: ignore[attr-defined]
    chosen = labels_meaning(one.labels, ground, complete=True)  # type: ignore[attr-defined]
    assert [label.key for label in chosen] == keys
