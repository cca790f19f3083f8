"""The ranges of ports that policies tell apart, and their words."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from handlers.model.decision import NamedPortFault
from handlers.model.rule import L4Protocol, PortProtocol, Rule
from handlers.model.traffic import Protocol, Traffic
from handlers.policy.ports import EXPANDED_ANY, MAX_PORT, covered, protocol_of

MAX_ICMP_TYPE = 0xFF
ResolveName = Callable[[str, L4Protocol], int | NamedPortFault]


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Adjacent ports of one protocol; for ICMP, types."""

    protocol: Protocol
    first: int
    last: int

    @property
    def width(self) -> int:
        """How many ports it holds."""
        return self.last - self.first + 1

    @property
    def is_whole(self) -> bool:
        """Whether it is every port of the protocol; port 0 is none that anybody uses."""
        return self.first <= 1 and self.last == _last_of(self.protocol)

    @property
    def sample(self) -> Traffic:
        """Traffic that stands for all of it."""
        return Traffic(self.protocol, self.first)

    def holds(self, traffic: Traffic) -> bool:
        """Tell whether the traffic is of this range."""
        return traffic.protocol is self.protocol and self.first <= traffic.port <= self.last

    def __str__(self) -> str:
        """Write ``8080/TCP``, ``30000-30200/TCP``, ``any port/UDP`` or ``ICMP type 8``."""
        if self.protocol.is_icmp:
            types = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
            return f"{self.protocol} any type" if self.is_whole else f"{self.protocol} type {types}"
        if self.is_whole:
            return f"any port/{self.protocol}"
        ports = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{ports}/{self.protocol}"


def _last_of(protocol: Protocol) -> int:
    return MAX_ICMP_TYPE if protocol.is_icmp else MAX_PORT


def ranges_of(rules: Iterable[Rule], resolve: ResolveName) -> tuple[PortRange, ...]:
    """Cut every protocol into ranges inside of which these rules decide alike.

    Where a proxy is involved, ranges are cut further at the aligned blocks that a port range becomes in the policy
    map, since there the longer block wins (pkg/policy/portrange.go:33-103).
    """
    listed = tuple(rules)
    ports = [port for rule in listed for ports_of in rule.ports for port in ports_of.ports]
    in_blocks = any(
        rule.authentication or one.l7 or one.listener or one.server_names or one.terminating_tls or one.originating_tls
        for rule in listed
        for one in rule.ports
    )
    return tuple(one for protocol in Protocol for one in _ranges(protocol, ports, resolve, in_blocks=in_blocks))


def _ranges(
    protocol: Protocol, ports: Iterable[PortProtocol], resolve: ResolveName, *, in_blocks: bool
) -> Iterator[PortRange]:
    last = _last_of(protocol)
    starts = {0}
    kind = protocol_of(protocol)
    for port in ports:
        if port.protocol is not kind and not (port.protocol is L4Protocol.ANY and kind in EXPANDED_ANY):
            continue
        first = resolve(port.name, kind) if port.name else port.port
        if isinstance(first, NamedPortFault) or (first == 0 and port.end_port in (0, MAX_PORT)):
            continue
        end = max(first, port.end_port)
        starts |= set(_blocks(first, end)) if in_blocks else {first}
        starts.add(end + 1)
    cuts = sorted(start for start in starts if start <= last)
    for index, start in enumerate(cuts):
        yield PortRange(protocol, start, cuts[index + 1] - 1 if index + 1 < len(cuts) else last)


def ranges_named(rules: Iterable[Rule], ranges: Iterable[PortRange], resolve: ResolveName) -> frozenset[PortRange]:
    """Give those of the ranges that one of the rules is about; a rule without ports is about all of them."""
    listed = tuple(ranges)
    found: set[PortRange] = set()
    for rule in rules:
        if not rule.ports:
            return frozenset(listed)
        entries = [port for ports in rule.ports for port in ports.ports]
        found |= {one for one in listed if any(_names(port, one, resolve) for port in entries)}
    return frozenset(found)


def _names(port: PortProtocol, one: PortRange, resolve: ResolveName) -> bool:
    kind = protocol_of(one.protocol)
    if port.protocol is not kind and not (port.protocol is L4Protocol.ANY and kind in EXPANDED_ANY):
        return False
    first = resolve(port.name, kind) if port.name else port.port
    return not isinstance(first, NamedPortFault) and covered(first, port.end_port, one.first) is not None


def _blocks(first: int, last: int) -> Iterator[int]:
    """Give the starts of the fewest aligned blocks that make up a range."""
    while first <= last:
        yield first
        size = (first & -first) if first else MAX_PORT + 1
        while first + size - 1 > last:
            size //= 2
        first += size


def merged(ranges: Iterable[PortRange]) -> tuple[PortRange, ...]:
    """Join ranges that touch or overlap."""
    joined: list[PortRange] = []
    for one in sorted(ranges):
        previous = joined[-1] if joined else None
        if previous is not None and previous.protocol is one.protocol and one.first <= previous.last + 1:
            joined[-1] = PortRange(one.protocol, previous.first, max(previous.last, one.last))
        else:
            joined.append(one)
    return tuple(joined)


def without(one: PortRange, traffic: Traffic) -> tuple[PortRange, ...]:
    """Take one port out of a range."""
    if not one.holds(traffic):
        return (one,)
    parts = (
        PortRange(one.protocol, one.first, traffic.port - 1),
        PortRange(one.protocol, traffic.port + 1, one.last),
    )
    return tuple(part for part in parts if part.first <= part.last)


def in_words(ranges: Iterable[PortRange]) -> tuple[str, ...]:
    """Write ranges; all of everything is one phrase."""
    joined = merged(ranges)
    if len(joined) == len(Protocol) and all(one.is_whole for one in joined):
        return ("every port and protocol",)
    return tuple(map(str, joined))
