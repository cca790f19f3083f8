"""Flows and the state of their collection, from Hubble's observer API (relay, or one agent).

Every call has a deadline: relay with a frozen peer lists it as connected and then never answers.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import grpc

from handlers.model.flow import Flow, FlowLog, LostEvents, RelayNode, RelayStatus
from handlers.model.scope import FlowQuery
from handlers.model.snapshot import Gap
from workers.sources.convert.flow_proto import flow_from_proto, key_of_proto, moment_of, name_of_value
from workers.sources.convert.flow_window import Newest, in_window, wanted_by
from workers.sources.convert.reading import MalformedError, without_cluster
from workers.sources.deadline import Deadline
from workers.sources.hubble_filter import newest_request, oldest_request, window_request
from workers.sources.hubble_pb import triage_hubble_pb2 as pb
from workers.sources.unread import UnreadError

UNREADABLE = "unreadable flow"
"""The source named in LostEvents for flows without a time."""

_STREAM_SHARE = 0.75
"""How much of the time the flows themselves get; the rest is for asking what the rings still hold."""

_NODES_SECONDS = 2.0
_PROBE_SECONDS = 1.5
_MAX_PROBES = 16
_FROZEN_SECONDS = 30
"""A node that does not answer and whose newest flow is that much older than another's has stopped."""
_SILENT_STATES = (pb.NODE_UNAVAILABLE, pb.NODE_GONE, pb.NODE_ERROR)


@dataclass(slots=True)
class _Heard:
    """What a stream said so far."""

    flows: deque[pb.Flow]
    matched: int = 0
    senders: dict[str, int] = field(default_factory=dict)
    """By node, when it saw the newest flow that it sent, in seconds of the epoch."""
    states: dict[str, tuple[int, str]] = field(default_factory=dict)
    lost: list[LostEvents] = field(default_factory=list)
    ended: grpc.RpcError | None = None

    @property
    def anything(self) -> bool:
        return bool(self.senders or self.states)


