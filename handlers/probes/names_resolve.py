"""Both names mean exactly one thing in the cluster.

Everything else rests on this: a mistyped namespace must not look like a cluster without pods. A name that is both a
Service and a workload is read as the Service, unless the port asked is none of the Service's ports.
"""

from collections.abc import Iterator

from handlers.connection.trial import Trial
from handlers.model.endpoint import Named
from handlers.model.facts import Facts, needed
from handlers.model.finding import Code, Evidence, Finding, Hop, Outcome, code
from handlers.model.question import AboutConnection, AboutLookup, AboutService
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, Obstacle, Resolved, resolve
from handlers.probes.probe import probe

NAME_RESOLVED = code(
    "NAME_RESOLVED",
    meaning="The name means exactly one thing.",
    template="{asked} is {title}",
)
NAMESPACE_NOT_FOUND = code(
    "NAMESPACE_NOT_FOUND",
    meaning="The cluster has no namespace of this name.",
    template="There is no namespace {namespace}",
    advice="Check the spelling and the cluster; the nearest names are offered.",
)
NAME_NOT_FOUND = code(
    "NAME_NOT_FOUND",
    meaning="Nothing in the namespace carries this name: no pod, no workload with pods, no Service.",
    template="Nothing is called {asked}",
    advice="Check the spelling; a workload without pods is found only where its controller can be read.",
)
NAME_AMBIGUOUS = code(
    "NAME_AMBIGUOUS",
    meaning="The name means several things; one of them has to be chosen.",
    template="{asked} means several things: {candidates}",
    advice="Ask with the kind, such as shop/deploy/cart.",
)
ADDRESS_GONE = code(
    "ADDRESS_GONE",
    meaning="The address lies in a node's pod range, but no pod has it now.",
    template="No pod has the address {asked} now, though it is in the pod range of {node}",
    advice="The pod has probably been replaced; ask for its workload instead.",
)

RANGE_INSIDE = code(
    "RANGE_INSIDE",
    meaning="The range holds addresses of nodes or pods; to policy those are endpoints, which no CIDR selects.",
    template="{asked} holds addresses of the cluster's own nodes or pods, and each of them is another endpoint",
    advice="Ask for the pod, the workload or the node.",
)

_CODE: dict[Obstacle, Code] = {
    Obstacle.RANGE_INSIDE: RANGE_INSIDE,
    Obstacle.NO_NAMESPACE: NAMESPACE_NOT_FOUND,
    Obstacle.NOTHING: NAME_NOT_FOUND,
    Obstacle.SEVERAL: NAME_AMBIGUOUS,
}


@probe(
    answers=(AboutConnection, AboutService, AboutLookup),
    codes=(NAME_RESOLVED, ADDRESS_GONE, *_CODE.values()),
    needs=PARTS,
    uses=OPTIONAL_PARTS,
    hop=Hop.RESOLVE,
    blocking=True,
)
def names_resolve(question: AboutConnection | AboutService | AboutLookup, facts: Facts) -> Iterator[Finding]:
    """Say what each name means."""
    if isinstance(question, AboutService):
        yield _finding(resolve(question.service, facts, End.DESTINATION, question.port, question.protocol))
        return
    if isinstance(question, AboutLookup):
        yield _finding(resolve(question.source, facts, End.SOURCE, None, None))
        return
    ends = needed(Trial(question.connection, facts).ends)
    for end in (ends.source, ends.destination):
        yield _finding(end)


def _finding(end: Resolved) -> Finding:
    if end.gone_from:
        return ADDRESS_GONE.finding(
            Outcome.PROBLEM,
            hop=Hop.RESOLVE,
            blocking=True,
            evidence=[Evidence("kubernetes", f"Node//{end.gone_from}", "/spec/podCIDRs")],
            asked=str(end.asked),
            node=end.gone_from,
        )
    spoken = _CODE[end.obstacle] if end.obstacle else NAME_RESOLVED
    return spoken.finding(
        # A name that means nothing proves nothing about reachability.
        Outcome.UNKNOWN if end.obstacle else Outcome.FINE,
        hop=Hop.RESOLVE,
        blocking=True,
        evidence=(Evidence("kubernetes", end.ref),) if end.ref else (),
        assumptions=(end.note,) if end.note else (),
        asked=str(end.asked),
        title=end.title,
        namespace=end.asked.namespace if isinstance(end.asked, Named) else None,
        candidates=end.candidates,
    )
