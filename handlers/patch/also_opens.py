"""Who and what a patch opens besides the asked flow, one by one and in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from handlers.model.report import AlsoOpens
from handlers.model.rule import Direction
from handlers.model.traffic import Traffic
from handlers.patch.identify import labels_meaning, own_workload_labels
from handlers.patch.scene import Compared
from handlers.reach.access import Widening, access, widening_of
from handlers.reach.compare import ChangeKind
from handlers.reach.ends import ClusterEnd, PodEnds
from handlers.reach.narrow import Narrowed
from handlers.reach.ports import PortSpan, in_words, without

EVERY_REQUEST = "every request"
_MOST_REQUESTS = 3


@dataclass(frozen=True, slots=True, order=True)
class OpenedFlow:
    """One flow that a change opens: numbers of ends, ports, and the requests when a proxy limits them."""

    source: int
    destination: int
    ports: PortSpan
    requests: tuple[str, ...] = ()
    was_closed: bool = True
    """False where the connection passed before and the proxy now lets more requests through."""


def opened_flows(change: Narrowed) -> tuple[OpenedFlow, ...]:
    """Give every flow that a change opens, pair by pair."""
    number_of = {id(end): number for number, end in enumerate(change.rosters[1].ends)}
    found: list[OpenedFlow] = []
    for turn in change.flows:
        is_wider = turn.kind is ChangeKind.REQUESTS
        if not (turn.may_open or is_wider):
            continue
        pairs = product((number_of[id(end)] for end in turn.sources), (number_of[id(end)] for end in turn.destinations))
        for (source, destination), ports in product(pairs, turn.ports):
            requests = _requests(change, source, destination, ports.sample, only_more=is_wider)
            found.extend(
                OpenedFlow(source, destination, span, requests, was_closed=not is_wider) for span in ports.spans
            )
    return tuple(sorted(found))


def _requests(change: Narrowed, source: int, destination: int, traffic: Traffic, *, only_more: bool) -> tuple[str, ...]:
    """Give the requests that a proxy lets through, or those that it did not let through before."""
    found: set[str] = set()
    for direction, subject, peer in (
        (Direction.EGRESS, source, destination),
        (Direction.INGRESS, destination, source),
    ):
        before, after = (
            access(policies, direction, roster.ends[subject].party, roster.ends[peer].party, traffic)
            for policies, roster in zip(change.policies, change.rosters, strict=True)
        )
        if not only_more:
            found.update(map(str, after.requests))
        elif widening_of(before, after) is Widening.OPENED:
            found.update(map(str, after.requests - before.requests))
    return tuple(sorted(found)) or ((EVERY_REQUEST,) if only_more else ())


def besides(flows: Iterable[OpenedFlow], compared: Compared, asked: Traffic) -> tuple[OpenedFlow, ...]:
    """Leave the asked flow out, for everybody whom policy cannot tell from the asked ends."""
    return tuple(
        OpenedFlow(flow.source, flow.destination, ports, flow.requests, flow.was_closed)
        for flow in flows
        for ports in (without(flow.ports, asked) if compared.is_asked(flow.source, flow.destination) else (flow.ports,))
    )


def titles_of(pods: PodEnds, ends: Sequence[ClusterEnd], numbers: Iterable[int], *, complete: bool) -> dict[int, str]:
    """Name ends so that no two share a name: ``shop/app=cart (cart-55ccf-852ks, +1)``, ``world``, ``10.0.0.0/8``."""
    found: dict[int, str] = {}
    taken: dict[str, int] = {}
    for number in dict.fromkeys(numbers):
        end = ends[number]
        labels = end.party.labels
        if number >= len(pods.ends):
            found[number] = end.title
            continue
        chosen = labels_meaning(labels, pods, complete=complete) if complete else ()
        for candidate in (chosen or own_workload_labels(labels), own_workload_labels(labels), tuple(labels)):
            words = ",".join(f"{label.key}={label.value}" for label in candidate) or "pods without labels"
            title = f"{labels.namespace}/{words}"
            if taken.setdefault(title, number) == number:
                break
        found[number] = title + _carriers(end)
    return found


def _carriers(end: ClusterEnd) -> str:
    first = min((pod.name for pod in end.pods if pod.name), default="")
    if not first:
        return f" ({end.count} pods)" if end.count > 1 else "" if end.pods else " (its pods were not read)"
    return f" ({first}, +{end.count - 1})" if end.count > 1 else f" ({first})"


def also_opens(change: Narrowed, flows: Iterable[OpenedFlow], *, complete: bool) -> tuple[AlsoOpens, ...]:
    """Write flows: one entry for each pair and range of ports; ``count`` is how many pairs of pods that is now."""
    ends = change.rosters[1].ends
    groups: dict[tuple[int, int, tuple[str, ...]], list[OpenedFlow]] = {}
    for flow in flows:
        groups.setdefault((flow.source, flow.destination, flow.requests), []).append(flow)
    numbers = (number for source, destination, _ in groups for number in (source, destination))
    titles = titles_of(change.pods, ends, numbers, complete=complete)
    return tuple(
        AlsoOpens(
            titles[source],
            titles[destination],
            f"{port} for {requests_listed(requests)}" if requests else port,
            ends[source].count * ends[destination].count,
        )
        for (source, destination, requests), of_pair in groups.items()
        for port in in_words(flow.ports for flow in of_pair)
    )


def requests_listed(requests: tuple[str, ...]) -> str:
    """Write requests in a phrase; a long list is cut short."""
    shown = ", ".join(requests[:_MOST_REQUESTS])
    return f"{shown} and {len(requests) - _MOST_REQUESTS} more" if len(requests) > _MOST_REQUESTS else shown


def requests_in_words(flows: Iterable[OpenedFlow]) -> tuple[str, ...]:
    """Give the requests to which a proxy limits the asked flow; none when it is not limited."""
    found = {request for flow in flows for request in flow.requests}
    return () if EVERY_REQUEST in found else tuple(sorted(found))
