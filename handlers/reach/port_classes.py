"""The kinds of traffic that policies tell apart: ports about which all policies say the same are one class."""

from collections.abc import Iterable
from dataclasses import dataclass

from handlers.model.rule import L4Protocol
from handlers.model.traffic import Protocol, Traffic
from handlers.policy.ports import covered, protocol_of
from handlers.reach.entries import WHOLE, Aspect, Ports
from handlers.reach.matrix import Matrix
from handlers.reach.ports import PortSpan, blocks, merged, spans_between

_MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class PortClass:
    """Ports that no policy tells apart; ``is_rest`` are those that no policy names."""

    spans: tuple[PortSpan, ...]
    is_rest: bool

    @property
    def sample(self) -> Traffic:
        """One kind of traffic of the class, which stands for all."""
        return Traffic(self.spans[0].protocol, self.spans[0].first)

    @property
    def width(self) -> int:
        """How many ports it holds."""
        return sum(span.width for span in self.spans)

    def has(self, traffic: Traffic) -> bool:
        """Tell whether this traffic is of the class."""
        return any(span.holds(traffic) for span in self.spans)

    def __str__(self) -> str:
        """Write the ports; those that no policy names are "every other port", or "every port" where none is named."""
        if self.is_rest:
            return "every port" if all(span.is_whole for span in self.spans) else "every other port"
        shown = [str(span) for span in self.spans[:_MOST_SHOWN]]
        more = len(self.spans) - len(shown)
        return ", ".join([*shown, *([f"{more} more ranges"] if more else [])])


def port_classes(*matrices: Matrix, by_request: bool = False) -> tuple[PortClass, ...]:
    """Give the classes of ports that the policies of these matrices distinguish, those that no policy names last.

    ``by_request`` tells ports apart on which a proxy may pass other requests, too: of a range that it looks at, the
    blocks that the policy map holds it in.
    """
    contents: dict[object, int] = {}
    sides = [side for matrix in matrices for side in matrix.sides.values()]
    named: dict[Ports, int] = {}
    is_proxied = False
    for ports in dict.fromkeys(ports for side in sides for ports in side.ports):
        # Equal contents under different ports get one number: that is what makes the ports of a class alike.
        contained = tuple(side.content(ports) for side in sides)
        named[ports] = contents.setdefault(contained, len(contents))
        is_proxied |= any(aspect is Aspect.REDIRECT for content in contained for aspect, _, _ in content)
    by_block = by_request and is_proxied
    found: dict[frozenset[tuple[int, int | None]], list[PortSpan]] = {}
    for protocol in Protocol:
        relevant = {ports: number for ports, number in named.items() if _is_about(ports, protocol)}
        for span in spans_between(protocol, _starts(relevant, by_block=by_block)):
            covering = ((number, _covered(ports, span.first)) for ports, number in relevant.items())
            said = frozenset(
                (number, length if by_block else None) for number, length in covering if length is not None
            )
            found.setdefault(said, []).append(span)
    rest = {number for ports, number in named.items() if ports == WHOLE}
    classes = [PortClass(merged(spans), is_rest={one[0] for one in said} == rest) for said, spans in found.items()]
    return tuple(sorted(classes, key=lambda one: (one.is_rest, one.spans)))


def _is_about(ports: Ports, protocol: Protocol) -> bool:
    return ports.protocol is L4Protocol.ANY or ports.protocol is protocol_of(protocol)


def _covered(ports: Ports, port: int) -> int | None:
    """Give how long the prefix of the block is that a port lies in, None for a port that is not covered."""
    return 0 if ports.protocol is L4Protocol.ANY else covered(ports.port, ports.end_port, port)


def _starts(relevant: Iterable[Ports], *, by_block: bool) -> Iterable[int]:
    """Give the ports at which an entry begins, and those behind which it ends."""
    for ports in relevant:
        last = max(ports.port, ports.end_port)
        yield from (ports.port, last + 1)
        if by_block and ports.end_port:
            yield from blocks(ports.port, last)
