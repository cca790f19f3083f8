"""Reachability contracts: a file of lines that say who must reach whom and who must not.

::

    allow:
      - shop/frontend -> shop/cart 8080/TCP
      - from: shop/*
        to: kube-system/kube-dns
        ports: [53/UDP, 53/TCP]
        why: names have to resolve
    deny:
      - world -> payments/*
      - from: "*"
        to: 169.254.169.254
        ports: any

An ``allow`` line holds when every pair of its ends is open on every one of its ports, a ``deny`` line when none is.
Ends are named as in ``handlers.reach.end_names``. Ports are ``8080/TCP``, ``8000-8010/TCP``, ``53/UDP``, ``tcp``,
``icmp`` or ``any``; a number alone is TCP, and no ports are all ports. An end is not its own peer.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from handlers.model.decision import Verdict
from handlers.model.traffic import Protocol, Traffic
from handlers.reach.bits import bit_set, members
from handlers.reach.contacts import reason_in_words
from handlers.reach.end_names import EndNameError, ends_named
from handlers.reach.port_classes import PortClass
from handlers.reach.ports import PortSpan, whole_span
from handlers.reach.state import State

MOST_LINES = 5000
MOST_BREACHES = 20
"""Breaches told for one line; the others are only counted."""

_LINE = re.compile(r"\s*(?P<source>\S.*?)\s+->\s+(?P<destination>\S+)(?:\s+(?:on\s+)?(?P<ports>\S.*?))?\s*")
_PORTS = re.compile(r"(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?(?:/(?P<protocol>[A-Za-z0-9]{1,8}))?")
_FIELDS = frozenset({"from", "to", "ports", "why"})


class ContractError(ValueError):
    """The file is no contract; the text says which line and why."""


class Demand(StrEnum):
    """What a line demands."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a contract; no ``spans`` are all ports."""

    demand: Demand
    source: str
    destination: str
    spans: tuple[PortSpan, ...]
    why: str
    number: int
    """Its place in its list, from 1."""

    def __str__(self) -> str:
        """Write it as people do."""
        ports = ", ".join(str(span) for span in self.spans) or "every port"
        return f"{self.demand} {self.source} -> {self.destination} {ports}"


