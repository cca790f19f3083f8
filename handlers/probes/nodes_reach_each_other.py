"""The nodes of both ends reach each other.

Nodes that do not reach each other lose every packet between their pods, whatever policy says. Packets that left one
node and did not arrive at the other prove it. A failed health probe alone does not: it may be older than packets that
passed, and an agent that is down answers no probe while its node goes on forwarding. Where neither node told of its
flows, and neither agent of its probes, nobody has looked.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from handlers.commands.since import age_in_words
from handlers.connection.coverage import nodes_in_words
from handlers.connection.crossing import Crossing, crossings
from handlers.connection.legs import LEG_PARTS
from handlers.connection.node_pair_findings import NODES_DISCONNECTED, PROBE_OUTWEIGHED, lost_between, outweighed
from handlers.connection.node_pairs import Way, peer_seen_by, way_between
from handlers.connection.observation import clock
from handlers.connection.trial import Trial
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import FlowLog
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.snapshot import Known
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

NODES_IN_DOUBT = code(
    "NODES_IN_DOUBT",
    meaning="A health probe between the nodes failed, or packets are not accounted for, and nothing newer settles it.",
    template="Whether packets from {node} reach {peer} is open: {why}",
    advice="Try the connection once and ask again: packets that pass outweigh a probe.",
)
NODES_NOT_LOOKED_AT = code(
    "NODES_NOT_LOOKED_AT",
    meaning="Neither all flows nor health probes of the nodes of both ends were read, so nobody knows whether packets "
    "pass between them.",
    template="Whether packets pass between nodes {pairs} was not looked at: neither all flows nor health probes were "
    "read",
    reason="whether packets pass between nodes {pairs} was not looked at",
    advice="Read flows or agents: the relay's address and the right to exec on a cluster, a sysdump without --quick.",
)


@probe(
    answers=(AboutConnection,),
    codes=(NODES_DISCONNECTED, NODES_IN_DOUBT, NODES_NOT_LOOKED_AT, PROBE_OUTWEIGHED),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.AGENT_STATUS, Part.FLOWS),
    hop=Hop.AGENTS,
)
def nodes_reach_each_other(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge each two nodes that the legs join, in both directions."""
    trial = Trial(question.connection, facts)
    flows = facts.look(Part.FLOWS)
    seen = crossings(needed(trial.stretches), flows.value) if isinstance(flows, Known) else {}
    pairs = {(leg.source.node, leg.destination.node) for leg in needed(trial.legs)}
    both = {(a, b) for one, other in pairs if one and other and one != other for a, b in ((one, other), (other, one))}
    for node, peer in sorted(both):
        yield from _judge(way_between(node, peer, seen, facts), facts.now)
    unread = {
        f"{node} and {peer}"
        for node, peer in both
        if node < peer
        and not (_has_passed(seen, node, peer) or _is_heard(node, peer, facts) or _is_probed(node, peer, facts))
    }
    if unread:
        yield NODES_NOT_LOOKED_AT.finding(Outcome.UNKNOWN, hop=Hop.AGENTS, blocking=True, pairs=nodes_in_words(unread))


def _has_passed(seen: Mapping[tuple[str, str], Crossing], node: str, peer: str) -> bool:
    """Return whether packets were seen to arrive both ways."""
    return all(pair in seen and seen[pair].passed_at for pair in ((node, peer), (peer, node)))


def _is_heard(node: str, peer: str, facts: Facts) -> bool:
    """Return whether both nodes told of all their flows, so that lost packets would be known."""
    look = facts.look(Part.FLOWS)
    if not isinstance(look, Known):
        return False
    log: FlowLog = look.value
    return {node, peer} <= log.heard and not any(entry.node in ("", node, peer) for entry in log.lost)


def _is_probed(node: str, peer: str, facts: Facts) -> bool:
    """Return whether one of the two agents tells of its probes of the other."""
    views = (peer_seen_by(prober, probed, facts) for prober, probed in ((node, peer), (peer, node)))
    return any(view is not None and view.probes for view in views)


def _judge(way: Way, now: datetime) -> Iterator[Finding]:
    failure, lost_at = way.failure, way.crossing.lost_at
    evidence = [Evidence("agent", f"Node//{way.node}", at=failure.at)] if failure else []
    failed = f"the health probe {age_in_words(failure.at, now)} failed: {failure.error}" if failure else ""
    if way.crossing.is_broken and not way.crossing.doubt:
        yield lost_between(way, failed, evidence)
    elif way.crossing.is_broken and lost_at:
        evidence.insert(0, Evidence("hubble", f"Node//{way.node}", at=lost_at))
        why = f"packets left, last at {clock(lost_at)}, and {way.crossing.doubt}"
        yield _doubt(way, f"{why}; {failed}" if failed else why, evidence)
    elif found := outweighed(way, evidence):
        yield found
    elif failure:
        yield _doubt(way, f"{failed}, and no packet was seen to pass since", evidence)


def _doubt(way: Way, why: str, evidence: list[Evidence]) -> Finding:
    return NODES_IN_DOUBT.finding(
        Outcome.UNKNOWN, hop=Hop.AGENTS, blocking=True, evidence=evidence, node=way.node, peer=way.peer, why=why
    )
