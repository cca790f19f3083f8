"""Every node reaches every other node and its health endpoint.

A failed probe is a problem while it is fresh, until newer packets are seen to pass; an older one leaves doubt. Packets
that left one node and did not arrive at the other need no probe.
"""

from collections.abc import Iterable, Iterator

from handlers.commands.since import age_in_words
from handlers.connection.coverage import nodes_in_words, unread_alike
from handlers.connection.node_pair_findings import NODES_DISCONNECTED, PROBE_OUTWEIGHED, lost_between, outweighed
from handlers.connection.node_pairs import FRESH, PAIR_PARTS, Way, status_of_agent, ways_of
from handlers.connection.observation import clock
from handlers.model.agent import HealthProbe
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutNodes, BetweenNodes
from handlers.model.snapshot import Gap, Missing
from handlers.probes.probe import probe

NODE_UNREACHABLE = code(
    "NODE_UNREACHABLE",
    meaning="A node's health prober cannot reach another node.",
    template="{node} cannot reach node {peer}: {error} ({age}), {more}",
    advice="Check the network between the two nodes.",
)
HEALTH_ENDPOINT_UNREACHABLE = code(
    "HEALTH_ENDPOINT_UNREACHABLE",
    meaning="A node reaches another node but not the endpoint on it: the path between pods is broken.",
    template="{node} reaches node {peer} but not its health endpoint{path}: {error} ({age}), {more}",
    advice="No policy does this. Check the tunnel (8472/UDP for VXLAN, 6081/UDP for Geneve), native routes, the MTU.",
)
PEER_AGENT_REFUSES = code(
    "PEER_AGENT_REFUSES",
    meaning="A node answers another one's health probe, but no agent listens on it: the agent is down.",
    template="The agent of {peer} refuses the health probe of {node}, while its node answers: {error} ({age})",
    advice="Look at the agent's pod; what was running there goes on forwarding.",
)
NODES_CONNECTED = code(
    "NODES_CONNECTED",
    meaning="The health probes between the nodes succeed.",
    template="{count} health probe{count:|s} between nodes succeed{count:s|}",
)


PROBE_IS_OLD = code(
    "PROBE_IS_OLD",
    meaning="The agent of a node refused a health probe, and answers now: it had just been started again.",
    template="The agent of {peer} refused a health probe of {node} {age}, and answers now",
)
NODES_MAY_BE_APART = code(
    "NODES_MAY_BE_APART",
    meaning="A health probe between two nodes failed a while ago, and nothing newer tells whether packets pass.",
    template="Whether packets from {node} reach {peer} is open: a probe of {what} failed {age} ({error}), {more}",
    advice="Wait for the next round of probes and ask again, or try a connection between pods of both nodes.",
)
PROBES_UNREAD = code(
    "PROBES_UNREAD",
    meaning="What the health prober of a node says of the others could not be read.",
    template="What {count} node{count:|s} say{count:s|} of the others was not read ({nodes}): {detail}",
)

_NO_VIEW = Missing(Gap.FAILED, "its agent tells nothing of its probes of them")


@probe(
    answers=(AboutNodes, BetweenNodes),
    codes=(
        *(NODE_UNREACHABLE, HEALTH_ENDPOINT_UNREACHABLE, PEER_AGENT_REFUSES, NODES_CONNECTED, PROBE_IS_OLD),
        *(NODES_MAY_BE_APART, NODES_DISCONNECTED, PROBE_OUTWEIGHED, PROBES_UNREAD),
    ),
    needs=(Part.NODES, Part.AGENT_STATUS),
    uses=PAIR_PARTS,
    blocking=True,
)
def health_nodes_connected(question: AboutNodes | BetweenNodes, facts: Facts) -> Iterator[Finding]:
    """Judge the probes that the agents made, beside the packets that flows showed."""
    fine, troubles = 0, 0
    ways = tuple(ways_of(question, facts))
    fresh = _failing_now(ways, facts)
    for way in ways:
        found = _judge(way, facts, is_fresh=way.peer in fresh)
        troubles += found is not None and found.outcome is not Outcome.FINE
        fine += found is None and way.seen is not None and bool(way.seen.host_reachable)
        if found is not None:
            yield found
    if isinstance(question, BetweenNodes):
        yield from _unread(ways, facts)
    if fine and not troubles:
        yield NODES_CONNECTED.finding(Outcome.FINE, count=fine)


