"""Every node told all that it saw.

A node that was not heard may have dropped anything: silence is no all-clear. The same goes for events that Hubble lost.
"""

from collections import defaultdict
from collections.abc import Iterator

from handlers.commands.changes import Changes
from handlers.commands.drops import Drops
from handlers.connection.coverage import coverage_of, nodes_in_words
from handlers.flows.question import AboutFlows
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

NODES_NOT_HEARD = code(
    "NODES_NOT_HEARD",
    meaning="The flows of some nodes could not be read, so what they saw is not known.",
    template="{count} node{count:|s} {count:was|were} not heard ({nodes}): {why}",
    advice="Look at the agents of these nodes and at hubble-relay (health), then ask again.",
)
EVENTS_LOST = code(
    "EVENTS_LOST",
    meaning="Hubble lost events, or the answer was cut, so something may not have been seen.",
    template="{what}",
    advice="Ask about one namespace or workload, or a shorter time.",
)


@probe(
    answers=(Drops, Changes, AboutFlows),
    codes=(NODES_NOT_HEARD, EVENTS_LOST),
    needs=PARTS,
    uses=(Part.FLOWS, *OPTIONAL_PARTS),
    blocking=True,
)
def flows_are_complete(question: Drops | Changes | AboutFlows, facts: Facts) -> Iterator[Finding]:
    """Name the nodes that were not heard, those that failed alike together."""
    witnesses = question.witnesses(facts)
    if witnesses is None:
        return
    coverage = coverage_of(facts.flows, witnesses)
    alike: dict[str, list[str]] = defaultdict(list)
    for node, why in coverage.silent.items():
        alike[why.replace(node, "it")].append(node)
    for why, nodes in sorted(alike.items(), key=lambda item: (-len(item[1]), item[0])):
        yield NODES_NOT_HEARD.finding(
            Outcome.UNKNOWN,
            blocking=True,
            evidence=[Evidence("hubble", f"Node//{node}") for node in sorted(nodes)[:5]],
            weight=len(nodes),
            count=len(nodes),
            nodes=nodes_in_words(nodes),
            why=why,
        )
    if coverage.lost or coverage.truncated:
        what = f"{coverage.lost} events were lost" if coverage.lost else "The answer was cut at its bound"
        yield EVENTS_LOST.finding(Outcome.UNKNOWN, blocking=True, what=what)
