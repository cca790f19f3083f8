"""Who and what a patch opens, in words."""

from collections.abc import Iterable, Iterator

from handlers.model.report import AlsoOpens
from handlers.model.traffic import Traffic
from handlers.patch.flows import EVERY_REQUEST, OpenedFlow
from handlers.patch.identify import labels_meaning, own_workload_labels
from handlers.patch.ports import in_words, without
from handlers.patch.universe import Universe

_MOST_REQUESTS = 3


def titles_of(universe: Universe, numbers: Iterable[int], *, complete: bool) -> dict[int, str]:
    """Name members so that no two share a name: ``shop/app=cart (cart-55ccf-852ks, +1)``, ``world``, ``10.0.0.0/8``."""
    found: dict[int, str] = {}
    taken: dict[str, int] = {}
    for number in dict.fromkeys(numbers):
        member = universe[number]
        if member.title:
            found[number] = member.title
            continue
        labels = member.before.labels
        chosen = labels_meaning(labels, universe.ground, complete=complete) if complete else ()
        for candidate in (chosen or own_workload_labels(labels), own_workload_labels(labels), tuple(labels)):
            words = ",".join(f"{label.key}={label.value}" for label in candidate) or "pods without labels"
            title = f"{labels.namespace}/{words}"
            if taken.setdefault(title, number) == number:
                break
        found[number] = title + _samples(member.samples, member.count)
    return found


def _samples(samples: tuple[str, ...], count: int) -> str:
    first = next((name.rpartition("/")[2] for name in samples if name), "")
    if not first:
        return f" ({count} pods)" if count > 1 else ""
    return f" ({first}, +{count - 1})" if count > 1 else f" ({first})"


def besides(flows: Iterable[OpenedFlow], pair: tuple[int | None, int | None], asked: Traffic) -> tuple[OpenedFlow, ...]:
    """Leave the asked flow out."""
    return tuple(part for flow in flows for part in _besides(flow, pair, asked))


def _besides(flow: OpenedFlow, pair: tuple[int | None, int | None], asked: Traffic) -> Iterator[OpenedFlow]:
    if (flow.source, flow.destination) != pair or not flow.ports.holds(asked):
        yield flow
        return
    for ports in without(flow.ports, asked):
        yield OpenedFlow(flow.source, flow.destination, ports, flow.requests, flow.was_closed)


def also_opens(universe: Universe, flows: Iterable[OpenedFlow], *, complete: bool) -> tuple[AlsoOpens, ...]:
    """Write flows: one entry for each pair and range of ports; ``count`` is how many pairs of pods that is now."""
    listed = tuple(flows)
    numbers = (number for flow in listed for number in (flow.source, flow.destination))
    titles = titles_of(universe, numbers, complete=complete)
    groups: dict[tuple[int, int, tuple[str, ...]], list[OpenedFlow]] = {}
    for flow in listed:
        groups.setdefault((flow.source, flow.destination, flow.requests), []).append(flow)
    return tuple(
        AlsoOpens(
            titles[source],
            titles[destination],
            f"{port} for {requests_listed(requests)}" if requests else port,
            universe[source].count * universe[destination].count,
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
