"""No map of the datapath is nearly full.

A full policy map leaves allows out; a full connection tracking or NAT map drops new connections. The pressure is the
share in use, 1.0 being full (metric cilium_bpf_map_pressure).
"""

from collections.abc import Iterator

from handlers.commands.health import how_to_ask
from handlers.connection.coverage import nodes_in_words, unread_alike
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutMaps, AboutNodes
from handlers.model.snapshot import Known, Missing
from handlers.probes.probe import probe

MAP_NEARLY_FULL = code(
    "MAP_NEARLY_FULL",
    meaning="A map of the datapath is nearly full, or full.",
    template="Map {map} on {node} is {percent} % full",
    advice="Raise its size in cilium-config (bpf-policy-map-max, bpf-ct-global-tcp-max, bpf-map-dynamic-size-ratio).",
)
IMPORT_ERRORS = code(
    "IMPORT_ERRORS",
    meaning="An agent counts policies that it could not import since it started: a note, since nobody knows when that"
    " was; policies that are refused now are found by judging them.",
    template="Since it started, the agent of {node} failed to import {count} policy change{count:|s}",
)
MAPS_HAVE_ROOM = code(
    "MAPS_HAVE_ROOM",
    meaning="Every map has room.",
    template="The fullest map of {count} node{count:|s} is {percent} % full",
)
METRICS_UNREAD = code(
    "METRICS_UNREAD",
    meaning="An agent's metrics could not be read.",
    template="The metrics of {count} agent{count:|s} were not read ({nodes}): {detail}",
)

NEARLY_FULL = 0.9
"""Share in use from which a map counts as ill: Cilium's own alert threshold for map pressure."""


@probe(
    answers=(AboutNodes, AboutMaps),
    codes=(MAP_NEARLY_FULL, IMPORT_ERRORS, MAPS_HAVE_ROOM, METRICS_UNREAD),
    needs=(Part.NODES, Part.AGENT_METRICS),
    uses=(Part.AGENT_STATUS,),
    blocking=True,
)
def health_maps_have_room(question: AboutNodes | AboutMaps, facts: Facts) -> Iterator[Finding]:
    """Judge map pressure and import errors of each agent."""
    fullest, read, troubles = 0.0, 0, 0
    unread: dict[str, Missing] = {}
    for node in (node.name for node in facts.nodes if question.node in (None, node.name)):
        answer = facts.agent_metrics.on(node)
        if isinstance(answer, Missing):
            if _is_agent_read(node, facts):
                unread[node] = answer
            continue
        read += any(metric.name == "cilium_bpf_map_pressure" for metric in answer.value)
        evidence = [Evidence("agent", f"Node//{node}")]
        for metric in answer.value:
            if metric.name == "cilium_bpf_map_pressure":
                fullest = max(fullest, metric.value)
                if metric.value >= NEARLY_FULL:
                    troubles += 1
                    yield MAP_NEARLY_FULL.finding(
                        Outcome.PROBLEM,
                        evidence=evidence,
                        follow_up=f"maps {node}",
                        weight=int(metric.value * 80),
                        map=metric.labels.get("map_name", "?"),
                        node=node,
                        percent=round(metric.value * 100),
                    )
            elif (
                isinstance(question, AboutNodes)
                and _counts_import_errors(metric.name, metric.labels)
                and metric.value > 0
            ):
                yield IMPORT_ERRORS.finding(
                    Outcome.FINE, evidence=evidence, weight=55, node=node, count=int(metric.value)
                )
    for alike, missing in unread_alike(unread):
        yield METRICS_UNREAD.finding(
            Outcome.UNKNOWN,
            blocking=True,
            advice=missing.remedy or how_to_ask(missing),
            weight=20,
            count=len(alike),
            nodes=nodes_in_words(alike),
            detail=missing.detail,
        )
    if read and not troubles:
        yield MAPS_HAVE_ROOM.finding(Outcome.FINE, count=read, percent=round(fullest * 100, 1))


def _is_agent_read(node: str, facts: Facts) -> bool:
    """Whether the agent told anything at all: one that did not is told of once, with its state."""
    look = facts.look(Part.AGENT_STATUS)
    return isinstance(look, Known) and isinstance(look.value.on(node), Known)


def _counts_import_errors(name: str, labels: object) -> bool:
    # Renamed in 1.16: policy_change_total{outcome="fail"} (Cilium, Documentation/observability/metrics.rst).
    if name == "cilium_policy_import_errors_total":
        return True
    return name == "cilium_policy_change_total" and isinstance(labels, dict) and labels.get("outcome") == "fail"
