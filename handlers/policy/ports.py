"""Port entries: reading them, and the prefixes that a range becomes in the policy map."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from handlers.model.decision import NamedPortFault
from handlers.model.party import NamedPort
from handlers.model.rule import L4Protocol, PortProtocol
from handlers.model.traffic import Protocol
from handlers.policy.config import PolicyConfig
from handlers.policy.shapes import PolicyError, as_mapping, integer_of, list_of, text_of
from handlers.policy.syntax import is_service_name, parse_unsigned
from handlers.policy.versions import EXTENDED_PROTOCOLS, TUNNEL_PROTOCOLS

MAX_PORT = 0xFFFF
_PORT_BITS = 16
_INT32 = 0x7FFFFFFF
_MAX_FIELDS = 40

_WRITTEN_PROTOCOLS = {
    "": L4Protocol.ANY,
    "ANY": L4Protocol.ANY,
    "TCP": L4Protocol.TCP,
    "UDP": L4Protocol.UDP,
    "SCTP": L4Protocol.SCTP,
}
_EXTENDED_PROTOCOLS = {"VRRP": L4Protocol.VRRP, "IGMP": L4Protocol.IGMP}
_TUNNEL_PROTOCOLS = {
    "GRE": L4Protocol.GRE,
    "IPIP": L4Protocol.IPIP,
    "IPV6": L4Protocol.IPV6,
    "ESP": L4Protocol.ESP,
    "AH": L4Protocol.AH,
}
_TRAFFIC_PROTOCOLS = {
    Protocol.TCP: L4Protocol.TCP,
    Protocol.UDP: L4Protocol.UDP,
    Protocol.SCTP: L4Protocol.SCTP,
    Protocol.ICMP: L4Protocol.ICMP,
    Protocol.ICMPV6: L4Protocol.ICMPV6,
}
EXPANDED_ANY = (L4Protocol.TCP, L4Protocol.UDP, L4Protocol.SCTP)
"""What a port without a protocol means: not ICMP (pkg/policy/rule.go:413-421)."""


def protocol_of(protocol: Protocol) -> L4Protocol:
    """Give the policy protocol of the traffic's protocol."""
    return _TRAFFIC_PROTOCOLS[protocol]


def parse_protocol(text: str, pointer: str, config: PolicyConfig) -> L4Protocol:
    """Read a protocol name; raises PolicyError (pkg/policy/api/utils.go, ParseL4Proto)."""
    written = text.upper()
    protocol = _WRITTEN_PROTOCOLS.get(written) or _portless_protocols(config).get(written)
    if protocol is None:
        raise PolicyError(f"invalid protocol, must be {{ tcp | udp | sctp | vrrp | igmp | any }} ({pointer})")
    return protocol


def _portless_protocols(config: PolicyConfig) -> Mapping[str, L4Protocol]:
    if config.holds(TUNNEL_PROTOCOLS):
        return _EXTENDED_PROTOCOLS | _TUNNEL_PROTOCOLS
    return _EXTENDED_PROTOCOLS if config.holds(EXTENDED_PROTOCOLS) else {}


def read_cilium_port(
    item: object, pointer: str, config: PolicyConfig, *, has_dns: bool, has_rules: bool
) -> PortProtocol:
    """Read an entry of ``toPorts[].ports``.

    Raises PolicyError (pkg/policy/api/rule_validation.go, PortProtocol.sanitize).
    """
    entry = as_mapping(item, pointer)
    port_text = text_of(entry, "port", pointer)
    end_port = integer_of(entry, "endPort", pointer, -_INT32 - 1, _INT32)
    protocol_text = text_of(entry, "protocol", pointer)
    name, port = "", 0
    if not port_text:
        if not (config.extended_protocols and config.holds(EXTENDED_PROTOCOLS)):
            raise PolicyError(f"port must be specified ({pointer})")
    elif is_service_name(port_text):
        name = port_text.lower()
    else:
        if port_text != "0" and protocol_text in _portless_protocols(config):
            raise PolicyError(f"port must be empty or 0 ({pointer})")
        number = parse_unsigned(port_text, _PORT_BITS)
        if number is None:
            raise PolicyError(f"unable to parse port ({pointer})")
        port = number
        if has_rules and port == 0:
            raise PolicyError(f"L7 rules can not be used when a port is 0 ({pointer})")
        if has_dns and end_port > port:
            raise PolicyError(f"DNS rules do not support port ranges ({pointer})")
    return PortProtocol(
        port=port,
        end_port=end_port & MAX_PORT,
        protocol=parse_protocol(protocol_text, pointer, config),
        pointer=pointer,
        name=name,
    )


_ICMP_TYPES = {
    "EchoReply": 0,
    "DestinationUnreachable": 3,
    "Redirect": 5,
    "Echo": 8,
    "EchoRequest": 8,
    "RouterAdvertisement": 9,
    "RouterSelection": 10,
    "TimeExceeded": 11,
    "ParameterProblem": 12,
    "Timestamp": 13,
    "TimestampReply": 14,
    "Photuris": 40,
    "ExtendedEchoRequest": 42,
    "ExtendedEchoReply": 43,
}
_ICMPV6_TYPES = {
    "DestinationUnreachable": 1,
    "PacketTooBig": 2,
    "TimeExceeded": 3,
    "ParameterProblem": 4,
    "EchoRequest": 128,
    "EchoReply": 129,
    "MulticastListenerQuery": 130,
    "MulticastListenerReport": 131,
    "MulticastListenerDone": 132,
    "RouterSolicitation": 133,
    "RouterAdvertisement": 134,
    "NeighborSolicitation": 135,
    "NeighborAdvertisement": 136,
    "RedirectMessage": 137,
    "RouterRenumbering": 138,
    "ICMPNodeInformationQuery": 139,
    "ICMPNodeInformationResponse": 140,
    "InverseNeighborDiscoverySolicitation": 141,
    "InverseNeighborDiscoveryAdvertisement": 142,
    "HomeAgentAddressDiscoveryRequest": 144,
    "HomeAgentAddressDiscoveryReply": 145,
    "MobilePrefixSolicitation": 146,
    "MobilePrefixAdvertisement": 147,
    "DuplicateAddressRequestCodeSuffix": 157,
    "DuplicateAddressConfirmationCodeSuffix": 158,
    "ExtendedEchoRequest": 160,
    "ExtendedEchoReply": 161,
}


