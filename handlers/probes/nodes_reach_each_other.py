"""The nodes of both ends reach each other.

Nodes that do not reach each other lose every packet between their pods, whatever policy says. Packets that left one
node and did not arrive at the other prove it. A failed health probe alone does not: it may be older than packets that
passed, and an agent that is down answers no probe while its node goes on forwarding. Where neither node told of its
flows, and neither agent of its probes, nobody has looked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers.commands.since import age_in_words
from handlers.connection.coverage import nodes_in_words
from handlers.connection.crossing import Crossing, crossings
from handlers.connection.legs import LEG_PARTS
from handlers.connection.observation import clock
from handlers.connection.trial import Trial
from handlers.model.agent import AgentStatus, HealthProbe
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import FlowLog
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.snapshot import Known
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

NODES_DISCONNECTED = code(
    "NODES_DISCONNECTED",
    meaning="Packets left one node for another and did not arrive there: the network between the nodes loses them.",
    template="Packets from {node} to {peer} are lost between the nodes: {count} connection{count:|s} "
    "sent, last at {at}, nothing arrived{probe}",
    reason="packets from {node} to {peer} are lost between the nodes: {count} sent, none arrived",
    advice="Check the network between the nodes: the tunnel port (8472/UDP for VXLAN), routes, firewalls, MTU.",
)
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
PROBE_OUTWEIGHED = code(
    "PROBE_OUTWEIGHED",
    meaning="A health probe between the nodes failed, and newer packets passed between them.",
    template="{node} and {peer} reach each other: packets passed at {at}, later than the probe that failed at {failed}",
)


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failed probe in words, and its time."""

    error: str
    at: datetime | None
    age: str

    def __str__(self) -> str:
        return f"the health probe {self.age} failed: {self.error}"


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
        crossing = seen.get((node, peer), Crossing(node, peer))
        back = seen.get((peer, node), Crossing(peer, node))
        yield from _judge(crossing, back, _failure(node, peer, facts))
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
    look = facts.look(Part.AGENT_STATUS)
    for prober, probed in ((node, peer), (peer, node)):
        answer = look.value.on(prober) if isinstance(look, Known) else None
        peers = (answer.value.peers or ()) if isinstance(answer, Known) else ()
        if any(other.name == probed and other.probes for other in peers):
            return True
    return False


def _judge(crossing: Crossing, back: Crossing, failure: _Failure | None) -> Iterator[Finding]:
    node, peer = crossing.sender, crossing.receiver
    evidence = [Evidence("agent", f"Node//{node}", at=failure.at)] if failure else []
    if crossing.is_broken:
        evidence.insert(0, Evidence("hubble", f"Node//{node}", at=crossing.lost_at))
        if not crossing.doubt:
            yield NODES_DISCONNECTED.finding(
                Outcome.PROBLEM,
                hop=Hop.AGENTS,
                blocking=True,
                evidence=evidence,
                node=node,
                peer=peer,
                count=crossing.lost,
                at=clock(crossing.lost_at) if crossing.lost_at else None,
                probe=f", and {failure}" if failure else "",
            )
            return
        why = f"packets left, last at {clock(crossing.lost_at)}, and {crossing.doubt}" if crossing.lost_at else ""
        yield _doubt(node, peer, f"{why}; {failure}" if failure else why, evidence)
        return
    if failure is None:
        return
    passed = min(crossing.passed_at, back.passed_at) if crossing.passed_at and back.passed_at else None
    if passed and (failure.at is None or passed >= failure.at):
        yield PROBE_OUTWEIGHED.finding(
            Outcome.FINE,
            hop=Hop.AGENTS,
            evidence=[Evidence("hubble", f"Node//{peer}", at=passed), *evidence],
            node=node,
            peer=peer,
            at=clock(passed),
            failed=clock(failure.at) if failure.at else "a time that is not known",
        )
    else:
        yield _doubt(node, peer, f"{failure}, and no packet was seen to pass since", evidence)


def _doubt(node: str, peer: str, why: str, evidence: list[Evidence]) -> Finding:
    return NODES_IN_DOUBT.finding(
        Outcome.UNKNOWN, hop=Hop.AGENTS, blocking=True, evidence=evidence, node=node, peer=peer, why=why
    )


def _failure(node: str, peer: str, facts: Facts) -> _Failure | None:
    look = facts.look(Part.AGENT_STATUS)
    answer = look.value.on(node) if isinstance(look, Known) else None
    if not isinstance(answer, Known):
        return None
    found = _failed_probe(answer.value, peer)
    return _Failure(found.error, found.at, age_in_words(found.at, facts.now)) if found else None


def _failed_probe(status: AgentStatus, peer: str) -> HealthProbe | None:
    """Return the probe that tells that the peer is out of reach, None where something of it answered.

    An agent that refuses is down, and its health endpoint with it: the node answers, and goes on forwarding.
    """
    seen = next((other for other in status.peers or () if other.name == peer), None)
    if seen is None or seen.refusal:
        return None
    if seen.host_reachable is False:
        return seen.failure(of_endpoint=False)
    return seen.failure(of_endpoint=True) if seen.endpoint_reachable is False else None
