"""What flows showed of packets between two nodes: seen to arrive, or sent and lost on the way.

The sender's node reports a packet as it leaves (TO_OVERLAY, or TO_NETWORK where routing is native), the receiver's node
as it arrives. Both report a connection's first packet, and later ones once in some seconds (Cilium aggregates events:
bpf/lib/trace.h).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.connection.legs import Stretch
from handlers.connection.places import PlaceKind
from handlers.connection.seen import LEAVING, both_ways, goes_on
from handlers.model.flow import Flow, FlowEnd, FlowLog, FlowVerdict

PATIENCE = timedelta(seconds=10)
"""How long a packet may be unaccounted for: what a node reports of a running connection, and what an archive keeps of
its ring, may be some seconds behind the other node's."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Packets from one node to another. ``lost`` counts conversations; times are of the newest packet."""

    sender: str
    receiver: str
    passed_at: datetime | None = None
    lost_at: datetime | None = None
    lost: int = 0
    doubt: str = ""
    """Why the lost ones may have arrived all the same; empty where the receiver would have told."""

    @property
    def is_broken(self) -> bool:
        """Whether the newest packets were lost."""
        return self.lost_at is not None and (self.passed_at is None or self.lost_at > self.passed_at)


_Key = tuple[object, ...]
"""A conversation: protocol, client's address and port, server's address and port."""


@dataclass(slots=True)
class _Conversation:
    """The newest packet of one conversation as it left, and as it arrived, on its way there and back."""

    client: str
    server: str
    sent: datetime | None = None
    arrived: datetime | None = None
    answer_sent: datetime | None = None
    answered: datetime | None = None


def crossings(stretches: Iterable[Stretch], log: FlowLog) -> Mapping[tuple[str, str], Crossing]:
    """Return what was seen between each two nodes, by sender and receiver; nothing for ends outside the cluster."""
    found: dict[tuple[str, str], Crossing] = {}
    for stretch in stretches:
        for talk in _conversations(stretch, log.flows):
            there = (talk.sent, max(filter(None, (talk.arrived, talk.answered)), default=None))
            for sender, receiver, (sent, arrived) in (
                (talk.client, talk.server, there),
                (talk.server, talk.client, (talk.answer_sent, talk.answered)),
            ):
                known = found.get((sender, receiver)) or Crossing(sender, receiver)
                found[sender, receiver] = _with(known, sent, arrived, log)
    return found


def _with(known: Crossing, sent: datetime | None, arrived: datetime | None, log: FlowLog) -> Crossing:
    passed = max(filter(None, (known.passed_at, arrived)), default=None)
    if sent is None or (arrived and arrived >= sent - PATIENCE):
        return Crossing(known.sender, known.receiver, passed, known.lost_at, known.lost, known.doubt)
    is_newest = known.lost_at is None or sent >= known.lost_at
    return Crossing(
        known.sender,
        known.receiver,
        passed,
        sent if is_newest else known.lost_at,
        known.lost + 1,
        _doubt(known.receiver, sent, log) if is_newest else known.doubt,
    )


def _doubt(receiver: str, sent: datetime, log: FlowLog) -> str:
    if receiver not in log.heard:
        return f"{receiver} was not heard"
    remembered = log.covered_since.get(receiver)
    if remembered is None or remembered > sent:
        return f"{receiver} does not remember that far back"
    if log.truncated or any(entry.node in ("", receiver) for entry in log.lost):
        return "events were lost"
    if log.until - sent < PATIENCE:
        return "they left only just now"
    return ""


def _conversations(stretch: Stretch, flows: Iterable[Flow]) -> Iterable[_Conversation]:
    nodes = dict(_nodes(stretch))
    there, back = both_ways(stretch, flows)
    found: dict[_Key, _Conversation] = {}
    by_client: dict[_Key, dict[_Key, _Conversation]] = {}
    at_service: list[tuple[Flow, bool, _Key]] = []
    for flow, is_answer in [*((flow, False) for flow in there), *((flow, True) for flow in back)]:
        client, server = (flow.destination, flow.source) if is_answer else (flow.source, flow.destination)
        if server.ip in stretch.service_ips:
            at_service.append((flow, is_answer, (flow.protocol, client.ip, client.port)))
            continue
        homes = _home(client, nodes), _home(server, nodes)
        if homes[0] is None or homes[1] is None or homes[0] == homes[1]:
            continue
        key = (flow.protocol, client.ip, client.port, server.ip, server.port)
        talk = found.setdefault(key, _Conversation(homes[0], homes[1]))
        by_client.setdefault(key[:3], {})[key] = talk
        _note(talk, flow, is_answer=is_answer)
    # The client's node may show answers as from the Service: a client's port tells whose they are.
    for flow, is_answer, client_port in at_service:
        for talk in by_client.get(client_port, {}).values():
            _note(talk, flow, is_answer=is_answer)
    return found.values()


def _note(talk: _Conversation, flow: Flow, *, is_answer: bool) -> None:
    passes = flow.verdict in (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED)
    leaves = passes and flow.observation_point in LEAVING
    if is_answer and flow.node == talk.server and leaves:
        talk.answer_sent = _later(talk.answer_sent, flow)
    elif is_answer and flow.node == talk.client:
        talk.answered = _later(talk.answered, flow)
    elif not is_answer and flow.node == talk.client and leaves:
        talk.sent = _later(talk.sent, flow)
    elif not is_answer and flow.node == talk.server:
        talk.arrived = _later(talk.arrived, flow)
    if not is_answer and passes and goes_on(flow):
        talk.answered = _later(talk.answered, flow)


def _later(time: datetime | None, flow: Flow) -> datetime:
    return flow.time if time is None else max(time, flow.time)


def _nodes(stretch: Stretch) -> Iterator[tuple[object, str]]:
    for place in (*stretch.sources, *stretch.destinations):
        if place.node is None or place.kind is not PlaceKind.POD:
            continue
        if place.pod:
            yield (place.pod.namespace, place.pod.name), place.node
        for ip in place.ips:
            yield ip, place.node


def _home(end: FlowEnd, nodes: Mapping[object, str]) -> str | None:
    return nodes.get((end.namespace, end.pod)) or nodes.get(end.ip)