class HubbleReader:
    """Reads through one channel; safe to use from several threads.

    A stream is read to its end or its deadline, never cancelled half-way: a single-threaded call that was cancelled
    keeps its connection open when the channel is closed.
    """

    def __init__(self, channel: grpc.Channel, address: str, now: Callable[[], datetime]) -> None:
        """Read through ``channel``; ``address`` is for messages."""
        self._channel = channel
        self._address = address
        self._now = now
        self._get_flows = channel.unary_stream(
            "/observer.Observer/GetFlows",
            request_serializer=pb.GetFlowsRequest.SerializeToString,
            response_deserializer=pb.GetFlowsResponse.FromString,
        )
        self._get_nodes = channel.unary_unary(
            "/observer.Observer/GetNodes",
            request_serializer=pb.GetNodesRequest.SerializeToString,
            response_deserializer=pb.GetNodesResponse.FromString,
        )
        self._server_status = channel.unary_unary(
            "/observer.Observer/ServerStatus",
            request_serializer=pb.ServerStatusRequest.SerializeToString,
            response_deserializer=pb.ServerStatusResponse.FromString,
        )

    def close(self) -> None:
        """Close the channel; calls under way are cancelled."""
        self._channel.close()

    def flows(self, query: FlowQuery, first: Sequence[str], deadline: Deadline) -> FlowLog:
        """Return the flows that a query wants, and which nodes were and were not heard.

        ``first`` are the nodes whose rings matter most, should there be more than can be looked at.

        Raises:
            UnreadError: if nothing was heard at all.
        """
        left = deadline.remaining("ask Hubble for flows")
        asked_nodes = self._get_nodes.future(pb.GetNodesRequest(), timeout=min(_NODES_SECONDS, left))
        heard = self._stream(query, left * _STREAM_SHARE)
        if heard.ended is not None and not heard.anything:
            asked_nodes.cancel()
            raise self._failure("GetFlows", heard.ended)
        listed = _nodes_or_none(asked_nodes)
        names = _full_names(heard, listed)
        silent = {without_cluster(name): why for name, why in _told_silent(heard, listed).items()}
        open_names = [name for name in names if without_cluster(name) not in silent]
        covered = self._covered(listed, open_names, first, deadline)
        if not names and heard.ended is None:
            names, covered = self._lone_node(deadline)
        present = {without_cluster(name) for name in names} - set(silent)
        silent |= _mute(present, heard, covered)
        if not heard.flows and not present - set(silent) and (silent or heard.ended is not None):
            raise self._nobody(silent, heard.ended)
        newest = Newest[Flow](query)
        unreadable = _converted(heard.flows, newest)
        return FlowLog(
            flows=newest.kept,
            since=query.since,
            until=query.until,
            heard=frozenset(present - set(silent)),
            silent=silent,
            covered_since=covered.since,
            lost=(*heard.lost, *unreadable),
            truncated=newest.is_cut or heard.matched > query.limit or heard.ended is not None,
        )

    def relay(self, deadline: Deadline) -> RelayStatus:
        """Return relay's view of its peers.

        Raises:
            UnreadError: if it does not answer.
        """
        left = deadline.remaining("ask relay for its nodes")
        nodes = self._get_nodes.future(pb.GetNodesRequest(), timeout=left)
        status = self._server_status.future(pb.ServerStatusRequest(), timeout=left)
        try:
            listed = nodes.result()
        except grpc.RpcError as error:
            status.cancel()
            raise self._failure("GetNodes", error) from error
        try:
            version = status.result().version or None
        except grpc.RpcError:
            version = None
        return RelayStatus(version=version, nodes=tuple(_relay_node(node) for node in listed.nodes))

    def _stream(self, query: FlowQuery, seconds: float) -> _Heard:
        heard = _Heard(flows=deque(maxlen=max(1, query.limit)))
        wanted = wanted_by(query)
        call = self._get_flows(window_request(query), timeout=seconds)
        try:
            for response in call:
                which = response.WhichOneof("response_types")
                if which == "flow":
                    flow = response.flow
                    sender = without_cluster(flow.node_name or response.node_name)
                    heard.senders[sender] = max(heard.senders.get(sender, 0), flow.time.seconds)
                    if wanted(key_of_proto(flow)) and _is_in_window(query, flow):
                        heard.matched += 1
                        heard.flows.append(flow)
                elif which == "node_status":
                    status = response.node_status
                    for name in status.node_names:
                        heard.states[name] = (status.state_change, status.message)
                elif which == "lost_events":
                    source = name_of_value(pb.LostEventSource, response.lost_events.source)
                    node = without_cluster(response.node_name)
                    heard.lost.append(LostEvents(node, source, response.lost_events.num_events_lost))
        except grpc.RpcError as error:
            heard.ended = error
        return heard

    def _covered(
        self, listed: pb.GetNodesResponse | None, names: Sequence[str], first: Sequence[str], deadline: Deadline
    ) -> "_Coverage":
        """Tell how far back each ring reaches: to the agent's start where it never wrapped, else by asking the node."""
        found = _Coverage()
        for node in listed.nodes if listed is not None else ():
            if node.state != pb.NODE_CONNECTED:
                continue
            # Relay asked it a moment ago, for the numbers in this list.
            found.answered.add(without_cluster(node.name))
            if node.uptime_ns > 0 and node.num_flows < node.max_flows:
                name = without_cluster(node.name)
                found.since[name] = self._now() - timedelta(microseconds=min(node.uptime_ns // 1000, 1 << 52))
        open_names = [name for name in names if without_cluster(name) not in found.since]
        ordered = sorted(open_names, key=lambda name: without_cluster(name) not in first)[:_MAX_PROBES]
        if not ordered or deadline.left <= 0:
            return found
        with ThreadPoolExecutor(len(ordered), thread_name_prefix="hubble") as threads:
            answers = threads.map(partial(self._oldest, seconds=min(_PROBE_SECONDS, deadline.left)), ordered)
            for name, oldest in zip(ordered, answers, strict=True):
                asked = without_cluster(name)
                if oldest is not None:
                    found.since[asked] = oldest
                    found.answered.add(asked)
                elif asked not in found.answered:
                    found.unanswering.add(asked)
        return found

    def _oldest(self, node: str, seconds: float) -> datetime | None:
        oldest: datetime | None = None
        try:
            for response in self._get_flows(oldest_request(node), timeout=seconds):
                if response.WhichOneof("response_types") == "flow" and node in (
                    response.flow.node_name,
                    response.node_name,
                ):
                    oldest = oldest or moment_of(response.flow.time)
        except (grpc.RpcError, MalformedError):
            pass
        return oldest

    def _lone_node(self, deadline: Deadline) -> "tuple[list[str], _Coverage]":
        """Find out who answers where neither a node status nor a flow says: an agent itself, with a quiet query."""
        call = self._get_flows(newest_request(), timeout=min(_PROBE_SECONDS, max(0.1, deadline.left)))
        try:
            names = [response.flow.node_name or response.node_name for response in call][:1]
        except grpc.RpcError:
            names = []
        names = [name for name in names if name]
        return names, self._covered(None, names, (), deadline)

    def _nobody(self, silent: Mapping[str, str], ended: grpc.RpcError | None) -> UnreadError:
        if ended is not None:
            return self._failure("GetFlows", ended)
        reasons = "; ".join(f"{node}: {why}" for node, why in sorted(silent.items())[:5])
        return UnreadError(
            Gap.UNREACHABLE,
            f"no node's Hubble answers ({reasons})",
            "Check the agents and hubble-relay: cilium status.",
        )

    def _failure(self, call: str, error: grpc.RpcError) -> UnreadError:
        code, told = error.code(), (error.details() or "")[:300]
        gap, remedy = _GAPS.get(code, (Gap.FAILED, "Look at the logs of hubble-relay."))
        if gap is Gap.TIMEOUT:
            return UnreadError(gap, f"Hubble at {self._address} did not answer {call} in time", remedy)
        return UnreadError(gap, f"Hubble at {self._address} refused {call}: {_code(error)}: {told}", remedy)


@dataclass(slots=True)
class _Coverage:
    since: dict[str, datetime] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    """Nodes that answered a question of their own, so that they are not frozen."""
    unanswering: set[str] = field(default_factory=set)
    """Nodes that were asked and did not answer."""


_GAPS: Mapping[grpc.StatusCode, tuple[Gap, str]] = {
    grpc.StatusCode.UNAVAILABLE: (
        Gap.UNREACHABLE,
        "Check that hubble-relay runs (cilium status), then set HUBBLE_SERVER, or run cilium hubble port-forward; "
        "if relay wants TLS set HUBBLE_TLS and its files.",
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        Gap.TIMEOUT,
        "A peer of relay may be frozen: restart hubble-relay, or ask again with a smaller window.",
    ),
    grpc.StatusCode.UNAUTHENTICATED: (Gap.FORBIDDEN, "Give a client certificate with HUBBLE_TLS_CLIENT_CERT_FILE."),
    grpc.StatusCode.PERMISSION_DENIED: (Gap.FORBIDDEN, "Give a client certificate with HUBBLE_TLS_CLIENT_CERT_FILE."),
    grpc.StatusCode.UNIMPLEMENTED: (Gap.UNSUPPORTED, "Point HUBBLE_SERVER at hubble-relay instead of an agent."),
}


def _mute(present: set[str], heard: _Heard, covered: _Coverage) -> dict[str, str]:
    """Return the nodes that relay calls connected and that do not answer: frozen, or never asked.

    One that sent flows and then froze is told by its own silence, where the stream broke or the others went on.
    """
    newest = max(heard.senders.values(), default=0)
    found = {}
    for node in sorted(present - covered.answered):
        last = heard.senders.get(node)
        if last is None:
            ended = f" before the stream ended ({_code(heard.ended)})" if heard.ended else " and answered no question"
            found[node] = f"it was connected, but sent nothing{ended}"
        elif node in covered.unanswering and (heard.ended or newest - last > _FROZEN_SECONDS):
            found[node] = (
                f"it was connected, but answers no more since {datetime.fromtimestamp(last, UTC):%H:%M:%S} UTC"
            )
    return found


def _nodes_or_none(asked: Any) -> pb.GetNodesResponse | None:
    try:
        found: pb.GetNodesResponse = asked.result()
    except grpc.RpcError:
        return None
    return found


def _full_names(heard: _Heard, listed: pb.GetNodesResponse | None) -> list[str]:
    """Return the nodes that take part, as relay names them."""
    names = list(heard.states)
    names += [node.name for node in listed.nodes] if listed is not None else []
    names += sorted({flow.node_name for flow in heard.flows if flow.node_name})
    by_node = {without_cluster(name): name for name in reversed(names)}
    return [*by_node.values(), *sorted(heard.senders.keys() - set(by_node) - {""})]


def _told_silent(heard: _Heard, listed: pb.GetNodesResponse | None) -> dict[str, str]:
    """Return the nodes that relay itself says it does not hear; what the stream said is newer than the list."""
    states = {node.name: (node.state, "") for node in listed.nodes} if listed is not None else {}
    states.update(heard.states)  # type: ignore[arg-type]
    return {
        name: message or name_of_value(pb.NodeState, state)
        for name, (state, message) in states.items()
        if state in _SILENT_STATES
    }


def _is_in_window(query: FlowQuery, flow: pb.Flow) -> bool:
    """Servers are asked for the window already; a flow whose time cannot be read is judged later."""
    try:
        return in_window(query, moment_of(flow.time))
    except MalformedError:
        return True


def _converted(flows: deque[pb.Flow], newest: Newest[Flow]) -> list[LostEvents]:
    """Offer each flow in the model's form, letting go of its message; return what could not be read."""
    unreadable: dict[str, int] = {}
    while flows:
        flow = flows.popleft()
        try:
            newest.offer(flow_from_proto(flow))
        except MalformedError:
            node = without_cluster(flow.node_name)
            unreadable[node] = unreadable.get(node, 0) + 1
    return [LostEvents(node, UNREADABLE, count) for node, count in unreadable.items()]


def _relay_node(node: pb.Node) -> RelayNode:
    answers = node.state == pb.NODE_CONNECTED
    return RelayNode(
        name=without_cluster(node.name),
        state=name_of_value(pb.NodeState, node.state),
        version=node.version or None,
        num_flows=node.num_flows if answers else None,
        max_flows=node.max_flows if answers else None,
        seen_flows=node.seen_flows if answers else None,
    )


def _code(error: grpc.RpcError) -> str:
    code = error.code()
    return str(code.name) if isinstance(code, grpc.StatusCode) else "unknown"
