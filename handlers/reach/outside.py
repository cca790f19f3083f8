"""Addresses outside the cluster: one for each piece into which policies cut the world."""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import islice

from handlers.model.labels import Network, Source
from handlers.model.party import Party
from handlers.policy.cidr import Address, parse_address
from handlers.policy.policy_set import PolicySet

MOST_OUTSIDE = 3000
"""Addresses looked at; beyond, the prefixes of the policies are too many to take apart."""

_LENGTHS = {4: 32, 6: 128}
_WORLDS = {4: int(IPv4Address("192.0.2.1")), 6: int(IPv6Address("2001:db8::1"))}


def outside_addresses(
    sets: Iterable[PolicySet], special: Iterable[str], taken: Iterable[Address]
) -> tuple[tuple[str, ...], bool]:
    """Give an address of each piece of the world that some set of policies tells apart, and whether these are all.

    ``special`` are addresses that are told apart for what is known of them; ``taken`` are those of pods.
    """
    networks: dict[tuple[int, int, int], Network] = {}
    found: dict[Address, None] = {}
    inside = set(taken)
    has_ipv6 = False
    for policies in sets:
        book = policies.addresses
        networks.update(book.prefixes)
        inside.update(book.nodes)
        has_ipv6 |= policies.config.ipv6
        found.update(dict.fromkeys((*book.apiservers, *book.fqdn_labels)))
    found.update((address, None) for address in map(parse_address, special) if address is not None)
    for version in (4, 6):
        cuts = [network for network in networks.values() if network.version == version]
        if cuts or version == 4 or has_ipv6:
            found.update(dict.fromkeys(_pieces(version, cuts, inside)))
    kept = tuple(str(address) for address in found if address not in inside)
    return kept[:MOST_OUTSIDE], len(kept) <= MOST_OUTSIDE


def _pieces(version: int, networks: Iterable[Network], inside: set[Address]) -> Iterator[Address]:
    """Give a free address of each stretch between the borders of prefixes."""
    kind: Callable[[int], Address] = IPv4Address if version == 4 else IPv6Address
    starts = {0}
    for network in networks:
        starts |= {int(network.network_address), int(network.broadcast_address) + 1}
    ends = sorted(start for start in starts if start < 1 << _LENGTHS[version])
    for start, following in zip(ends, (*ends[1:], 1 << _LENGTHS[version]), strict=True):
        usual = _WORLDS[version] if start <= _WORLDS[version] < following else start
        tried = (usual, *range(start, min(following, start + len(inside) + 1)))
        yield from islice((address for address in map(kind, tried) if address not in inside), 1)


def outside_title(party: Party, addresses: Iterable[str]) -> str:
    """Name somebody outside: by DNS names, by prefix, or as the world."""
    first = next(iter(addresses), "")
    if party.fqdn_names:
        return listed(party.fqdn_names)
    prefixes = sorted(label.key for label in party.labels if label.source == Source.CIDR)
    groups = sorted(label.key.rpartition("/")[2] for label in party.labels if label.source == Source.CIDR_GROUP)
    if party.labels.has_reserved("kube-apiserver"):
        return f"kube-apiserver {first}"
    if prefixes:
        return prefixes[-1].replace("-", ":") + (f" (group {groups[0]})" if groups else "")
    return "world over IPv6" if ":" in first else "world"


def listed(names: Iterable[str], most: int = 2) -> str:
    """Write names; a long list is cut short."""
    found = list(names)
    shown = ", ".join(found[:most])
    return shown if len(found) <= most else f"{shown} and {len(found) - most} more"