def read_icmp(item: object, pointer: str) -> tuple[PortProtocol, ...]:
    """Read an entry of ``icmps``: the type stands where ports stand (pkg/policy/api/icmp.go). Raises PolicyError."""
    entry = as_mapping(item, pointer)
    fields = list_of(entry, "fields", pointer)
    if len(fields) > _MAX_FIELDS:
        raise PolicyError(f"too many types, the max is {_MAX_FIELDS} ({pointer})")
    return tuple(_read_icmp_field(field, f"{pointer}/fields/{index}") for index, field in enumerate(fields))


def _read_icmp_field(item: object, pointer: str) -> PortProtocol:
    entry: Mapping[str, object] = as_mapping(item, pointer)
    family = text_of(entry, "family", pointer)
    if family not in ("", "IPv4", "IPv6"):
        raise PolicyError(f"wrong family ({pointer})")
    protocol, names = (L4Protocol.ICMPV6, _ICMPV6_TYPES) if family == "IPv6" else (L4Protocol.ICMP, _ICMP_TYPES)
    written = entry.get("type")
    number: int | None
    if isinstance(written, str):
        number = names.get(written)
        if number is None:
            number = int(written) if written.isascii() and written.isdigit() and len(written) <= 5 else None
    elif isinstance(written, int) and not isinstance(written, bool):
        number = written
    else:
        number = None
    if number is None or not 0 <= number <= MAX_PORT:
        raise PolicyError(f"ICMP type not found ({pointer}/type)")
    return PortProtocol(port=number, end_port=0, protocol=protocol, pointer=pointer)


def covered(start: int, end: int, port: int) -> int | None:
    """Give the length of the prefix with which a range covers a port in the policy map, or None when it does not.

    A range is split into the fewest aligned blocks, and the longer prefix wins between two allows
    (pkg/policy/portrange.go:33-103). Length 0 is the wildcard; an end that is not above the start counts as absent.
    """
    if start == 0 and end in (0, MAX_PORT):
        return 0
    if end <= start:
        return _PORT_BITS if port == start else None
    if not start <= port <= end:
        return None
    # The split yields, for each port, the largest aligned block around it that stays inside the range.
    bits = _PORT_BITS
    while bits > 0:
        size = 1 << (_PORT_BITS - bits + 1)
        low = port & ~(size - 1)
        if low < start or low + size - 1 > end:
            break
        bits -= 1
    return bits


def resolve_ingress_name(name: str, protocol: L4Protocol, ports: Iterable[NamedPort]) -> int | NamedPortFault:
    """Resolve a port name among the container ports of the subject itself (pkg/types/portmap.go, NamedPortMap)."""
    by_name = {port.name.lower(): port for port in ports if is_service_name(port.name) and 0 < port.port <= MAX_PORT}
    port = by_name.get(name)
    if port is None:
        return NamedPortFault.UNKNOWN
    return port.port if _same_protocol(port, protocol) else NamedPortFault.OTHER_PROTOCOL


def _same_protocol(port: NamedPort, protocol: L4Protocol) -> bool:
    return (port.protocol or "TCP").upper() == protocol.upper()


@dataclass(frozen=True, slots=True)
class NamedPortTable:
    """The port names of all pods, as egress resolves them; a name with two numbers stands for none."""

    numbers: Mapping[tuple[str, str], frozenset[int]]
    names: frozenset[str]

    @classmethod
    def of(cls, ports: Iterable[NamedPort]) -> "NamedPortTable":
        """Index port names; names that are no port names and numbers out of range do not count."""
        numbers: dict[tuple[str, str], set[int]] = {}
        for port in ports:
            if is_service_name(port.name) and 0 < port.port <= MAX_PORT:
                key = (port.name.lower(), (port.protocol or "TCP").upper())
                numbers.setdefault(key, set()).add(port.port)
        return cls(
            numbers={key: frozenset(values) for key, values in numbers.items()},
            names=frozenset(name for name, _ in numbers),
        )

    def numbers_of(self, name: str, protocol: L4Protocol) -> frozenset[int]:
        """Give every number that a name stands for."""
        return self.numbers.get((name, protocol.upper()), frozenset())

    def some(self, name: str, protocol: L4Protocol) -> int | NamedPortFault:
        """Give one number that a name stands for, whichever."""
        found = self.numbers_of(name, protocol)
        return min(found) if found else self.resolve(name, protocol)

    def resolve(self, name: str, protocol: L4Protocol) -> int | NamedPortFault:
        """Resolve a name for all whose ports these are (pkg/types/portmap.go, namedPortMultiMap.GetNamedPort)."""
        found = self.numbers_of(name, protocol)
        if len(found) == 1:
            return next(iter(found))
        if found:
            return NamedPortFault.AMBIGUOUS
        return NamedPortFault.OTHER_PROTOCOL if name in self.names else NamedPortFault.UNKNOWN