class Result(StrEnum):
    """How a line fares."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    """Not everything that it depends on was read."""
    EMPTY = "empty"
    """One of its ends is nobody, so that it says nothing."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One pair and port for which a line does not hold, and why policy decides so."""

    source: str
    destination: str
    traffic: Traffic
    verdict: Verdict
    because: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A line with its result."""

    line: Line
    result: Result
    breaches: tuple[Breach, ...] = ()
    count: int = 0
    detail: str = ""


def read_contract(document: object) -> tuple[Line, ...]:
    """Read a contract from its YAML value.

    Raises:
        ContractError: naming the line that is wrong.
    """
    if not isinstance(document, Mapping):
        raise ContractError("a contract is a mapping with the lists allow and deny")
    unknown = [key for key in document if key not in tuple(Demand)]
    if unknown or not document:
        raise ContractError(f"a contract has the lists allow and deny, not {str(unknown[:3])[:80]}")
    lines: list[Line] = []
    for demand in Demand:
        listed = document.get(demand.value)
        if listed is None:
            continue
        if not isinstance(listed, list):
            raise ContractError(f"{demand} must be a list of lines")
        lines.extend(_line(demand, number, item) for number, item in enumerate(listed, start=1))
    if len(lines) > MOST_LINES:
        raise ContractError(f"a contract has at most {MOST_LINES} lines")
    return tuple(lines)


def _line(demand: Demand, number: int, item: object) -> Line:
    where = f"{demand} line {number}"
    if isinstance(item, str):
        match = _LINE.fullmatch(item) if len(item) < 2000 else None
        if match is None:
            raise ContractError(f"{where}: write FROM -> TO PORTS, such as shop/frontend -> shop/cart 8080/TCP")
        ports = [part.strip() for part in (match["ports"] or "").split(",") if part.strip()]
        return Line(demand, match["source"], match["destination"], _spans(ports, where), "", number)
    if not isinstance(item, Mapping):
        raise ContractError(f"{where} is neither a text nor a mapping")
    unknown = [str(key)[:40] for key in item if key not in _FIELDS]
    if unknown:
        raise ContractError(f"{where}: unknown field {unknown[0]}; known are {', '.join(sorted(_FIELDS))}")
    source, destination, why = item.get("from"), item.get("to"), item.get("why", "")
    if not isinstance(source, str) or not isinstance(destination, str) or not isinstance(why, str):
        raise ContractError(f"{where}: from and to are needed, and they and why are texts")
    written = item.get("ports")
    listed = [] if written is None else written if isinstance(written, list) else [written]
    if any(isinstance(port, bool) or not isinstance(port, (str, int)) for port in listed):
        raise ContractError(f"{where}: ports are texts such as 8080/TCP")
    return Line(demand, source, destination, _spans([str(port) for port in listed], where), why, number)


def _spans(ports: list[str], where: str) -> tuple[PortSpan, ...]:
    if any(port.lower() == "any" for port in ports):
        return ()
    return tuple(_span(port, where) for port in ports)


def _span(text: str, where: str) -> PortSpan:
    protocol = _PROTOCOLS.get(text.lower())
    if protocol is not None:
        return whole_span(protocol)
    match = _PORTS.fullmatch(text)
    protocol = _PROTOCOLS.get((match["protocol"] or "tcp").lower()) if match else None
    if match is None or protocol is None:
        raise ContractError(f"{where}: {text[:40]!r} is no port; write 8080/TCP, 8000-8010/TCP, tcp, icmp or any")
    first, last = int(match["first"]), int(match["last"] or match["first"])
    whole = whole_span(protocol)
    if not whole.first <= first <= last <= whole.last:
        raise ContractError(f"{where}: {text[:40]!r} is no range of ports")
    return PortSpan(protocol, first, last)


_PROTOCOLS = {protocol.lower(): protocol for protocol in Protocol}


def check(lines: tuple[Line, ...], state: State) -> Iterator[Checked]:
    """Check the lines of a contract against a cluster, one after another.

    Raises:
        ContractError: for a text that names no end.
    """
    for line in lines:
        try:
            sources = ends_named(line.source, state.roster)
            destinations = ends_named(line.destination, state.roster)
        except EndNameError as error:
            raise ContractError(f"{line.demand} line {line.number}: {error}") from error
        yield _checked(line, sources, destinations, state)


def _checked(line: Line, sources: tuple[int, ...], destinations: tuple[int, ...], state: State) -> Checked:
    for name, found in ((line.source, sources), (line.destination, destinations)):
        if not found:
            return Checked(line, Result.EMPTY, detail=f"nothing in the cluster is called {name}")
    wanted = bit_set(destinations)
    breaches: list[Breach] = []
    count = doubtful = pairs = 0
    for traffic in _traffics(line, state.classes):
        rows = state.at(traffic).both
        for source in sources:
            row = rows[source]
            asked = wanted & ~(1 << source)
            pairs += asked.bit_count()
            wrong = asked & ~row.allowed & ~row.unknown if line.demand is Demand.ALLOW else asked & row.allowed
            doubtful += (asked & row.unknown).bit_count()
            count += wrong.bit_count()
            if wrong and len(breaches) < MOST_BREACHES:
                breaches.extend(
                    _breach(state, source, destination, traffic)
                    for destination in members(wrong)[: MOST_BREACHES - len(breaches)]
                )
    if count:
        return Checked(line, Result.BROKEN, tuple(breaches), count)
    if doubtful:
        return Checked(line, Result.UNKNOWN, detail="not everything that decides it was read")
    if not pairs:
        return Checked(line, Result.EMPTY, detail="its two ends are one and the same")
    return Checked(line, Result.HOLDS)


def _traffics(line: Line, classes: tuple[PortClass, ...]) -> Iterator[Traffic]:
    """Give one kind of traffic for each port class that the line touches."""
    for ports in classes:
        if not line.spans:
            yield ports.sample
            continue
        for asked, span in ((asked, span) for asked in line.spans for span in ports.spans):
            first = max(asked.first, span.first)
            if asked.protocol is span.protocol and first <= min(asked.last, span.last):
                yield Traffic(span.protocol, first)
                break


def _breach(state: State, source: int, destination: int, traffic: Traffic) -> Breach:
    parties = state.matrix.parties
    both = state.policies.combine(parties[source], parties[destination], traffic)
    deciding = both.blocking or tuple(side for side in both if side.verdict is Verdict.ALLOWED)
    because = "; ".join(f"{side.direction}: {reason_in_words(side)}" for side in deciding)
    return Breach(parties[source].name, parties[destination].name, traffic, both.verdict, because)