def _unread(ways: tuple[Way, ...], facts: Facts) -> Iterator[Finding]:
    """Say whose prober was not heard, where no packets tell in its stead."""
    silent = {way.node for way in ways if way.seen is None and way.crossing.passed_at is None}
    unread = {
        node: answer if isinstance(answer := facts.agent_status.on(node), Missing) else _NO_VIEW for node in silent
    }
    for alike, missing in unread_alike(unread):
        yield PROBES_UNREAD.finding(
            Outcome.UNKNOWN,
            blocking=True,
            advice=missing.remedy,
            weight=30,
            count=len(alike),
            nodes=nodes_in_words(alike),
            detail=missing.detail,
        )


def _failing_now(ways: Iterable[Way], facts: Facts) -> frozenset[str]:
    """Return the nodes that some other failed to reach just now: what others said of them before is true still."""
    return frozenset(way.peer for way in ways if way.failure and way.failure.at and facts.now - way.failure.at <= FRESH)


def _judge(way: Way, facts: Facts, *, is_fresh: bool) -> Finding | None:
    failure, refusal = way.failure, way.seen.refusal if way.seen else None
    told = failure or refusal
    age = age_in_words(told.at if told else None, facts.now)
    evidence = [Evidence("agent", f"Node//{way.node}", at=told.at, excerpt=told.error)] if told else []
    if way.crossing.is_broken and not way.crossing.doubt:
        failed = f"the health probe {age} failed: {failure.error}" if failure else ""
        return lost_between(way, failed, evidence)
    if told is None:
        return None
    if found := outweighed(way, evidence):
        return found
    if refusal:
        return _refused(way, refusal, age, evidence, facts)
    if way.back.is_broken and not way.back.doubt:
        # The answers are lost on their way back; that is told of the other way.
        return None
    is_of_node = way.seen is not None and way.seen.host_reachable is False
    if not is_fresh:
        return NODES_MAY_BE_APART.finding(
            Outcome.UNKNOWN,
            blocking=True,
            evidence=evidence,
            weight=40,
            follow_up=f"nodes {way.node} {way.peer}",
            node=way.node,
            peer=way.peer,
            what="the node itself" if is_of_node else f"its health endpoint{_through(way)}",
            age=age,
            error=told.error,
            more=_unseen(way),
        )
    return (NODE_UNREACHABLE if is_of_node else HEALTH_ENDPOINT_UNREACHABLE).finding(
        Outcome.PROBLEM,
        evidence=evidence,
        follow_up=f"nodes {way.node} {way.peer}",
        weight=88 if is_of_node else 75,
        node=way.node,
        peer=way.peer,
        path=_through(way),
        error=told.error,
        age=age,
        more=_unseen(way),
    )


def _refused(way: Way, refusal: HealthProbe, age: str, evidence: list[Evidence], facts: Facts) -> Finding:
    if status_of_agent(way.peer, facts) is not None:
        return PROBE_IS_OLD.finding(Outcome.FINE, evidence=evidence, node=way.node, peer=way.peer, age=age)
    return PEER_AGENT_REFUSES.finding(
        Outcome.PROBLEM,
        evidence=evidence,
        follow_up=f"agent {way.peer}",
        weight=60,
        node=way.node,
        peer=way.peer,
        error=refusal.error,
        age=age,
    )


def _through(way: Way) -> str:
    return f" through {way.path}" if way.path else ""


def _unseen(way: Way) -> str:
    """Return what flows tell besides, which did not settle it."""
    passed = [one for one in (way.crossing, way.back) if one.passed_at and not one.is_broken]
    if way.crossing.is_broken and way.crossing.lost_at:
        return f"packets left, last at {clock(way.crossing.lost_at)}, and {way.crossing.doubt}"
    if len(passed) == 1 and passed[0].passed_at:
        return f"packets from {passed[0].sender} to {passed[0].receiver} arrive, last at {clock(passed[0].passed_at)}"
    return "no packet was seen to pass since"
