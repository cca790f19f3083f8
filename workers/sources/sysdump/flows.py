"""Flows of a sysdump: one file of jsonpb lines per agent, what its ring held when the dump was taken."""

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from handlers.model.flow import Flow, FlowLog, LostEvents
from handlers.model.scope import FlowMatch, FlowQuery
from handlers.model.snapshot import Gap
from workers.sources.archive import ArchiveError
from workers.sources.convert.flow_json import flow_from_json, key_from_json
from workers.sources.convert.flow_window import FlowKey, Newest, in_window, wanted_by
from workers.sources.convert.reading import (
    Body,
    MalformedError,
    moment,
    number,
    parse_moment,
    struct,
    text,
    texts,
    without_cluster,
)
from workers.sources.deadline import Deadline
from workers.sources.sysdump.index import SysdumpIndex
from workers.sources.unread import UnreadError

UNREADABLE = "unreadable line"
"""The source named in LostEvents for lines of the file that are no flow: a torn end, a foreign line."""
CUT_SHORT = "end of the file"
"""The source named in LostEvents for a file that ends before those of the other agents do."""
_SAME_END = timedelta(seconds=10)
"""Files of one dump end within some seconds (33 recorded ones: 3), since every node always sees probes at least."""

_TIME = re.compile(rb'"time"\s*:\s*"([^"]{1,40})"')
_NODE = re.compile(rb'"node_name"\s*:\s*"([^"]{1,300})"')
_SILENT_STATES = ("NODE_UNAVAILABLE", "NODE_GONE", "NODE_ERROR")


class _Line(NamedTuple):
    """A line that a query wants; it is made a flow only if no newer ones take its place."""

    time: datetime
    node: str
    written: bytes


@dataclass(slots=True)
class _Heard:
    """What the files read so far said."""

    newest: Newest[_Line]
    nodes: set[str] = field(default_factory=set)
    silent: dict[str, str] = field(default_factory=dict)
    covered_since: dict[str, datetime] = field(default_factory=dict)
    covered_until: dict[str, datetime] = field(default_factory=dict)
    lost: list[LostEvents] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)
    """How many lines of each node are no flow."""

    def flows(self) -> Iterator[Flow]:
        """Yield the flows of the lines kept; what cannot be read is counted."""
        for line in self.newest.kept:
            try:
                yield flow_from_json(_flow_in(json.loads(line.written)))
            except (ValueError, RecursionError):
                self.unreadable[line.node] += 1


def read_flows(
    index: SysdumpIndex, query: FlowQuery, agents: Mapping[str, str], first: Sequence[str], deadline: Deadline
) -> FlowLog:
    """Read the flows that a query wants.

    ``agents`` maps agent pods to nodes; files of the nodes ``first`` are read first, and those that the time does not
    suffice for are named as silent.

    Raises:
        UnreadError: if the dump holds no flows at all.
    """
    heard = _Heard(Newest(query))
    for pod, path in sorted(index.flow_files.items(), key=lambda item: agents.get(item[0]) not in first):
        if deadline.left <= 0:
            heard.silent[agents.get(pod, pod)] = f"{path} was not read: no time left"
            continue
        try:
            _read_file(heard, query, agents.get(pod), pod, path, index)
        except ArchiveError as error:
            heard.silent[agents.get(pod, pod)] = str(error)
    last = max(heard.covered_until.values(), default=None)
    for node, until in heard.covered_until.items():
        if last is not None and last - until > _SAME_END:
            heard.lost.append(LostEvents(node, CUT_SHORT, 1))
    for pod, node in agents.items():
        if pod not in index.flow_files:
            heard.silent[node] = index.reason(f"hubble-flows-{pod}") or f"no hubble-flows file of its agent {pod}"
    if not heard.nodes:
        detail = index.reason("hubble-flows-", "hubble flows") or next(iter(heard.silent.values()), None)
        raise UnreadError(
            Gap.NOT_IN_DUMP,
            f"the archive holds no Hubble flows{f': {detail}' if detail else ''}",
            "Collect the sysdump without --quick, with Hubble enabled (and --hubble-flows-count above 0).",
        )
    flows = tuple(heard.flows())
    unreadable = (LostEvents(node, UNREADABLE, count) for node, count in heard.unreadable.items())
    return FlowLog(
        flows=flows,
        since=query.since,
        until=query.until,
        heard=frozenset(heard.nodes),
        silent={node: why for node, why in heard.silent.items() if node not in heard.nodes},
        covered_since=heard.covered_since,
        lost=(*heard.lost, *unreadable),
        truncated=heard.newest.is_cut,
    )


