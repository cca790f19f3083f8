"""Two nodes, one way: what the health prober of the one says of the other, and what flows showed of packets between.

A probe is as old as its time: the prober goes round every node within an interval that grows with the cluster, so that
what it says may be from before a fault, or from before its mend (facts of a real cluster: 97 s with two nodes).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from handlers.connection.crossing import Crossing, crossings
from handlers.connection.legs import Stretch, place_of_pod
from handlers.connection.places import Place
from handlers.model.agent import AgentStatus, HealthProbe, PeerNode
from handlers.model.cluster import CiliumConfig, Node
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.question import AboutNodes, BetweenNodes
from handlers.model.scope import FlowMatch, FlowQuery, PodQuery
from handlers.model.snapshot import AnyPart, Known
from handlers.model.traffic import Protocol

PAIR_PARTS: tuple[AnyPart, ...] = (Part.NODES, Part.PODS, Part.CONFIG, Part.AGENT_STATUS, Part.FLOWS)
"""What tells of two nodes; each of it may be missing."""
MOST_DOUBTED = 6
"""Pairs whose flows are read because a probe failed; of the others the probe alone is told."""
_MOST_ADDRESSES = 300
"""Addresses of one node in a query for flows."""
FRESH = timedelta(seconds=60)
"""How old a failed probe may be to tell of now by itself. An older one may be from before a mend: what is not probed
again stays failed for an interval."""
WINDOW = timedelta(minutes=15)
_PORTS = {"vxlan": ("VXLAN", 8472), "geneve": ("Geneve", 6081)}
"""Names of the tunnels, and their ports where ``tunnel-port`` says no other (Cilium, pkg/defaults)."""
_PROTOCOLS = (Protocol.TCP, Protocol.UDP, Protocol.ICMP)

Pair = tuple[str, str]
"""A node, and the one that it sends to."""


@dataclass(frozen=True, slots=True)
class Path:
    """How packets between pods of two nodes travel: in a tunnel, or routed where ``port`` is None."""

    name: str
    port: int | None = None

    def __str__(self) -> str:
        """Write ``the VXLAN tunnel (8472/UDP)``, or ``native routing``."""
        return f"the {self.name} tunnel ({self.port}/UDP)" if self.port else self.name


NATIVE = Path("native routing")


@dataclass(frozen=True, slots=True)
class Way:
    """One way between two nodes. ``seen`` is None where the prober's view of the peer was not read."""

    node: str
    peer: str
    crossing: Crossing
    back: Crossing
    seen: PeerNode | None = None
    path: Path | None = None

    @property
    def failure(self) -> HealthProbe | None:
        """The probe that tells that the peer is out of reach, None where something of it answered.

        An agent that refuses is down, and its health endpoint with it: the node answers, and goes on forwarding.
        """
        if self.seen is None or not _some_failed(self.seen) or self.seen.refusal:
            return None
        if self.seen.host_reachable is False:
            return self.seen.failure(of_endpoint=False)
        return self.seen.failure(of_endpoint=True) if self.seen.endpoint_reachable is False else None

    @property
    def outweighed_by(self) -> Crossing | None:
        """What passed both ways since the probe failed, the older of the two; None where nothing did."""
        both = [self.crossing, self.back]
        if self.failure is None or any(one.passed_at is None or one.is_broken for one in both):
            return None
        older = min(both, key=lambda one: str(one.passed_at))
        at = self.failure.at
        return older if at is None or (older.passed_at and older.passed_at >= at) else None


def _some_failed(seen: PeerNode) -> bool:
    return any(probe.error for probe in seen.probes)


def way_between(node: str, peer: str, seen: Mapping[Pair, Crossing], facts: Facts) -> Way:
    """Return one way between two nodes; ``seen`` is what flows showed."""
    return Way(
        node,
        peer,
        seen.get((node, peer), Crossing(node, peer)),
        seen.get((peer, node), Crossing(peer, node)),
        peer_seen_by(node, peer, facts),
        facts.once(("the path from", node), lambda: path_from(node, facts)),
    )


def peer_seen_by(node: str, peer: str, facts: Facts) -> PeerNode | None:
    """Return what a node's prober says of another, None where that was not read."""
    return facts.once(("what the prober says on", node), lambda: _peers_by_name(node, facts)).get(peer)


def _peers_by_name(node: str, facts: Facts) -> Mapping[str, PeerNode]:
    status = status_of_agent(node, facts)
    return {other.name: other for other in (status.peers if status else None) or ()}


def status_of_agent(node: str, facts: Facts) -> AgentStatus | None:
    """Return what a node's agent says of itself, None where it was not read."""
    look = facts.look(Part.AGENT_STATUS)
    answer = look.value.on(node) if isinstance(look, Known) else None
    return answer.value if isinstance(answer, Known) else None


def path_from(node: str, facts: Facts) -> Path | None:
    """Return how a node sends packets to pods of others, None where nothing tells."""
    status, config = status_of_agent(node, facts), facts.look(Part.CONFIG)
    known: CiliumConfig | None = config.value if isinstance(config, Known) else None
    options = known.options if known else {}
    routing = (status.routing if status else "") or options.get("routing-mode", "")
    tunnel = (status.tunnel if status else "") or options.get("tunnel-protocol", "vxlan" if known else "")
    if routing.lower() == "native":
        return NATIVE
    if tunnel.lower() not in _PORTS or (not routing and known is None):
        return None
    name, port = _PORTS[tunnel.lower()]
    said = options.get("tunnel-port", "")
    return Path(name, int(said) if said.isdecimal() and 0 < int(said[:6]) < 65_536 else port)


