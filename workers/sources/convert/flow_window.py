"""Which flows a query wants, decided the same way for a stream and for a file."""

import ipaddress
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

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


class Newest:
    """The newest flows of a query, at most ``limit``; however many are offered, few more than twice that are held."""

    def __init__(self, query: FlowQuery) -> None:
        self._limit = max(0, query.limit)
        self._flows: list[Flow] = []
        self._is_cut = False

    def offer(self, flow: Flow) -> None:
        """Keep a flow, until newer ones take its place."""
        self._flows.append(flow)
        if len(self._flows) > 2 * self._limit + 1_000:
            self._cut()

    @property
    def kept(self) -> tuple[Flow, ...]:
        """The flows in the order of their times; of the same time, in that of their offers."""
        self._cut()
        return tuple(self._flows)

    @property
    def is_cut(self) -> bool:
        """Whether more were offered than are kept."""
        return self._is_cut or len(self._flows) > self._limit

    def _cut(self) -> None:
        self._is_cut = self.is_cut
        self._flows.sort(key=lambda flow: flow.time)
        del self._flows[: max(0, len(self._flows) - self._limit)]


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
