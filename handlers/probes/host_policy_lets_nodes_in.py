"""The host firewall of no node keeps out what the other nodes need of it.

A cluster-wide policy with a nodeSelector puts the nodes that it selects under default deny, kubelet and the tunnel
included. Whether that denies what nodes send each other is judged as for any other connection.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from handlers.connection.judgement import Judged, judge
from handlers.connection.legs import Leg
from handlers.connection.node_pairs import WINDOW, path_from, status_of_agent
from handlers.connection.observation import clock
from handlers.connection.places import Place, PlaceKind
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.model.cluster import Node
from handlers.model.decision import Verdict
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.flow import FlowVerdict
from handlers.model.parts import Part
from handlers.model.question import BetweenNodes
from handlers.model.snapshot import Known
from handlers.model.traffic import Protocol
from handlers.probes.probe import probe

HOST_POLICY_DENIES = code(
    "HOST_POLICY_DENIES",
    meaning="A host policy keeps out what the nodes of a cluster need of each other: kubelet, the tunnel, health.",
    template="{policies} on node {node} ({selector}) denies {uses} from {peers}: {lost}{seen}{agent}; traffic of pods"
    " is not its matter",
    reason="{policies} denies {uses} on node {node} from {peers}",
    advice="Allow these ports from the entities remote-node and kube-apiserver in the policy (10250/TCP for kubelet,"
    " the tunnel's port, 4240/TCP for health).",
)
HOST_POLICY_OPEN = code(
    "HOST_POLICY_OPEN",
    meaning="Host policies select nodes, and let in what other nodes need.",
    template="Host policies on {nodes} let in what other nodes need",
)


@dataclass(frozen=True, slots=True)
class _Use:
    """What one node needs of another, and what is lost without it."""

    port: int
    protocol: Protocol
    name: str
    lost: str

    def __str__(self) -> str:
        return f"{self.port}/{self.protocol} ({self.name})"


_KUBELET = _Use(10_250, Protocol.TCP, "kubelet", "kubectl logs and exec of its pods fail, agents' too")
_HEALTH = _Use(4_240, Protocol.TCP, "cilium-health", "its health probes fail")
_HUBBLE = _Use(4_244, Protocol.TCP, "Hubble", "relay does not hear it")
_MOST_NODES = 6


@probe(
    answers=(BetweenNodes,),
    codes=(HOST_POLICY_DENIES, HOST_POLICY_OPEN),
    needs=POLICY_PARTS,
    uses=(*POLICY_OPTIONAL_PARTS, Part.AGENT_STATUS, Part.PODS),
)
def host_policy_lets_nodes_in(question: BetweenNodes, facts: Facts) -> Iterator[Finding]:
    """Judge each node that a host policy selects, from one node that it hears of and those that serve the API."""
    if not any((policy.manifest.get("spec") or {}).get("nodeSelector") for policy in facts.policies):
        return
    named = {name for name in (question.node, question.peer) if name}
    nodes = [node for node in facts.nodes if not named or node.name in named][:_MOST_NODES]
    clean = []
    for node in nodes:
        others = [other for other in facts.nodes if other is not node and (len(named) < 2 or other.name in named)]
        others.sort(key=lambda other: not _serves_api(other, facts))
        judged = [(use, leg) for use in _uses(node, facts) for leg in _judged(node, others[:2], use, facts)]
        denied = [(use, leg) for use, leg in judged if leg.sides.ingress.verdict is Verdict.DENIED]
        if denied:
            yield _denied(node, denied, facts)
        elif any(leg.sides.ingress.selected_by for _, leg in judged):
            clean.append(node.name)
    if clean:
        yield HOST_POLICY_OPEN.finding(Outcome.FINE, nodes=tuple(clean))


def _uses(node: Node, facts: Facts) -> Iterator[_Use]:
    yield _KUBELET
    path = path_from(node.name, facts)
    if path and path.port:
        yield _Use(
            path.port, Protocol.UDP, f"{path.name} tunnel", "packets between pods of other nodes and its own fail"
        )
    yield _HEALTH
    yield _HUBBLE


def _serves_api(node: Node, facts: Facts) -> bool:
    look = facts.look(Part.API_SERVER)
    served = {address.rpartition(":")[0] or address for address in look.value} if isinstance(look, Known) else set()
    return not served.isdisjoint(node.ips) or any(address in node.ips for address in served)


def _judged(node: Node, others: list[Node], use: _Use, facts: Facts) -> tuple[Judged, ...]:
    return judge([Leg(_place(other), _place(node), use.protocol, use.port) for other in others], None, facts)


def _place(node: Node) -> Place:
    return Place(PlaceKind.NODE, f"node {node.name}", node.ips + node.cilium_ips, node=node.name)


def _denied(node: Node, denied: list[tuple[_Use, Judged]], facts: Facts) -> Finding:
    sides = [leg.sides.ingress for _, leg in denied]
    policies = dict.fromkeys(str(policy) for side in sides for policy in side.selected_by)
    uses = dict.fromkeys(use for use, _ in denied)
    peers = dict.fromkeys(leg.leg.source.node or "" for _, leg in denied)
    dropped = _dropped(node, {use.port for use in uses}, facts)
    last = max(dropped, default=None)
    is_read = status_of_agent(node.name, facts) is not None
    is_kubelet = _KUBELET in uses
    return HOST_POLICY_DENIES.finding(
        Outcome.PROBLEM,
        evidence=[
            *(Evidence("kubernetes", policy, "/spec/nodeSelector") for policy in policies),
            *([Evidence("hubble", f"Node//{node.name}", at=last)] if last else []),
        ],
        follow_up=f"why node/{next(iter(peers))} node/{node.name} {next(iter(uses)).port}",
        weight=86,
        policies=tuple(policies),
        node=node.name,
        selector=_selector(policies, facts),
        uses=tuple(map(str, uses)),
        peers=tuple(peers),
        lost="; ".join(use.lost for use in uses),
        seen=f"; {len(dropped)} packets dropped lately, last at {clock(last)}" if last else "",
        agent="" if is_read or not is_kubelet else "; its agent could not be asked by exec either",
    )


def _selector(policies: dict[str, None], facts: Facts) -> str:
    """Return how the policies select the node, as they write it."""
    for policy in facts.policies:
        spec = policy.manifest.get("spec")
        selector = spec.get("nodeSelector") if policy.ref in policies and isinstance(spec, dict) else None
        if isinstance(selector, dict):
            labels = selector.get("matchLabels")
            shown = [f"{key}={value}" for key, value in labels.items()] if isinstance(labels, dict) else []
            return f"nodeSelector {', '.join(shown[:4])}" if shown else "its nodeSelector"
    return "its nodeSelector"


def _dropped(node: Node, ports: set[int], facts: Facts) -> list[datetime]:
    """Return when packets to these ports of a node were dropped."""
    look = facts.look(Part.FLOWS)
    return [
        flow.time
        for flow in (look.value.flows if isinstance(look, Known) else ())
        if flow.verdict is FlowVerdict.DROPPED
        and flow.destination.ip in node.ips
        and flow.destination.port in ports
        and facts.now - flow.time <= WINDOW
    ]
