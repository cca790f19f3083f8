"""Addresses outside the cluster, one for each class that policies tell apart."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address

from handlers.model.labels import Network
from handlers.model.party import Party
from handlers.policy.cidr import Address, parse_address
from handlers.policy.policy_set import PolicySet

_LENGTHS = {4: 32, 6: 128}


class Outside:
    """The world, as the policies of now cut it. ``more`` are further addresses to tell apart."""

    def __init__(self, old: PolicySet, more: Iterable[str]) -> None:
        """Remember what is special; parties are made when they are asked for."""
        self._old = old
        self._more = {address for address in map(parse_address, more) if address is not None}
        self._before: dict[Address, Party] = {}
        self._prefixes = frozenset(old.addresses.prefixes.values())
        self._known_pieces: dict[tuple[frozenset[Network], frozenset[Address]], list[tuple[str, Address]]] = {}

    def classes(self, new: PolicySet) -> Iterator[tuple[str, Party, Party]]:
        """Give a name and a sample of each class, as the policies of now see it and as the new ones do.

        A class is a piece into which known prefixes cut the world, or a special address: of the API server, or with a
        DNS name that some policy asks for. Addresses of nodes are not outside.
        """
        books = (self._old.addresses, new.addresses)
        special = {address for book in books for address in (*book.apiservers, *book.fqdn_labels)} | self._more
        nodes = set(books[0].nodes)
        for address in sorted(special - nodes, key=lambda one: (one.version, int(one))):
            yield str(address), self._now(address), new.party_of_ip(str(address))
        prefixes = self._prefixes | frozenset(new.addresses.prefixes.values())
        added = prefixes - self._prefixes
        taken = frozenset(special | nodes)
        for innermost, address in self._pieces(prefixes, taken):
            # Without a new prefix around it, an address keeps its identity.
            now = self._now(address)
            is_new = any(address in network for network in added if network.version == address.version)
            yield innermost, now, new.party_of_ip(str(address)) if is_new else now

    def _pieces(self, prefixes: frozenset[Network], taken: frozenset[Address]) -> list[tuple[str, Address]]:
        key = (prefixes, taken)
        found = self._known_pieces.get(key)
        if found is None:
            has_ipv6 = self._old.config.ipv6 or any(network.version == 6 for network in prefixes)
            found = [
                piece
                for version in ((4, 6) if has_ipv6 else (4,))
                for piece in _pieces(
                    version,
                    [network for network in prefixes if network.version == version],
                    {int(address) for address in taken if address.version == version},
                )
            ]
            self._known_pieces[key] = found
        return found

    def _now(self, address: Address) -> Party:
        found = self._before.get(address)
        if found is None:
            found = self._before[address] = self._old.party_of_ip(str(address))
        return found


def _pieces(version: int, prefixes: list[Network], taken: set[int]) -> Iterator[tuple[str, Address]]:
    """Give one free address of each prefix that is in no longer prefix, and one that is in none at all."""
    end_of_all = 1 << _LENGTHS[version]
    starts = {0}
    for network in prefixes:
        starts |= {int(network.network_address), int(network.broadcast_address) + 1}
    cuts = sorted(start for start in starts if start < end_of_all)
    ordered = sorted(prefixes, key=lambda one: (int(one.network_address), one.prefixlen), reverse=True)
    inside: list[Network] = []
    shown: set[str] = set()
    for start, end in zip(cuts, (*cuts[1:], end_of_all), strict=True):
        while inside and int(inside[-1].broadcast_address) < start:
            inside.pop()
        while ordered and int(ordered[-1].network_address) <= start:
            inside.append(ordered.pop())
        title = str(inside[-1]) if inside and inside[-1].prefixlen else "world"
        if title in shown:
            continue
        tried = range(start, min(end, start + len(taken) + 1))
        number = next((number for number in tried if number not in taken), None)
        if number is not None:
            shown.add(title)
            yield title, IPv4Address(number) if version == 4 else IPv6Address(number)
