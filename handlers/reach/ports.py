"""Ranges of ports, and their words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.model.traffic import Protocol, Traffic
from handlers.policy.ports import MAX_PORT

_LIMITS = {
    Protocol.TCP: (1, MAX_PORT),
    Protocol.UDP: (1, MAX_PORT),
    Protocol.SCTP: (1, MAX_PORT),
    Protocol.ICMP: (0, 0xFF),
    Protocol.ICMPV6: (0, 0xFF),
}


@dataclass(frozen=True, slots=True, order=True)
class PortSpan:
    """Neighbouring ports of one protocol; for ICMP, types."""

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
        return self == whole_span(self.protocol)

    def holds(self, traffic: Traffic) -> bool:
        """Tell whether the traffic is of this span."""
        return traffic.protocol is self.protocol and self.first <= traffic.port <= self.last

    def __str__(self) -> str:
        """Write ``80/TCP``, ``8000-8999/TCP``, ``any port/TCP`` or ``ICMP type 8``."""
        if self.is_whole:
            return f"{self.protocol} any type" if self.protocol.is_icmp else f"any port/{self.protocol}"
        numbers = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} type {numbers}" if self.protocol.is_icmp else f"{numbers}/{self.protocol}"


def whole_span(protocol: Protocol) -> PortSpan:
    """Give all ports of a protocol."""
    return PortSpan(protocol, *_LIMITS[protocol])


def spans_between(protocol: Protocol, starts: Iterable[int]) -> Iterator[PortSpan]:
    """Cut all ports of a protocol where one of these numbers begins."""
    whole = whole_span(protocol)
    ordered = sorted({whole.first, *(start for start in starts if whole.first < start <= whole.last)})
    for first, following in zip(ordered, [*ordered[1:], whole.last + 1], strict=True):
        yield PortSpan(protocol, first, following - 1)


def blocks(first: int, last: int) -> Iterator[int]:
    """Give the starts of the fewest aligned blocks that make up a range, as the policy map holds it.

    Where a proxy is involved they matter: the longer block wins (pkg/policy/portrange.go:33-103).
    """
    while first <= last:
        yield first
        size = (first & -first) if first else MAX_PORT + 1
        while first + size - 1 > last:
            size //= 2
        first += size


def merged(spans: Iterable[PortSpan]) -> tuple[PortSpan, ...]:
    """Join spans that touch or overlap."""
    joined: list[PortSpan] = []
    for one in sorted(spans):
        previous = joined[-1] if joined else None
        if previous is not None and previous.protocol is one.protocol and one.first <= previous.last + 1:
            joined[-1] = PortSpan(one.protocol, previous.first, max(previous.last, one.last))
        else:
            joined.append(one)
    return tuple(joined)


def without(span: PortSpan, traffic: Traffic) -> tuple[PortSpan, ...]:
    """Take one port out of a span."""
    if not span.holds(traffic):
        return (span,)
    parts = (
        PortSpan(span.protocol, span.first, traffic.port - 1),
        PortSpan(span.protocol, traffic.port + 1, span.last),
    )
    return tuple(part for part in parts if part.first <= part.last)


def in_words(spans: Iterable[PortSpan]) -> tuple[str, ...]:
    """Write spans; all of everything is one phrase."""
    joined = merged(spans)
    if len(joined) == len(Protocol) and all(one.is_whole for one in joined):
        return ("every port and protocol",)
    return tuple(map(str, joined))
