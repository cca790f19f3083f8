"""Where an egress gateway policy takes the traffic over, a gateway node exists and is ready.

A policy that selects the pod and the destination but no node makes the datapath drop the packet (NO_EGRESS_GATEWAY,
194), though Hubble shows it forwarded towards the network just before. One that works changes the address that the
other side sees. The first node by name that the selector matches is the gateway, whether or not it lives.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from handlers.connection.outbound import OUTBOUND_PARTS, Outbound, outbound_of, passes_since
from handlers.connection.trial import Trial
from handlers.egress.choice import Entry
from handlers.egress.gateways import WayOut
from handlers.model.agent import EgressGatewayEntry
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Hop, Outcome, code
from handlers.model.question import AboutConnection
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

EGRESS_GATEWAY_NO_NODE = code(
    "EGRESS_GATEWAY_NO_NODE",
    meaning="An egress gateway policy selects the pod and the destination, but no node to leave through: packets drop.",
    template="{policy} sends {source} to {cidr} through a gateway, and its nodeSelector {selector} matches no "
    "node{drops}",
    reason="{name} takes {cidr} out through a gateway, and {selector} matches no node",
    advice="Make egressGateway.nodeSelector match a ready node, or take the pod or the range out of the policy.",
)
EGRESS_GATEWAY_NOT_READY = code(
    "EGRESS_GATEWAY_NOT_READY",
    meaning="The gateway node of the egress gateway policy is not ready; whether it still forwards is not known.",
    template="{policy} sends {source} through {nodes}, which is not ready",
    reason="{name} takes {cidr} out through {nodes}, which is not ready",
    advice="Look at the gateway node: Cilium goes on using it, and moves to the next only when the label is taken off.",
)
EGRESS_GATEWAY_USED = code(
    "EGRESS_GATEWAY_USED",
    meaning="The traffic leaves through a gateway node, with the address that the policy names.",
    template="{policy} takes {source} out through {nodes} with {address}",
)


@probe(
    answers=(AboutConnection,),
    codes=(EGRESS_GATEWAY_NO_NODE, EGRESS_GATEWAY_NOT_READY, EGRESS_GATEWAY_USED),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *OUTBOUND_PARTS),
    hop=Hop.EGRESS_GATEWAY,
    blocking=True,
)
def egress_gateway_exists(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge the gateways of every policy that takes a pod's packets."""
    trial = Trial(question.connection, facts)
    said: set[tuple[str, str]] = set()
    for outbound in outbound_of(trial):
        if not outbound.is_on:
            continue
        for entry in outbound.choice.taken:
            if (entry.policy.ref, outbound.source.title) not in said:
                said.add((entry.policy.ref, outbound.source.title))
                yield _judge(outbound, entry, trial)


def _judge(outbound: Outbound, entry: Entry, trial: Trial) -> Finding:
    ways = outbound.ways(entry)
    missing = [way for way in ways if way.node is None]
    sick = [way for way in ways if way.node and way.node.ready is False]
    is_one_of_several = len(outbound.choice.deciding) > 1 or outbound.choice.is_open
    say = partial(_finding, outbound, entry)
    if missing:
        # A pod is given one of several gateways: this one, or another.
        is_sure = len(missing) == len(ways) and not is_one_of_several
        outcome = Outcome.PROBLEM if is_sure else Outcome.UNKNOWN
        return say(
            EGRESS_GATEWAY_NO_NODE,
            outcome,
            missing,
            selector=tuple(way.gateway.selector_in_words for way in missing),
            drops=_told_by_map(outbound),
        )
    if sick:
        passes = passes_since(entry, trial)
        outcome = Outcome.PROBLEM if passes else Outcome.UNKNOWN
        return say(EGRESS_GATEWAY_NOT_READY, outcome, sick, blocking=not passes)
    told = {outbound.entry_on(way.node.name) for way in ways if way.node and len(ways) == 1}
    address = next((one.egress_ip for one in told if isinstance(one, EgressGatewayEntry)), None)
    return say(EGRESS_GATEWAY_USED, Outcome.FINE, ways, address=address or tuple(way.source for way in ways))


def _finding(
    outbound: Outbound,
    entry: Entry,
    about: Code,
    outcome: Outcome,
    ways: Sequence[WayOut],
    *,
    blocking: bool = True,
    **values: Any,
) -> Finding:
    policy, nodes = entry.policy, tuple(dict.fromkeys(way.node.name for way in ways if way.node))
    return about.finding(
        outcome,
        hop=Hop.EGRESS_GATEWAY,
        blocking=blocking,
        evidence=[Evidence("kubernetes", policy.ref, f"{way.gateway.pointer}/nodeSelector") for way in ways],
        follow_up="" if outcome is Outcome.FINE else f"nodes {nodes[0]}" if nodes else "nodes",
        policy=policy.ref,
        name=policy.name,
        source=outbound.source.title,
        cidr=entry.cidr,
        nodes=nodes,
        **values,
    )


def _told_by_map(outbound: Outbound) -> str:
    told = outbound.entry_on(outbound.source.node)
    is_told = isinstance(told, EgressGatewayEntry) and told.gateway_ip is None
    where = f"; bpf egress list on {outbound.source.node} says Not Found (0.0.0.0)" if is_told else ""
    return f"{where}; packets drop as No Egress Gateway found"
