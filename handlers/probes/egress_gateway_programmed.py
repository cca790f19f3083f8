"""The agents of the pod's node and of the gateway do what the egress gateway policy says.

Each agent writes the policies into a map of its own: on the pod's node it leads to the gateway, on the gateway it has
the address to send from. A gateway that has no such address on an interface drops the packet (DROP_NO_EGRESS_IP, 204).
"""

from collections.abc import Iterator
from typing import Any

from handlers.connection.outbound import OUTBOUND_PARTS, Outbound, outbound_of, passes_since
from handlers.connection.settings import parsed, versions_by_node
from handlers.connection.trial import Trial
from handlers.egress.choice import Entry
from handlers.egress.gateways import WayOut
from handlers.model.agent import EgressGatewayEntry
from handlers.model.cluster import Node
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Hop, Outcome, code, prose
from handlers.model.question import AboutConnection
from handlers.model.snapshot import Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

EGRESS_GATEWAY_UNMAPPED = code(
    "EGRESS_GATEWAY_UNMAPPED",
    meaning="A gateway node matches, but the agent of the pod's node has found no gateway for it: packets drop.",
    template="{policy} has the gateway node {gateway}, but the agent of {node} knows no gateway for "
    "{source} (Not Found)",
    advice="Look at the agent's log; the egress gateway needs the gateway's CiliumNode with its labels and addresses.",
)
EGRESS_GATEWAY_NOT_IN_MAP = code(
    "EGRESS_GATEWAY_NOT_IN_MAP",
    meaning="The agent of the pod's node has no entry for the policy: packets leave from that node, with its address.",
    template="The agent of {node} has no entry for {source} to {cidr}, though {policy} demands one: the other side "
    "sees {address}",
    advice="Look at that agent: it may be behind, down, or started without the egress gateway.",
)
EGRESS_GATEWAY_MAP_DIFFERS = code(
    "EGRESS_GATEWAY_MAP_DIFFERS",
    meaning="The egress gateway map of an agent says something else than the policies.",
    template="The agent of {node} has {found} for {source} to {cidr}, and {policy} says {wanted}",
    advice="Look at that agent: its map is older than the policy, or it sees other nodes and labels.",
)
EGRESS_GATEWAY_NO_ADDRESS = code(
    "EGRESS_GATEWAY_NO_ADDRESS",
    meaning="The gateway node has no address to send from: the policy's egressIP or interface is not there.",
    template="{policy} sends {source} through {gateway} as {wanted}, and that is on no interface of {gateway}: "
    "{effect}",
    reason="{wanted}, with which {name} sends it out, is on no interface of {gateway}",
    advice="Put the address on an interface of the gateway node, or name one that it has, or leave egressIP away.",
)
EGRESS_GATEWAY_NOT_AT_GATEWAY = code(
    "EGRESS_GATEWAY_NOT_AT_GATEWAY",
    meaning="The agent of the gateway node has no entry for the pod: what comes there is not sent on as it should be.",
    template="The agent of the gateway {gateway} has no entry for {source} to {cidr}, though {policy} demands one",
    advice="Look at the gateway's agent: it may be behind, or not see the pod's endpoint.",
)
EGRESS_GATEWAY_ADDRESS_UNPROVEN = code(
    "EGRESS_GATEWAY_ADDRESS_UNPROVEN",
    meaning="Agents before 1.18 take over any egressIP, whether or not the gateway has it on an interface.",
    template="Cannot tell whether {node} has {wanted} on an interface: before Cilium 1.18 an agent writes any egressIP "
    "into its map, and answers come back only where the node has it",
    advice="Look on the gateway node: ip address; its agent logs an egressIP that it does not find.",
)
EGRESS_GATEWAY_MAP_UNREAD = code(
    "EGRESS_GATEWAY_MAP_UNREAD",
    meaning="Whether the agents carry the policy out, and the gateway has the address, could not be looked up.",
    template="Cannot tell whether {node} does what {policy} says for {source}: {detail}",
    advice="Ask it there: cilium-dbg bpf egress list.",
)
_PROVES_ADDRESS = (1, 18)
"""Since then an egressIP that is on no interface is left out of the gateway's map (cilium#44026)."""


