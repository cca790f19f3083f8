"""Laws of what decides on a packet that leaves: the narrowest range, whoever wrote it, in whatever order."""

import ipaddress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from handlers.egress.choice import choose, entry_in_force
from handlers.egress.policy import EgressPolicy, read_policy
from handlers.model.agent import EgressGatewayEntry
from handlers.model.cluster import PolicyObject
from tests.sampling import examples

RANGES = some.sampled_from(["0.0.0.0/0", "203.0.0.0/16", "203.0.113.0/24", "203.0.113.8/30", "203.0.113.9/32", "x", ""])
LISTS = some.lists(RANGES, max_size=4)
ADDRESS = "203.0.113.9"


def policy(name: str, taken: list[str], excluded: list[str]) -> EgressPolicy:
    spec: dict[str, Any] = {
        "selectors": [{"podSelector": {}}],
        "destinationCIDRs": taken,
        "excludedCIDRs": excluded,
        "egressGateway": {"nodeSelector": {"matchLabels": {"gateway": name}}},
    }
    return read_policy(PolicyObject("CiliumEgressGatewayPolicy", "", name, {"spec": spec}, None))


def written(policies: list[EgressPolicy]) -> tuple[EgressGatewayEntry, ...]:
    """Return the map as agents write it: one policy after the other, the excluded ranges last."""
    entries: dict[str, EgressGatewayEntry] = {}
    for one in policies:
        for cidr, _ in one.destinations:
            entries[cidr] = EgressGatewayEntry("10.0.0.1", cidr, None, one.name)
        for cidr, _ in one.excluded:
            entries[cidr] = EgressGatewayEntry("10.0.0.1", cidr, None, "Excluded CIDR")
    return tuple(entries.values())


POLICIES = some.lists(some.tuples(LISTS, LISTS), max_size=3).map(
    lambda bodies: [policy(f"p{index}", *body) for index, body in enumerate(bodies)]
)


@given(POLICIES)
@settings(max_examples=examples(50), deadline=None)
def test_one_of_the_deciding_entries_is_what_agents_write(policies: list[EgressPolicy]) -> None:
    choice = choose(policies, ADDRESS)
    found = entry_in_force(written(policies), ("10.0.0.1",), ADDRESS)
    meant = {"Excluded CIDR" if entry.is_excluded else entry.policy.name for entry in choice.deciding}
    assert (found is None) == (not meant)
    assert found is None or found.gateway_ip in meant


@given(POLICIES, some.randoms(use_true_random=False))
@settings(max_examples=examples(40), deadline=None)
def test_the_order_of_policies_decides_nothing(policies: list[EgressPolicy], random: Any) -> None:
    shuffled = random.sample(policies, len(policies))
    assert choose(shuffled, ADDRESS) == choose(policies, ADDRESS)


@given(POLICIES)
@settings(max_examples=examples(40), deadline=None)
def test_what_decides_holds_the_address_and_nothing_narrower_does(policies: list[EgressPolicy]) -> None:
    choice = choose(policies, ADDRESS)
    lengths = {ipaddress.ip_network(entry.cidr).prefixlen for entry in choice.deciding}
    others = {ipaddress.ip_network(entry.cidr).prefixlen for entry in choice.overruled}
    assert len(lengths) <= 1
    assert all(length < max(lengths) for length in others)
