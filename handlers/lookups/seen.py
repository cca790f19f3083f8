"""What flows show of an endpoint's look-ups, name by name.

A resolver tries a name under each search suffix before it tries the name itself (``ndots``), and most of these do not
exist: NXDOMAIN for them is no fault. A name is wrong only where all that was tried for it does not exist. Names and
answers are seen where queries pass the agent's proxy; else there are packets alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from handlers.lookups.resolver import Resolver
from handlers.model.flow import Flow, FlowLog, FlowVerdict

DNS_PORT = 53
PATIENCE = timedelta(seconds=5)
"""How long a resolver waits for an answer (resolv.conf(5): timeout)."""
_SERVFAIL, _NXDOMAIN = 2, 3
_LONGEST = timedelta(seconds=30)
"""Queries that are older than this belong to another look-up from the same port."""


class Fate(StrEnum):
    """How a look-up ended."""

    ANSWERED = "answered"
    NOT_THERE = "NXDOMAIN"
    FAILED = "SERVFAIL"
    ERROR = "another error"
    REFUSED = "REFUSED by the proxy"
    SILENCE = "no answer"


@dataclass(frozen=True, slots=True)
class Lookup:
    """One name that was asked for, and how it ended the last time.

    ``query`` is the name on the wire that tells; ``noise`` counts other names that were tried for it and do not exist;
    ``took`` is how long the answer took.
    """

    name: str
    query: str
    fate: Fate
    at: datetime
    count: int
    noise: int = 0
    rcode: int = 0
    took: timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Query:
    """One name on the wire: its newest end, and how often it was asked."""

    fate: Fate
    at: datetime
    count: int
    rcode: int
    took: timedelta | None


def lookups_in(flows: Iterable[Flow], resolver: Resolver, until: datetime) -> tuple[Lookup, ...]:
    """Return the look-ups that records of the proxy show, the newest last; a name that is still waited for is left."""
    queries = _queries(flows, until)
    tried: dict[str, list[str]] = {}
    for query in queries:
        name = max(
            resolver.may_mean(query), key=lambda name: (sum(one in queries for one in resolver.tries(name)), -len(name))
        )
        tried.setdefault(name, []).append(query)
    found = [_lookup(name, {query: queries[query] for query in mine}) for name, mine in tried.items()]
    return tuple(sorted(found, key=lambda lookup: (lookup.at, lookup.name)))


def _queries(flows: Iterable[Flow], until: datetime) -> dict[str, _Query]:
    asked: dict[str, list[Flow]] = {}
    answers: dict[str, list[Flow]] = {}
    for flow in flows:
        if flow.dns:
            kind = answers if flow.dns.is_response or flow.verdict is FlowVerdict.DROPPED else asked
            kind.setdefault(flow.dns.query.rstrip(".").lower(), []).append(flow)
    found = {query: _ended(mine, asked.get(query, [])) for query, mine in answers.items()}
    for query, mine in asked.items():
        newest = max(flow.time for flow in mine)
        # The answer to one query may be what a ring no longer holds, or not yet.
        is_waiting = until - newest <= PATIENCE or len(mine) < 2
        if query not in found and not is_waiting:
            found[query] = _Query(Fate.SILENCE, newest, len(mine), 0, None)
    return found


def _ended(answers: list[Flow], asked: list[Flow]) -> _Query:
    last = max(answers, key=lambda flow: flow.time)
    rcode = last.dns.rcode if last.dns else 0
    if last.verdict is FlowVerdict.DROPPED:
        return _Query(Fate.REFUSED, last.time, len(answers), 5, None)
    fates = {0: Fate.ANSWERED, _NXDOMAIN: Fate.NOT_THERE, _SERVFAIL: Fate.FAILED}
    # A query that is sent again keeps its port.
    own = [flow.time for flow in asked if flow.source.port == last.destination.port and flow.time <= last.time]
    took = max((last.time - at for at in own if last.time - at < _LONGEST), default=None)
    return _Query(fates.get(rcode, Fate.ERROR), last.time, len(answers), rcode, took)


_GRAVEST = (Fate.ANSWERED, Fate.REFUSED, Fate.FAILED, Fate.ERROR, Fate.SILENCE, Fate.NOT_THERE)
"""What of several tries tells how the name ended: one that was answered ends the search."""


def _lookup(name: str, queries: dict[str, _Query]) -> Lookup:
    fate = min((query.fate for query in queries.values()), key=_GRAVEST.index)
    asked = max((one for one, query in queries.items() if query.fate is fate), key=lambda one: queries[one].at)
    telling, noise = queries[asked], sum(query.fate is Fate.NOT_THERE for query in queries.values())
    return Lookup(name, asked, fate, telling.at, telling.count, noise, telling.rcode, telling.took)


def is_wrong(lookup: Lookup, queries: frozenset[str], resolver: Resolver) -> bool:
    """Whether a name that does not exist was tried to the end: as it is, or under every suffix."""
    suffixed = resolver.tries(lookup.name)[1:]
    return lookup.fate is Fate.NOT_THERE and (
        lookup.name in queries or (bool(suffixed) and all(one in queries for one in suffixed))
    )


def names_queried(flows: Iterable[Flow]) -> frozenset[str]:
    """Return every name that was on the wire."""
    return frozenset(flow.dns.query.rstrip(".").lower() for flow in flows if flow.dns)


@dataclass(frozen=True, slots=True)
class Packets:
    """DNS packets of an endpoint where names are not seen: how many went to servers, and how many came back."""

    sent: int
    answered: int
    last_sent_at: datetime | None
    last_answer_at: datetime | None

    def is_unanswered(self, log: FlowLog) -> bool:
        """Whether queries that could have been answered by now never were."""
        if self.last_sent_at is None or self.sent < 2:
            return False
        is_late = log.until - self.last_sent_at > PATIENCE
        return is_late and (self.last_answer_at is None or self.last_sent_at - self.last_answer_at > PATIENCE)


def packets_in(queries: Iterable[Flow], replies: Iterable[Flow]) -> Packets:
    """Count queries that left, and replies; a packet that is seen on both of its nodes counts once."""
    sent = {(flow.source.ip, flow.source.port): flow.time for flow in queries if not flow.dns and _passed(flow)}
    back = {(flow.destination.ip, flow.destination.port): flow.time for flow in replies if not flow.dns}
    return Packets(len(sent), len(back), max(sent.values(), default=None), max(back.values(), default=None))


def _passed(flow: Flow) -> bool:
    return flow.verdict in (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED)