@probe(
    answers=(AboutConnection,),
    codes=(
        EGRESS_GATEWAY_UNMAPPED,
        EGRESS_GATEWAY_NOT_IN_MAP,
        EGRESS_GATEWAY_MAP_DIFFERS,
        EGRESS_GATEWAY_NO_ADDRESS,
        EGRESS_GATEWAY_NOT_AT_GATEWAY,
        EGRESS_GATEWAY_ADDRESS_UNPROVEN,
        EGRESS_GATEWAY_MAP_UNREAD,
    ),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *OUTBOUND_PARTS),
    hop=Hop.EGRESS_GATEWAY,
    blocking=True,
)
def egress_gateway_programmed(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Compare the maps of both nodes with what the policy says."""
    trial = Trial(question.connection, facts)
    said: set[tuple[object, ...]] = set()
    for outbound in outbound_of(trial):
        for entry in _compared(outbound):
            for finding in _Comparison(outbound, entry).findings(passes=passes_since(entry, trial)):
                key = (finding.code, entry.policy.ref, outbound.source.title, finding.values.get("node"))
                if key not in said:
                    said.add(key)
                    yield finding


def _compared(outbound: Outbound) -> tuple[Entry, ...]:
    """Return what the maps are compared with: of policies that contradict each other the one that an agent wrote."""
    taken = outbound.choice.taken
    if not outbound.is_on or outbound.choice.is_open or not outbound.choice.is_conflict:
        return taken[:1] if outbound.is_on and not outbound.choice.is_open else ()
    told = outbound.entry_on(outbound.source.node)
    if not isinstance(told, EgressGatewayEntry) or told.is_excluded:
        return taken[:1] if isinstance(told, Missing) else ()
    written = [entry for entry in taken if any(_is_at(way, told) for way in outbound.ways(entry))]
    # Both may lead to one node: the address tells them apart.
    return tuple(sorted(written, key=lambda entry: not _has_its_address(outbound, entry))[:1])


def _is_at(way: WayOut, told: EgressGatewayEntry) -> bool:
    return way.node is not None and told.gateway_ip in way.node.ips


def _has_its_address(outbound: Outbound, entry: Entry) -> bool:
    told = [(way, outbound.entry_on(way.node.name)) for way in outbound.ways(entry) if way.node]
    return any(isinstance(one, EgressGatewayEntry) and one.egress_ip == way.gateway.egress_ip for way, one in told)


class _Comparison:
    """What two nodes have for one pod and one policy."""

    def __init__(self, outbound: Outbound, entry: Entry) -> None:
        self._outbound = outbound
        self._entry = entry
        self._ways = outbound.ways(entry)

    def findings(self, *, passes: bool) -> Iterator[Finding]:
        """Yield what is wrong, or not known; what is not known does not matter where packets were seen to pass."""
        nodes = [way.node for way in self._ways if way.node]
        if len(nodes) < len(self._ways):
            return
        home = self._outbound.source.node
        told = self._outbound.entry_on(home)
        if isinstance(told, Missing):
            if not passes:
                yield self._unread(home or "the pod's node", told)
        elif wrong := self._at_home(told, nodes):
            yield wrong
            return
        for way, node in zip(self._ways, nodes, strict=True):
            at_gateway = self._outbound.entry_on(node.name)
            if isinstance(at_gateway, Missing):
                if not passes and node.name != home:
                    yield self._unread(node.name, at_gateway)
            elif wrong := self._at_gateway(at_gateway, way, node, passes=passes):
                yield wrong

    def _at_home(self, told: EgressGatewayEntry | None, nodes: list[Node]) -> Finding | None:
        home, gateways = self._outbound.source.node, tuple(node.name for node in nodes)
        if told is None:
            address = self._outbound.address_at_home
            return self._say(EGRESS_GATEWAY_NOT_IN_MAP, home, blocking=False, address=address)
        if told.gateway_ip is None:
            return self._say(EGRESS_GATEWAY_UNMAPPED, home, gateway=gateways)
        if not any(told.gateway_ip in node.ips for node in nodes):
            return self._say(EGRESS_GATEWAY_MAP_DIFFERS, home, blocking=False, found=told.gateway_ip, wanted=gateways)
        return None

    def _at_gateway(self, told: EgressGatewayEntry | None, way: WayOut, node: Node, *, passes: bool) -> Finding | None:
        if told is None:
            if len(self._ways) > 1:
                return None
            outcome = Outcome.PROBLEM if passes else Outcome.UNKNOWN
            return self._say(EGRESS_GATEWAY_NOT_AT_GATEWAY, node.name, outcome, blocking=not passes, gateway=node.name)
        if told.egress_ip is None:
            return self._lacks(way, node, "bpf egress list there says 0.0.0.0, and packets drop as DROP_NO_EGRESS_IP")
        if not passes and way.gateway.egress_ip and not self._is_proven_by_map(node):
            own = self._outbound.own_addresses(node)
            if own is None and way.gateway.egress_ip not in node.ips:
                return self._say(EGRESS_GATEWAY_ADDRESS_UNPROVEN, node.name, Outcome.UNKNOWN, wanted=way.source)
            if way.gateway.egress_ip not in (*node.ips, *(own or ())):
                return self._lacks(way, node, "answers to it do not come back there")
        if way.gateway.egress_ip and told.egress_ip != way.gateway.egress_ip:
            found, wanted = told.egress_ip, way.gateway.egress_ip
            return self._say(EGRESS_GATEWAY_MAP_DIFFERS, node.name, blocking=False, found=found, wanted=wanted)
        return None

    def _lacks(self, way: WayOut, node: Node, effect: str) -> Finding:
        wanted, told = way.source, prose(effect)
        return self._say(EGRESS_GATEWAY_NO_ADDRESS, node.name, gateway=node.name, wanted=wanted, effect=told)

    def _is_proven_by_map(self, node: Node) -> bool:
        """Whether an address in the gateway's map is one that it has: since 1.18 agents write no other."""
        version = parsed(versions_by_node(self._outbound.facts).get(node.name))
        return version is not None and version.line >= _PROVES_ADDRESS

    def _unread(self, node: str, why: Missing) -> Finding:
        return self._say(EGRESS_GATEWAY_MAP_UNREAD, node, Outcome.UNKNOWN, detail=why.detail)

    def _say(
        self,
        about: Code,
        node: str | None,
        outcome: Outcome = Outcome.PROBLEM,
        *,
        blocking: bool = True,
        **values: Any,
    ) -> Finding:
        policy = self._entry.policy
        return about.finding(
            outcome,
            hop=Hop.EGRESS_GATEWAY,
            blocking=blocking,
            evidence=[
                Evidence("agent", f"Node//{node}", "bpf egress list"),
                Evidence("kubernetes", policy.ref, "/spec/egressGateway"),
            ],
            follow_up=f"agent {node}" if node else "",
            policy=policy.ref,
            name=policy.name,
            source=self._outbound.source.title,
            cidr=self._entry.cidr,
            node=node,
            **values,
        )
