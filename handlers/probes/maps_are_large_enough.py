"""No map of the datapath was set to a limit that is far too small for its load.

A connection tracking map that is full forgets the connections that were quiet longest: they stall, and no drop tells.
Right after it was swept it looks roomy, so that a limit far below Cilium's own counts from a part in use on.
"""

from collections.abc import Iterator

from handlers.connection.datapath_maps import PRESSURE_PARTS, MapUse, configured_limit, pressures_on
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutMaps, AboutNodes
from handlers.probes.probe import probe

MAP_LIMIT_SMALL = code(
    "MAP_LIMIT_SMALL",
    meaning="cilium-config limits a map to far fewer entries than Cilium does by itself. With a good part in use that"
    " is a problem: what is full forgets connections, or refuses them; else it is a note.",
    template="Map {map} on {node} holds {limit} entries at most, for {option} is {value} in cilium-config (Cilium's"
    " own is {default}); {percent} % are in use (cilium_bpf_map_pressure map_name={map} {pressure}){what}",
    reason="map {map} on {node} is limited to {limit} entries by {option} {value}, and {percent} % are in use",
    advice="Raise {option} in cilium-config, or leave it out and let bpf-map-dynamic-size-ratio decide; the agents read"
    " it when they start, and open connections are forgotten then.",
)
_FAR_BELOW = 16
"""So many times smaller than the default a limit is an oddity."""
_IN_USE = 0.25
"""The part in use from which it matters: the pressure is told after the sweep, and peaks lie between two."""


@probe(
    answers=(AboutNodes, AboutMaps),
    codes=(MAP_LIMIT_SMALL,),
    needs=(Part.NODES,),
    uses=PRESSURE_PARTS,
)
def maps_are_large_enough(question: AboutNodes | AboutMaps, facts: Facts) -> Iterator[Finding]:
    """Judge the limits that cilium-config sets, node by node."""
    for node in facts.nodes:
        if question.node in (None, node.name):
            for use in pressures_on(node.name, facts):
                yield from _judge(use, facts)


def _judge(use: MapUse, facts: Facts) -> Iterator[Finding]:
    kind = use.kind
    value = configured_limit(kind, facts) if kind else None
    if kind is None or value is None or use.share is None or value * _FAR_BELOW > kind.default:
        return
    if use.limit is not None and use.limit > value:
        # The agent has not read the setting yet, or raised it to the least that it takes.
        return
    is_in_use = use.share >= _IN_USE
    what = "; a full one forgets the oldest connections, which then stall" if kind.forgets else ""
    yield MAP_LIMIT_SMALL.finding(
        Outcome.PROBLEM if is_in_use else Outcome.FINE,
        evidence=[
            Evidence("kubernetes", "ConfigMap//cilium-config", f"/data/{kind.option}", excerpt=str(value)),
            Evidence("agent", f"Node//{use.node}", excerpt=f"{use.name} {use.share:.2f}"),
        ],
        advice=MAP_LIMIT_SMALL.advice.format(option=kind.option) if is_in_use else "",
        follow_up=f"maps {use.node}",
        weight=45 if is_in_use else 5,
        map=use.name,
        node=use.node,
        limit=use.limit or value,
        option=kind.option,
        value=str(value),
        default=str(kind.default),
        percent=use.percent,
        pressure=f"{use.share:.2f}",
        what=what,
    )
