"""What flows prove of one way between two nodes, as findings: the same for a connection, for two nodes, for all."""

from collections.abc import Iterable

from handlers.connection.node_pairs import Way
from handlers.connection.observation import clock
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code

NODES_DISCONNECTED = code(
    "NODES_DISCONNECTED",
    meaning="Packets left one node for another and did not arrive there: the network between the nodes loses them.",
    template="Packets from {node} to {peer} are lost between the nodes{path}: {count} connection{count:|s} "
    "sent, last at {at}, nothing arrived{back}{probe}",
    reason="packets from {node} to {peer} are lost between the nodes{path}: {count} sent, none arrived",
    advice="Check the network between the nodes: the tunnel port (8472/UDP for VXLAN), routes, firewalls, MTU.",
)
PROBE_OUTWEIGHED = code(
    "PROBE_OUTWEIGHED",
    meaning="A health probe between the nodes failed, and newer packets passed between them.",
    template="{node} and {peer} reach each other: packets passed at {at}, later than the probe that failed at {failed}",
)


def lost_between(way: Way, probe: str, evidence: Iterable[Evidence]) -> Finding:
    """Say that packets are lost on the way; ``probe`` is what the health prober says, empty where it says nothing."""
    crossing, back, path = way.crossing, way.back, way.path
    returns = back.passed_at is not None and not back.is_broken
    return NODES_DISCONNECTED.finding(
        Outcome.PROBLEM,
        hop=Hop.AGENTS,
        blocking=True,
        evidence=[Evidence("hubble", f"Node//{way.node}", at=crossing.lost_at), *evidence],
        advice=_advice(way),
        weight=95,
        node=way.node,
        peer=way.peer,
        path=f" in {path}" if path and path.port else "",
        count=crossing.lost,
        at=clock(crossing.lost_at) if crossing.lost_at else None,
        back=f", while packets from {way.peer} to {way.node} arrive" if returns else "",
        probe=f", and {probe}" if probe else "",
    )


def _advice(way: Way) -> str | None:
    """Return what to do where the path is known; the code's own advice holds for every path."""
    if way.path is None:
        return None
    if not way.path.port:
        return "No policy does this. Check the routes to the pods' addresses, firewalls between the nodes, the MTU."
    return (
        f"No policy does this. Let {way.path.port}/UDP pass from {way.node} to {way.peer} (security groups, firewalls"
        " on the nodes), and check the MTU."
    )


def outweighed(way: Way, evidence: Iterable[Evidence]) -> Finding | None:
    """Say that packets passed since a probe failed, None where they did not."""
    passed, failure = way.outweighed_by, way.failure
    if passed is None or passed.passed_at is None or failure is None:
        return None
    return PROBE_OUTWEIGHED.finding(
        Outcome.FINE,
        hop=Hop.AGENTS,
        evidence=[Evidence("hubble", f"Node//{way.peer}", at=passed.passed_at), *evidence],
        node=way.node,
        peer=way.peer,
        at=clock(passed.passed_at),
        failed=clock(failure.at) if failure.at else "a time that is not known",
    )
