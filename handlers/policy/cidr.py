"""CIDR peers, and the identity of an address.

An address that belongs to nothing in the cluster takes the identity of the longest prefix that some policy, CIDR
group or DNS answer made known; a CIDR clause then compares labels, not addresses (pkg/ipcache/metadata.go,
resolveLabels; pkg/policy/api/cidr.go). That is why CIDRs never select pods, and why ``except`` only carves out of its
own entry.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeVar

from handlers.model.labels import CIDR_GROUP_NAME_PREFIX, Label, Network, Source
from handlers.model.rule import LabelSelector, Operator, Peer, Requirement
from handlers.policy.config import PolicyConfig
from handlers.policy.selectors import reserved_selector
from handlers.policy.shapes import PolicyError
from handlers.policy.versions import ZERO_PREFIX_IS_WORLD

Address = IPv4Address | IPv6Address
Place = TypeVar("Place")

_SHORTEST = {4: 16, 6: 48}


def parse_address(text: str) -> Address | None:
    """Read an IP address strictly, as Go's netip.ParseAddr; an IPv4-mapped one becomes IPv4; None when it is none."""
    if not text.isascii():
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def parse_prefix(text: str) -> Network | None:
    """Read ``address/length`` strictly, as Go's netip.ParsePrefix, host bits dropped; None when it is none."""
    address, separator, length = text.partition("/")
    if not separator or not length.isascii() or not length.isdigit() or (len(length) > 1 and length[0] == "0"):
        return None
    if not address.isascii() or "%" in address or len(length) > 3:
        return None
    try:
        return ip_network((ip_address(address), int(length)), strict=False)
    except ValueError:
        return None


def check_cidr(text: str, pointer: str) -> None:
    """Check an entry of ``toCIDR`` or ``fromCIDR``, which may be a bare address as far as the agent is concerned.

    Raises PolicyError (pkg/policy/api/rule_validation.go, CIDR.sanitize).
    """
    if not text:
        raise PolicyError(f"IP must be specified ({pointer})")
    if parse_prefix(text) is None and parse_address(text) is None:
        raise PolicyError(f"unable to parse CIDR: {pointer} is no address or prefix")


def network_of(text: str) -> Network | None:
    """Read a prefix, or an address as the prefix of only itself; None when it is neither."""
    prefix = parse_prefix(text)
    if prefix is not None:
        return prefix
    address = parse_address(text)
    return None if address is None else ip_network(address)


def cidr_key(network: Network) -> str:
    """Write a prefix as the key of a ``cidr:`` label: dashes for colons (pkg/labels/cidr.go, maskedIPToLabel)."""
    address = str(network.network_address)
    if ":" in address:
        address = f"0{address}" if address.startswith(":") else address
        address = f"{address}0" if address.endswith(":") else address
        address = address.replace(":", "-")
    return f"{address}/{network.prefixlen}"


def cidr_label(network: Network) -> Label:
    """Give the label of a prefix."""
    return Label(key=cidr_key(network), source=Source.CIDR)


def world_label(version: int, config: PolicyConfig) -> Label:
    """Give the label of the world for an IP version: with dual stack it names the version (pkg/labels/cidr.go)."""
    name = "world" if not config.dual_stack else f"world-ipv{version}"
    return Label(key=name, source=Source.RESERVED)


def prefix_requirement(network: Network, operator: Operator, config: PolicyConfig) -> Requirement:
    """Demand that a prefix contains the peer, or that it does not.

    In newer versions a prefix of length zero is the world's label and nothing else (pkg/labels/cidr.go).
    """
    values = ("",) if operator is Operator.EQUALS else ()
    if network.prefixlen == 0 and config.holds(ZERO_PREFIX_IS_WORLD):
        other_family = config.ipv6 if network.version == 4 else config.ipv4
        name = f"world-ipv{network.version}" if other_family else "world"
        return Requirement(Source.RESERVED, name, operator, values)
    return Requirement(Source.CIDR, cidr_key(network), operator, values)


def cidr_selectors(network: Network, excepts: Iterable[Network], config: PolicyConfig) -> tuple[LabelSelector, ...]:
    """Compile a prefix with its carve-outs; a prefix of length zero also means the world's own label.

    That label is there because no identity carries a ``cidr:`` label of length zero (pkg/labels/cidr.go,
    GetCIDRLabels).
    """
    carved = tuple(
        prefix_requirement(one, Operator.DOES_NOT_EXIST, config)
        for one in sorted(set(excepts), key=lambda one: (one.version, int(one.network_address), one.prefixlen))
    )
    selectors = [LabelSelector((prefix_requirement(network, Operator.EXISTS, config), *carved))]
    if network.prefixlen == 0 and not config.holds(ZERO_PREFIX_IS_WORLD):
        world = world_label(network.version, config)
        selectors.append(LabelSelector((Requirement(world.source, world.key, Operator.EXISTS), *carved)))
    return tuple(selectors)


def held_by(peer: Peer, places: Iterable[tuple[Place, Network]]) -> Iterator[Place]:
    """Yield whose addresses a CIDR peer covers: where those are pods, the peer is meant for them and selects none.

    Nobody's for a prefix so short that it usually means a private network, of which pods are a part by chance.
    """
    network = network_of(peer.cidr)
    if network is None or network.prefixlen < _SHORTEST[network.version]:
        return
    excepted = [one for one in map(network_of, peer.excepts) if one is not None]
    for place, of_place in places:
        if _covers(network, of_place) and not any(_covers(one, of_place) for one in excepted):
            yield place


def _covers(network: Network, other: Network) -> bool:
    return network.version == other.version and (
        int(network.network_address) <= int(other.network_address)
        and int(other.broadcast_address) <= int(network.broadcast_address)
    )


def group_name_key(name: str) -> str:
    """Give the key of the label that the prefixes of a CIDR group carry.

    Source: pkg/policy/api/cidr.go, LabelForCIDRGroupRef.
    """
    return f"{CIDR_GROUP_NAME_PREFIX}/{name}"


def plain_cidr_selectors(text: str, config: PolicyConfig) -> tuple[LabelSelector, ...]:
    """Compile an entry of ``toCIDR`` or ``fromCIDR``.

    Unlike in ``toCIDRSet``, only the literal texts 0.0.0.0/0 and ::/0 mean the world in older versions
    (pkg/policy/api/cidr.go:90-130 of 1.18).
    """
    network = network_of(text)
    if network is None:
        return ()
    selectors = [LabelSelector((prefix_requirement(network, Operator.EQUALS, config),))]
    enabled = {"0.0.0.0/0": config.ipv4, "::/0": config.ipv6}
    if enabled.get(text) and not config.holds(ZERO_PREFIX_IS_WORLD):
        selectors.append(reserved_selector(world_label(network.version, config).key))
    return tuple(selectors)
