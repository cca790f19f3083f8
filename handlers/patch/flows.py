"""From the changes of both sides to flows: a flow opens when both of its sides let it through."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from handlers.model.rule import Direction
from handlers.patch.access import Access, Change, Level, change_of
from handlers.patch.effect import Comparison, SideChange
from handlers.patch.ports import PortRange, ranges_of
from handlers.policy.views import is_under_policy

EVERY_REQUEST = "every request"


@dataclass(frozen=True, slots=True, order=True)
class OpenedFlow:
    """One flow that a change opens: members' numbers, ports, and the requests when a proxy limits them."""

    source: int
    destination: int
    ports: PortRange
    requests: tuple[str, ...] = ()
    was_closed: bool = True
    """False where the connection passed before and the proxy now lets more requests through."""


def opened_flows(comparison: Comparison, changes: Iterable[SideChange]) -> tuple[OpenedFlow, ...]:
    """Give every flow that the side changes open, the other side taken into account."""
    touched: dict[tuple[int, int], set[PortRange]] = {}
    for one in changes:
        if one.change not in (Change.OPENED, Change.UNKNOWABLE):
            continue
        for subject in one.subjects:
            for peer in one.peers:
                pair = (subject, peer) if one.direction is Direction.EGRESS else (peer, subject)
                touched.setdefault(pair, set()).add(one.ports)
    found = (flow for pair, ports in touched.items() for flow in _of_pair(comparison, pair, ports))
    return tuple(sorted(_joined(found)))


def latent_pairs(comparison: Comparison, changes: Iterable[SideChange]) -> int:
    """Count the pairs that open on one side while their other side lets nothing through on those ports."""
    opened = {(flow.source, flow.destination) for flow in opened_flows(comparison, changes)}
    fitting: set[tuple[int, int]] = set()
    for one in changes:
        if one.change is Change.OPENED:
            outgoing = one.direction is Direction.EGRESS
            fitting.update((s, p) if outgoing else (p, s) for s in one.subjects for p in one.peers)
    return len(fitting - opened)


def _of_pair(comparison: Comparison, pair: tuple[int, int], ports: set[PortRange]) -> Iterator[OpenedFlow]:
    source, destination = pair
    universe = comparison.universe
    if universe[source].is_own_node and universe[destination].is_own_node:
        return
    for part in _cut(ports, _ranges_of_pair(comparison, pair)):
        sides = ((Direction.EGRESS, source, destination), (Direction.INGRESS, destination, source))
        before, after = ([comparison.access(*side, part, after=later) for side in sides] for later in (False, True))
        flow = _opened(pair, part, before, after)
        if flow is not None:
            yield flow


def _opened(pair: tuple[int, int], part: PortRange, before: list[Access], after: list[Access]) -> OpenedFlow | None:
    if any(side.level in (Level.CLOSED, Level.BROKEN) for side in after):
        return None
    limits = {text for side in after for text in map(str, side.requests)}
    if any(side.level in (Level.CLOSED, Level.BROKEN, Level.UNKNOWN) for side in before):
        return OpenedFlow(*pair, part, tuple(sorted(limits)))
    more = [(one, other) for one, other in zip(before, after, strict=True) if change_of(one, other) is Change.OPENED]
    if not more:
        return None
    added = {str(request) for one, other in more for request in other.requests - one.requests}
    return OpenedFlow(*pair, part, tuple(sorted(added)) or (EVERY_REQUEST,), was_closed=False)


def _ranges_of_pair(comparison: Comparison, pair: tuple[int, int]) -> tuple[PortRange, ...]:
    """Cut the ports where either side's rules tell them apart, before or after."""
    source, destination = pair
    found: set[PortRange] = set()
    for direction, number in ((Direction.EGRESS, source), (Direction.INGRESS, destination)):
        member = comparison.universe[number]
        if not is_under_policy(member.before, comparison.old.config):
            continue
        rules = (
            *comparison.old.rules_selecting(member.before, direction),
            *comparison.new.rules_selecting(member.after, direction),
        )
        found.update(ranges_of(rules, partial(comparison.old.resolve_name, direction, member.before)))
    return tuple(found)


def _cut(ports: set[PortRange], cuts: tuple[PortRange, ...]) -> Iterator[PortRange]:
    for one in ports:
        starts = {one.first} | {
            cut.first for cut in cuts if cut.protocol is one.protocol and one.first < cut.first <= one.last
        }
        ordered = sorted(starts)
        for start, following in zip(ordered, (*ordered[1:], one.last + 1), strict=True):
            yield PortRange(one.protocol, start, following - 1)


def _joined(flows: Iterable[OpenedFlow]) -> Iterator[OpenedFlow]:
    """Join adjacent ranges of one pair that let the same through."""
    previous: OpenedFlow | None = None
    ordered = sorted(flows, key=lambda one: (one.source, one.destination, one.was_closed, one.requests, one.ports))
    for flow in ordered:
        if previous is not None and _touches(previous, flow):
            ports = PortRange(flow.ports.protocol, previous.ports.first, max(previous.ports.last, flow.ports.last))
            previous = OpenedFlow(flow.source, flow.destination, ports, flow.requests, flow.was_closed)
            continue
        if previous is not None:
            yield previous
        previous = flow
    if previous is not None:
        yield previous


def _touches(one: OpenedFlow, other: OpenedFlow) -> bool:
    same = (one.source, one.destination, one.was_closed, one.requests, one.ports.protocol)
    return (
        same == (other.source, other.destination, other.was_closed, other.requests, other.ports.protocol)
        and other.ports.first <= one.ports.last + 1
    )