def nodes_of(question: BetweenNodes) -> tuple[str, ...]:
    """Return the nodes that a question names."""
    return tuple(name for name in (question.node, question.peer) if name)


def pairs_of(question: AboutNodes | BetweenNodes, facts: Facts) -> tuple[Pair, ...]:
    """Return the ways that a question is about, as far as an agent was asked or both nodes are named.

    Raises:
        PartMissingError: if the nodes were not read.
    """
    names = tuple(node.name for node in facts.nodes)
    look = facts.look(Part.AGENT_STATUS)
    asked = set(look.value.nodes) if isinstance(look, Known) else set()
    peer = question.peer if isinstance(question, BetweenNodes) else None
    if question.node and peer:
        return tuple(
            pair
            for pair in ((question.node, peer), (peer, question.node))
            if pair[0] != pair[1] and set(pair) <= set(names)
        )
    return tuple(
        (node, other)
        for node in names
        for other in names
        if node != other and node in asked and question.node in (None, node, other)
    )


def doubted_pairs(question: AboutNodes | BetweenNodes, facts: Facts) -> tuple[Pair, ...]:
    """Return the ways whose newest probe failed, as many as flows are read for.

    Raises:
        PartMissingError: if the nodes were not read.
    """
    # Of the many pairs of a large cluster nearly all are well: no more is made of those.
    failing = (
        way_between(node, peer, {}, facts)
        for node, peer in pairs_of(question, facts)
        if (seen := peer_seen_by(node, peer, facts)) and _some_failed(seen)
    )
    found = dict.fromkeys(_ordered(way.node, way.peer) for way in failing if way.failure)
    return tuple(found)[:MOST_DOUBTED]


def _ordered(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def flows_between(pairs: Iterable[Pair], facts: Facts) -> FlowQuery | None:
    """Return the query for packets between pods of these nodes, None where there are none, or they were not read yet.

    Raises:
        PartMissingError: if the nodes were not read.
    """
    by_name = {node.name: node for node in facts.nodes}
    matches: list[FlowMatch] = []
    for one, other in dict.fromkeys(_ordered(*pair) for pair in pairs):
        ends = [pod_addresses(by_name[name], facts) for name in (one, other) if name in by_name]
        if len(ends) == 2 and all(ends):
            matches.append(FlowMatch(source_ips=ends[0], destination_ips=ends[1]))
            matches.append(FlowMatch(source_ips=ends[1], destination_ips=ends[0]))
            hosts = tuple(ip for name in (one, other) for ip in by_name[name].ips + by_name[name].cilium_ips)
            matches.append(FlowMatch(source_ips=hosts, destination_ips=hosts, verdicts=("DROPPED",)))
    return FlowQuery(tuple(matches), facts.now - WINDOW, facts.now) if matches else None


def pods_on(pairs: Iterable[Pair]) -> tuple[PodQuery, ...]:
    """Return the queries for the pods of these nodes."""
    return tuple(PodQuery(node=node) for node in sorted({node for pair in pairs for node in pair}))


def pod_addresses(node: Node, facts: Facts) -> tuple[str, ...]:
    """Return where a node's pods are: the addresses of those that were read, of very many the node's ranges."""
    look = facts.look(Part.PODS)
    pods = [pod for pod in look.value if pod.node == node.name and pod.is_running] if isinstance(look, Known) else []
    found = tuple(dict.fromkeys(ip for pod in pods if not pod.host_network for ip in pod.ips))
    return node.pod_cidrs if len(found) > _MOST_ADDRESSES and node.pod_cidrs else found[:_MOST_ADDRESSES]


def crossings_between(pairs: Iterable[Pair], facts: Facts) -> Mapping[Pair, Crossing]:
    """Return what flows showed between these nodes, by sender and receiver; nothing where none were read."""
    flows, pods = facts.look(Part.FLOWS), facts.look(Part.PODS)
    if not isinstance(flows, Known) or not isinstance(pods, Known):
        return {}
    at: dict[str, list[Place]] = {}
    for pod in pods.value:
        if pod.node and pod.is_running and not pod.host_network:
            at.setdefault(pod.node, []).append(place_of_pod(pod))
    stretches = [
        Stretch(tuple(at[node]), tuple(at[peer]), protocol, None)
        for node, peer in dict.fromkeys(pairs)
        if node in at and peer in at
        for protocol in _PROTOCOLS
    ]
    return crossings(stretches, flows.value)


def ways_of(question: AboutNodes | BetweenNodes, facts: Facts) -> Iterator[Way]:
    """Yield every way that a question is about, with what flows showed where they were looked at.

    Raises:
        PartMissingError: if the nodes were not read.
    """
    pairs = pairs_of(question, facts)
    is_named = isinstance(question, BetweenNodes) and question.node and question.peer
    doubted = pairs if is_named else doubted_pairs(question, facts)
    both_ways = [pair for one, other in doubted for pair in ((one, other), (other, one))]
    seen = crossings_between(both_ways, facts) if doubted else {}
    for node, peer in pairs:
        yield way_between(node, peer, seen, facts)
