"""The kinds of traffic that policies tell apart: ports about which all policies say the same are one class."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from handlers.model.rule import L4Protocol
from handlers.model.traffic import Protocol, Traffic
from handlers.policy.ports import covered, protocol_of
from handlers.reach.entries import WHOLE, Ports
from handlers.reach.matrix import Matrix

_LIMITS = {
    Protocol.TCP: (1, 0xFFFF),
    Protocol.UDP: (1, 0xFFFF),
    Protocol.SCTP: (1, 0xFFFF),
    Protocol.ICMP: (0, 0xFF),
    Protocol.ICMPV6: (0, 0xFF),
}
_MOST_SHOWN = 6


@dataclass(frozen=True, slots=True, order=True)
class PortSpan:
    """Neighbouring ports of one protocol; for ICMP, types."""

    protocol: Protocol
    first: int
    last: int

    @property
    def is_whole(self) -> bool:
        """Whether it is every port of the protocol."""
        return (self.first, self.last) == _LIMITS[self.protocol]

    def __str__(self) -> str:
        """Write ``80/TCP``, ``8000-8999/TCP``, ``TCP`` or ``ICMP type 8``."""
        if self.is_whole:
            return str(self.protocol)
        numbers = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} type {numbers}" if self.protocol.is_icmp else f"{numbers}/{self.protocol}"


def whole_span(protocol: Protocol) -> PortSpan:
    """Give all ports of a protocol."""
    return PortSpan(protocol, *_LIMITS[protocol])


@dataclass(frozen=True, slots=True)
class PortClass:
    """Ports that no policy tells apart; ``is_rest`` are those that no policy names."""

    spans: tuple[PortSpan, ...]
    is_rest: bool

    @property
    def sample(self) -> Traffic:
        """One kind of traffic of the class, which stands for all."""
        return Traffic(self.spans[0].protocol, self.spans[0].first)

    def has(self, traffic: Traffic) -> bool:
        """Tell whether this traffic is of the class."""
        return any(span.protocol is traffic.protocol and span.first <= traffic.port <= span.last for span in self.spans)

    def __str__(self) -> str:
        """Write the ports; those that no policy names are "every other port", or "every port" where none is named."""
        if self.is_rest:
            return "every port" if all(span.is_whole for span in self.spans) else "every other port"
        shown = [str(span) for span in self.spans[:_MOST_SHOWN]]
        more = len(self.spans) - len(shown)
        return ", ".join([*shown, *([f"{more} more ranges"] if more else [])])


def port_classes(*matrices: Matrix) -> tuple[PortClass, ...]:
    """Give the classes of ports that the policies of these matrices distinguish, those that no policy names last."""
    contents: dict[object, int] = {}
    sides = [side for matrix in matrices for side in matrix.sides.values()]
    named: dict[Ports, int] = {}
    for ports in dict.fromkeys(ports for side in sides for ports in side.ports):
        # Equal contents under different ports get one number: that is what makes the ports of a class alike.
        contained = tuple(side.content(ports) for side in sides)
        named[ports] = contents.setdefault(contained, len(contents))
    found: dict[frozenset[int], list[PortSpan]] = {}
    for protocol in Protocol:
        relevant = {ports: number for ports, number in named.items() if _is_about(ports, protocol)}
        for span in _spans(protocol, relevant):
            said = frozenset(number for ports, number in relevant.items() if _covers(ports, span.first))
            found.setdefault(said, []).append(span)
    rest = frozenset(number for ports, number in named.items() if ports == WHOLE)
    classes = [PortClass(tuple(_joined(spans)), is_rest=said == rest) for said, spans in found.items()]
    return tuple(sorted(classes, key=lambda one: (one.is_rest, one.spans)))


def _is_about(ports: Ports, protocol: Protocol) -> bool:
    return ports.protocol is L4Protocol.ANY or ports.protocol is protocol_of(protocol)


def _covers(ports: Ports, port: int) -> bool:
    return ports.protocol is L4Protocol.ANY or covered(ports.port, ports.end_port, port) is not None


def _spans(protocol: Protocol, relevant: Iterable[Ports]) -> Iterator[PortSpan]:
    """Cut the ports of a protocol wherever an entry begins or ends."""
    low, high = _LIMITS[protocol]
    starts = {low}
    for ports in relevant:
        last = max(ports.port, ports.end_port)
        starts.update(start for start in (ports.port, last + 1) if low < start <= high)
    ordered = sorted(starts)
    for first, following in zip(ordered, [*ordered[1:], high + 1], strict=True):
        yield PortSpan(protocol, first, following - 1)


def _joined(spans: Sequence[PortSpan]) -> Iterator[PortSpan]:
    """Join neighbours that fell into one class."""
    current = None
    for span in sorted(spans):
        if current is not None and current.protocol is span.protocol and current.last + 1 == span.first:
            current = PortSpan(span.protocol, current.first, span.last)
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current
