"""What the cluster's DNS servers get from the servers that they forward to: by their packets, and by their logs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from handlers.lookups.resolver import CLUSTER_DOMAIN
from handlers.lookups.seen import DNS_PORT, PATIENCE
from handlers.model.flow import Flow
from handlers.model.log import PodLog

_TIMED_OUT = re.compile(r"->\[?(?P<server>[0-9a-fA-F:.]+?)\]?:(?P<port>\d+): (?P<what>i/o timeout|[a-z :]*refused)")
"""CoreDNS's words for a forward that failed: ``read udp 10.0.0.1:4242->198.18.10.53:53: i/o timeout``."""
_GOT = re.compile(r'"\S+ IN (?P<name>\S+?)\.? [^"]*" NOERROR\b')
"""What CoreDNS's plugin log says of a query that was answered."""
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_LONGEST_LINE = 500
NEWS = timedelta(minutes=2)
"""How young a line of a log is that speaks of now, where nothing later is known."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One server outside. Times are None where nothing of the kind was seen; ``waits`` counts queries since the
    last answer."""

    address: str
    asked: int
    asked_at: datetime | None
    answered_at: datetime | None
    waits: int
    failures: int = 0
    failed_at: datetime | None = None
    line: str = ""
    """The newest line of a log that says so."""
    pod: str = ""

    def is_silent(self, until: datetime) -> bool:
        """Whether it does not answer now: newer failures than answers, and time enough for one."""
        told = self.failed_at is not None and until - self.failed_at <= NEWS
        later = self.answered_at is not None and self.failed_at is not None and self.answered_at > self.failed_at
        waited = self.waits > 1 and self.asked_at is not None and until - self.asked_at > PATIENCE
        return waited or (told and not later)


def upstreams(flows: Iterable[Flow], servers: frozenset[str], logs: Iterable[PodLog]) -> tuple[Upstream, ...]:
    """Return the servers that these pods of the cluster's DNS ask, those that fail most first."""
    flows = tuple(flows)
    asked: dict[str, list[datetime]] = {}
    answered: dict[str, list[datetime]] = {}
    for flow in flows:
        if flow.source.ip in servers and flow.destination.port == DNS_PORT and flow.destination.ip not in servers:
            asked.setdefault(flow.destination.ip, []).append(flow.time)
        if flow.destination.ip in servers and flow.source.port == DNS_PORT and flow.source.ip not in servers:
            answered.setdefault(flow.source.ip, []).append(flow.time)
    failures: dict[str, list[tuple[datetime, str, str]]] = {}
    for log in logs:
        got = list(_outside_names_got(log))
        for address, at, line in _failures(log):
            failures.setdefault(address, []).append((at, line, f"{log.namespace}/{log.pod}"))
            # Which upstream gave a name is not told; a name outside that was got after a failure outdates it.
            answered.setdefault(address, []).extend(got)
    found = [
        _upstream(address, asked.get(address, []), answered.get(address, []), failures.get(address, []))
        for address in asked.keys() | failures.keys()
    ]
    return tuple(sorted(found, key=lambda one: (-one.failures, -one.waits, one.address)))


def _upstream(
    address: str, asked: list[datetime], answered: list[datetime], failures: list[tuple[datetime, str, str]]
) -> Upstream:
    last = max(answered, default=None)
    newest = max(failures, default=None)
    waits = sum(last is None or at > last for at in asked)
    found = Upstream(address, len(asked), max(asked, default=None), last, waits, len(failures))
    if newest is None:
        return found
    at, line, pod = newest
    return Upstream(address, len(asked), found.asked_at, last, waits, len(failures), failed_at=at, line=line, pod=pod)


def _failures(log: PodLog) -> Iterator[tuple[str, datetime, str]]:
    for at, line in _lines(log):
        if failed := _TIMED_OUT.search(line):
            yield failed["server"], at, line


def _outside_names_got(log: PodLog) -> Iterator[datetime]:
    """Yield when names outside the cluster were answered, as far as the log tells queries at all."""
    for at, line in _lines(log):
        got = _GOT.search(line)
        if got and not got["name"].endswith(CLUSTER_DOMAIN):
            yield at


def _lines(log: PodLog) -> Iterator[tuple[datetime, str]]:
    """Yield the lines that bear a time, without it, cut to what a reader needs and to what can be printed."""
    for line in log.lines or ():
        stamp = _STAMP.match(line)
        if stamp is None:
            continue
        try:
            at = datetime.fromisoformat(stamp[1]).replace(tzinfo=UTC)
        except ValueError:
            continue
        text = line[stamp.end() : stamp.end() + _LONGEST_LINE]
        yield at, "".join(one if one.isprintable() else " " for one in text).strip()
