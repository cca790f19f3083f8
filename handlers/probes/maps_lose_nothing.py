"""No packet was dropped and no entry refused because a map of the datapath is full.

What the agent counted since it started is a note, since nobody knows when that was; flows and its log bear times.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from handlers.agents.log_lines import log_lines
from handlers.connection.datapath_maps import MAP_PARTS, counted_on, pressures_on, tells_pressure
from handlers.connection.observation import clock
from handlers.model.drop_reason import drop_reason
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.flow import Flow, FlowVerdict
from handlers.model.log import PodLog
from handlers.model.parts import Part
from handlers.model.question import AboutMaps
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

MAP_DROPS = code(
    "MAP_DROPS",
    meaning="Packets were dropped lately for a reason that comes of a full map.",
    template="{node} dropped {count} packet{count:|s} as {reason} ({meaning}), last at {at}",
    advice="Raise the limit of the map, or spread the connections: maps NODE tells how full each is.",
)
MAP_REFUSES_ENTRIES = code(
    "MAP_REFUSES_ENTRIES",
    meaning="The agent could not write to a map of the datapath: it is full, and what is missing there is not"
    " enforced, or not forwarded.",
    template="The agent of {node} could not write to a map {count} time{count:|s}, last at {at}: {line}",
    advice="For a policy map, raise bpf-policy-map-max or let policies name fewer identities; the endpoint is not"
    " ready until then, and drops what its map does not list.",
)
MAP_COUNTED_FULL = code(
    "MAP_COUNTED_FULL",
    meaning="The entries of a map, counted one by one, nearly reach its limit.",
    template="The {map} on {node} has {used} of {limit} entries ({percent} %)",
    advice="Raise its limit in cilium-config, or let policies name fewer identities and ports.",
)
MAP_DROPS_COUNTED = code(
    "MAP_DROPS_COUNTED",
    meaning="An agent counts drops for want of room in a map since it started: a note, for nobody knows when that was.",
    template="Since it started, {node} counts {count} packet{count:|s} dropped as {reason}",
)
MAP_PRESSURE_UNTOLD = code(
    "MAP_PRESSURE_UNTOLD",
    meaning="The metrics of an agent were read and do not hold the pressure of any map.",
    template="How full the maps of {node} are is not known: its metrics hold no map pressure",
    advice="The agent tells it where its metrics are on (prometheus-serve-addr) and have not just begun.",
)
_REASONS = ("CT_MAP_INSERTION_FAILED", "NO_MAPPING_FOR_NAT_MASQUERADE", "FAILED_TO_INSERT_INTO_PROXYMAP")
_COUNTED = ("CT: Map insertion failed", "No mapping for NAT masquerade", "Failed to insert into proxymap")
"""The same as the agent's metrics write them (Cilium, pkg/monitor/api/drop.go)."""
_FULL = ("no space left on device", "argument list too long", "map is full")
"""How the kernel's refusal reads in the agent's log: ENOSPC of an LPM trie, E2BIG of a hash."""
_RECENT = timedelta(minutes=15)
_NEARLY_FULL = 0.9


@probe(
    answers=(AboutMaps,),
    codes=(MAP_DROPS, MAP_REFUSES_ENTRIES, MAP_COUNTED_FULL, MAP_DROPS_COUNTED, MAP_PRESSURE_UNTOLD),
    needs=(Part.NODES,),
    uses=(*MAP_PARTS, Part.FLOWS, Part.AGENT_LOG),
    blocking=True,
)
def maps_lose_nothing(question: AboutMaps, facts: Facts) -> Iterator[Finding]:
    """Look for what full maps cost, node by node."""
    nodes = [node.name for node in facts.nodes if question.node in (None, node.name)]
    yield from _dropped(nodes, facts)
    for node in nodes:
        yield from _refused(node, facts)
        yield from _counted(node, facts)


def _dropped(nodes: list[str], facts: Facts) -> Iterator[Finding]:
    look = facts.look(Part.FLOWS)
    found: dict[tuple[str, str], list[Flow]] = {}
    for flow in look.value.flows if isinstance(look, Known) else ():
        if flow.verdict is FlowVerdict.DROPPED and flow.drop_reason in _REASONS and flow.node in nodes:
            found.setdefault((flow.node, flow.drop_reason or ""), []).append(flow)
    for (node, reason), flows in sorted(found.items()):
        last = max(flow.time for flow in flows)
        yield MAP_DROPS.finding(
            Outcome.PROBLEM,
            evidence=[Evidence("hubble", f"Node//{node}", at=last)],
            follow_up=f"drops {node}",
            weight=70,
            node=node,
            count=len(flows),
            reason=reason,
            meaning=drop_reason(reason).meaning,
            at=clock(last),
        )


def _refused(node: str, facts: Facts) -> Iterator[Finding]:
    logs = facts.look(Part.AGENT_LOG)
    answer = logs.value.on(node) if isinstance(logs, Known) else None
    log: PodLog | None = answer.value if isinstance(answer, Known) else None
    told = log_lines((log.lines if log else None) or ())
    lines = [line for line in told if any(words in line.text.lower() for words in _FULL)]
    last = max((line.at for line in lines if line.at), default=None)
    if not lines or (last and facts.now - last > _RECENT):
        return
    yield MAP_REFUSES_ENTRIES.finding(
        Outcome.PROBLEM,
        evidence=[Evidence("agent", f"Node//{node}", at=last, excerpt=lines[-1].shown)],
        follow_up=f"agent {node}",
        weight=72,
        node=node,
        count=len(lines),
        at=clock(last) if last else "a time that is not told",
        line=lines[-1].shown,
    )


def _counted(node: str, facts: Facts) -> Iterator[Finding]:
    evidence = [Evidence("agent", f"Node//{node}")]
    pressed = {use.kind for use in pressures_on(node, facts)}
    for use in counted_on(node, facts):
        if use.kind not in pressed and use.share is not None and use.share >= _NEARLY_FULL:
            yield MAP_COUNTED_FULL.finding(
                Outcome.PROBLEM,
                evidence=evidence,
                weight=68,
                map=use.name,
                node=node,
                used=use.used,
                limit=use.limit,
                percent=use.percent,
            )
    metrics = facts.look(Part.AGENT_METRICS)
    answer = metrics.value.on(node) if isinstance(metrics, Known) else None
    if not isinstance(answer, Known):
        return
    counts: Counter[str] = Counter()
    for metric in answer.value:
        if metric.name == "cilium_drop_count_total" and metric.labels.get("reason") in _COUNTED:
            counts[metric.labels["reason"]] += int(metric.value)
    for reason, count in counts.items():
        if count:
            yield MAP_DROPS_COUNTED.finding(
                Outcome.FINE, evidence=evidence, weight=20, node=node, count=count, reason=reason
            )
    if not tells_pressure(node, facts):
        yield MAP_PRESSURE_UNTOLD.finding(Outcome.UNKNOWN, evidence=evidence, weight=15, node=node)
