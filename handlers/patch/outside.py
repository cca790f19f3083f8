"""Addresses outside the cluster, one for each class that policies tell apart."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address

from handlers.model.labels import Network
from handlers.policy.cidr import Address, parse_address
from handlers.policy.policy_set import PolicySet

_LENGTHS = {4: 32, 6: 128}


def classes_of(sets: Iterable[PolicySet], more: Iterable[str]) -> Iterator[tuple[str, Address]]:
    """Give a name and an address for each piece into which known prefixes and special addresses cut the world.

    ``more`` are further addresses to tell apart. Addresses of nodes are left out: they are not outside.
    """
    books = tuple(policies.addresses for policies in sets)
    prefixes = {network for book in books for network in book.prefixes.values()}
    special = {address for book in books for address in (*book.apiservers, *book.fqdn_labels)}
    special |= {address for address in map(parse_address, more) if address is not None}
    nodes = {address for book in books for address in book.nodes}
    for address in sorted(special - nodes, key=lambda one: (one.version, int(one))):
        yield str(address), address
    ipv6 = any(policies.config.ipv6 for policies in sets) or any(network.version == 6 for network in prefixes)
    for version in (4, 6) if ipv6 else (4,):
        known = [network for network in prefixes if network.version == version]
        taken = {int(address) for address in special | nodes if address.version == version}
        yield from _pieces(version, known, taken)


def _pieces(version: int, prefixes: list[Network], taken: set[int]) -> Iterator[tuple[str, Address]]:
    length = _LENGTHS[version]
    starts = {0}
    for network in prefixes:
        starts |= {int(network.network_address), int(network.broadcast_address) + 1}
    cuts = sorted(start for start in starts if start < 1 << length)
    inside: list[Network] = []
    ordered = sorted(prefixes, key=lambda one: (int(one.network_address), one.prefixlen), reverse=True)
    for start, end in zip(cuts, (*cuts[1:], 1 << length), strict=True):
        while inside and int(inside[-1].broadcast_address) < start:
            inside.pop()
        while ordered and int(ordered[-1].network_address) <= start:
            inside.append(ordered.pop())
        tried = range(start, min(end, start + len(taken) + 1))
        number = next((number for number in tried if number not in taken), None)
        if number is not None:
            named = inside[-1] if inside and inside[-1].prefixlen else None
            yield str(named) if named else "world", IPv4Address(number) if version == 4 else IPv6Address(number)