def _read_file(heard: _Heard, query: FlowQuery, node: str | None, pod: str, path: str, index: SysdumpIndex) -> None:
    written = index.archive.read(path)
    if node is None:
        named = _NODE.search(written)
        node = without_cluster(named.group(1).decode("utf-8", "replace")) if named else pod
    if not written.strip():
        heard.silent[node] = index.reason(f"hubble-flows-{pod}") or f"{path} is empty"
        return
    heard.nodes.add(node)
    wanted, may_match = wanted_by(query), _line_test(query)
    oldest = newest = None
    for line in io.BytesIO(written):
        if not line.strip():
            continue
        found = _TIME.search(line)
        try:
            if found is None or b'"lost_events"' in line or b'"node_status"' in line:
                _note(heard, node, json.loads(line))
                continue
            told = parse_moment(found.group(1).decode("ascii"))
            oldest = told if oldest is None else min(oldest, told)
            newest = told if newest is None else max(newest, told)
            if in_window(query, told) and not heard.newest.is_too_old(told) and may_match(line):
                seen_at = _time_of_wanted(json.loads(line), wanted)
                if seen_at is not None and in_window(query, seen_at):
                    heard.newest.offer(_Line(seen_at, node, line))
        except (ValueError, RecursionError):
            heard.unreadable[node] += 1
    if oldest is not None and newest is not None:
        heard.covered_since[node] = oldest
        heard.covered_until[node] = newest


def _time_of_wanted(body: Any, wanted: Callable[[FlowKey], bool]) -> datetime | None:
    """Return the time of a flow that is wanted, None of one that is not."""
    flow = _flow_in(body)
    if not wanted(key_from_json(flow)):
        return None
    time = moment(flow, "time")
    if time is None:
        raise MalformedError("time is missing")
    return time


def _flow_in(body: Any) -> Body:
    if not isinstance(body, Mapping):
        raise MalformedError("the line holds no object")
    # Before hubble 0.12 a line was the flow itself.
    return struct(body, "flow") if "flow" in body else body


def _note(heard: _Heard, node: str, body: Body) -> None:
    """Keep what a line says that is no flow: events lost, nodes that relay did not hear."""
    if not isinstance(body, Mapping) or not ("lost_events" in body or "node_status" in body):
        raise MalformedError("the line is no response of Hubble")
    lost, status = struct(body, "lost_events"), struct(body, "node_status")
    if lost:
        of_node = without_cluster(text(body, "node_name") or "") or node
        heard.lost.append(LostEvents(of_node, text(lost, "source") or "UNKNOWN", number(lost, "num_events_lost") or 0))
    state = text(status, "state_change")
    for name in texts(status, "node_names"):
        if state in _SILENT_STATES:
            heard.silent[without_cluster(name)] = text(status, "message") or state


def _line_test(query: FlowQuery) -> Callable[[bytes], bool]:
    """Return a cheap question that every wanted line answers with yes: are the quoted values anywhere in it."""
    groups = [[group for group in _needles(match) if group] for match in query.any_of]
    if not groups:
        return lambda line: True
    return lambda line: any(all(any(needle in line for needle in group) for group in of_match) for of_match in groups)


def _needles(match: FlowMatch) -> tuple[tuple[bytes, ...], ...]:
    return (
        tuple(_pod_needle(pod) for pod in match.source_pods),
        tuple(_pod_needle(pod) for pod in match.destination_pods),
        _quoted(match.source_ips),
        _quoted(match.destination_ips),
        _quoted(match.verdicts),
    )


def _quoted(values: tuple[str, ...]) -> tuple[bytes, ...]:
    # A prefix stands in no line as it is.
    return () if any("/" in value for value in values) else tuple(f'"{value}"'.encode() for value in values)


def _pod_needle(pod: str) -> bytes:
    namespace, _, name = pod.partition("/")
    return f'"{name or namespace}"'.encode()
