"""Which flows a query wants, decided the same way for a stream and for a file."""

import heapq
import ipaddress
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from handlers.model.flow import Flow
from handlers.model.scope import FlowMatch, FlowQuery


class FlowKey(NamedTuple):
    """The few fields that queries compare; addresses as Hubble spells them."""

    source: str
    """``namespace/pod``; ``/`` where there is none."""
    source_ip: str
    source_port: int | None
    destination: str
    destination_ip: str
    destination_port: int | None
    verdict: str


def key_of(flow: Flow) -> FlowKey:
    """Return the key of a flow."""
    source, destination = flow.source, flow.destination
    return FlowKey(
        source=f"{source.namespace}/{source.pod}",
        source_ip=source.ip,
        source_port=source.port,
        destination=f"{destination.namespace}/{destination.pod}",
        destination_ip=destination.ip,
        destination_port=destination.port,
        verdict=flow.verdict,
    )


def wanted_by(query: FlowQuery) -> Callable[[FlowKey], bool]:
    """Return the question whether any of the query's matches takes a flow; without matches every flow is taken."""
    tests = [_test(match) for match in query.any_of]
    if not tests:
        return lambda key: True
    if len(tests) == 1:
        return tests[0]
    return lambda key: any(test(key) for test in tests)


def in_window(query: FlowQuery, time: datetime) -> bool:
    """Whether a flow lies in the asked window, both ends included."""
    return query.since <= time <= query.until


class Timed(Protocol):
    """A flow, or what will be one."""

    @property
    def time(self) -> datetime:
        """When it was seen."""
        ...


T = TypeVar("T", bound=Timed)


class Newest(Generic[T]):
    """The newest flows of a query, at most ``limit``; of the same time, those offered last."""

    def __init__(self, query: FlowQuery) -> None:
        self._limit = max(0, query.limit)
        self._heap: list[tuple[datetime, int, T]] = []
        self._offered = 0

    def offer(self, flow: T) -> None:
        """Keep a flow, until newer ones take its place."""
        self._offered += 1
        entry = (flow.time, self._offered, flow)
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, entry)
        elif self._heap:
            heapq.heappushpop(self._heap, entry)

    def is_too_old(self, time: datetime) -> bool:
        """Whether a flow of this time would not be kept, and would not be the first to be left out."""
        return self.is_cut and bool(self._heap) and time < self._heap[0][0]

    @property
    def kept(self) -> tuple[T, ...]:
        """The flows in the order of their times; of the same time, in that of their offers."""
        return tuple(flow for _, _, flow in sorted(self._heap, key=lambda entry: entry[:2]))

    @property
    def is_cut(self) -> bool:
        """Whether more were offered than are kept."""
        return self._offered > self._limit


def _test(match: FlowMatch) -> Callable[[FlowKey], bool]:
    from_pod, to_pod = _pod_test(match.source_pods), _pod_test(match.destination_pods)
    from_ip, to_ip = _address_test(match.source_ips), _address_test(match.destination_ips)
    from_port, to_port = frozenset(match.source_ports), frozenset(match.destination_ports)
    verdicts = frozenset(match.verdicts)

    def test(key: FlowKey) -> bool:
        return (
            (from_pod is None or from_pod(key.source))
            and (to_pod is None or to_pod(key.destination))
            and (from_ip is None or from_ip(key.source_ip))
            and (to_ip is None or to_ip(key.destination_ip))
            and (not from_port or key.source_port in from_port)
            and (not to_port or key.destination_port in to_port)
            and (not verdicts or key.verdict in verdicts)
        )

    return test


def _pod_test(pods: Sequence[str]) -> Callable[[str], bool] | None:
    if not pods:
        return None
    whole = frozenset(pods)
    namespaces = frozenset(pod for pod in pods if pod.endswith("/"))
    return lambda pod: pod in whole or pod.partition("/")[0] + "/" in namespaces


def _address_test(addresses: Sequence[str]) -> Callable[[str], bool] | None:
    if not addresses:
        return None
    whole = frozenset(addresses)
    networks = [ipaddress.ip_network(item, strict=False) for item in addresses if "/" in item]
    if not networks:
        return whole.__contains__

    def test(address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return address in whole or any(parsed in network for network in networks)

    return test
