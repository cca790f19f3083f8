"""The change cuts nothing that passes today."""

from collections.abc import Iterator

from handlers.commands.whatif import WhatIf
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Outcome, code
from handlers.probes.probe import probe
from handlers.reach.compare import ChangeKind, Comparison, FlowChange, compare
from handlers.reach.observed import FlowFate, FlowJudge, fates
from handlers.reach.proposal import ProposalError
from handlers.whole_cluster import CLUSTER_PARTS, Whole, names_of, whole_of

WHATIF_REFUSED = code(
    "WHATIF_REFUSED",
    meaning="The agents would refuse the policy, so that nothing of it would be enforced.",
    template="{policy} would be refused: {reason}",
    advice="Correct the policy before it is applied.",
)
WHATIF_FLOW_CUT = code(
    "WHATIF_FLOW_CUT",
    meaning="A flow that Hubble saw pass would not pass for certain any more.",
    template="{flow}, seen {count} time{count:|s}, would be cut",
    advice="Allow it in the change, or make sure that nobody needs it.",
)
WHATIF_CUT = code(
    "WHATIF_CUT",
    meaning="Pairs of ends that can talk on these ports today could not any more.",
    template="{sources} could not reach {destinations} on {ports} any more",
)
WHATIF_OPENED = code(
    "WHATIF_OPENED",
    meaning="Pairs of ends that cannot talk on these ports today could.",
    template="{sources} could reach {destinations} on {ports}",
)
WHATIF_REQUESTS = code(
    "WHATIF_REQUESTS",
    meaning="Connections pass before and after; the application rules on the way differ.",
    template="{sources} would reach {destinations} on {ports} under other application rules",
)
WHATIF_DOUBT = code(
    "WHATIF_DOUBT",
    meaning="A verdict cannot be told before or after the change.",
    template="Cannot tell what becomes of {sources} to {destinations} on {ports}: {verdicts}",
)
WHATIF_NOT_WHOLE = code(
    "WHATIF_NOT_WHOLE",
    meaning="A bound cut the comparison short.",
    template="Not everything was compared: {gap}",
)
WHATIF_DOES_NOT_FIT = code(
    "WHATIF_DOES_NOT_FIT",
    meaning="The change is about something that is not in the cluster.",
    template="The change does not fit the cluster: {reason}",
    advice="Correct the name.",
)
WHATIF_NOTHING = code(
    "WHATIF_NOTHING",
    meaning="Every pair of ends has the same verdict on every port before and after.",
    template="No verdict changes",
)
WHATIF_FLOWS = code(
    "WHATIF_FLOWS",
    meaning="How many kinds of flows that Hubble saw were decided before and after the change.",
    template="{count} kind{count:|s} of flows seen were decided before and after",
)
WHATIF_WITHOUT_FLOWS = code(
    "WHATIF_WITHOUT_FLOWS",
    meaning="No flows were read, so that nobody knows which of them would be cut.",
    template="Cannot tell which flows seen would be cut: no flows were read",
)
WHATIF_MORE = code(
    "WHATIF_MORE",
    meaning="There are more changes of one kind than a report holds.",
    template="{count} more groups are {kind}",
    advice="Ask about a smaller change, or read the JSON form.",
)

MOST_OF_A_KIND = 100
"""Changes of one kind in a report; the others are counted."""

_CODES: dict[ChangeKind, tuple[Code, Outcome]] = {
    ChangeKind.CUT: (WHATIF_CUT, Outcome.PROBLEM),
    ChangeKind.OPENED: (WHATIF_OPENED, Outcome.PROBLEM),
    ChangeKind.REQUESTS: (WHATIF_REQUESTS, Outcome.PROBLEM),
    ChangeKind.DOUBT: (WHATIF_DOUBT, Outcome.UNKNOWN),
}


@probe(
    answers=(WhatIf,),
    codes=(
        WHATIF_REFUSED,
        WHATIF_FLOW_CUT,
        *(one for one, _outcome in _CODES.values()),
        WHATIF_NOT_WHOLE,
        WHATIF_DOES_NOT_FIT,
        WHATIF_NOTHING,
        WHATIF_FLOWS,
        WHATIF_WITHOUT_FLOWS,
        WHATIF_MORE,
    ),
    uses=CLUSTER_PARTS,
    blocking=True,
)
def change_cuts_nothing(question: WhatIf, facts: Facts) -> Iterator[Finding]:
    """Compare the cluster with what it would be."""
    whole = whole_of(question, facts)
    try:
        compared = compared_of(question, facts)
    except ProposalError as error:
        yield WHATIF_DOES_NOT_FIT.finding(Outcome.UNKNOWN, blocking=True, reason=str(error))
        return
    for status in compared.refused:
        yield WHATIF_REFUSED.finding(
            Outcome.PROBLEM, weight=10_000_000, policy=str(status.policy), reason=status.reason
        )
    yield from _flows(whole, fates_of(question, facts))
    for kind in ChangeKind:
        yield from _of_kind(kind, sorted(compared.of_kind(kind), key=lambda one: -one.pairs))
    for gap in compared.gaps:
        yield WHATIF_NOT_WHOLE.finding(Outcome.UNKNOWN, blocking=True, gap=gap)
    if compared.is_nothing and not compared.refused:
        yield WHATIF_NOTHING.finding(Outcome.FINE)


def compared_of(question: WhatIf, facts: Facts) -> Comparison:
    """Compare before and after, once. Raises ProposalError for a change that does not fit the cluster."""
    before = whole_of(question, facts).cluster
    return facts.once("what if", lambda: compare(before, question.proposal.applied(before)))


def fates_of(question: WhatIf, facts: Facts) -> tuple[FlowFate, ...]:
    """Decide the flows seen before and after, once. Raises ProposalError as ``compared_of`` does."""
    return facts.once("fates of flows", lambda: _fates(question, whole_of(question, facts)))


def _fates(question: WhatIf, whole: Whole) -> tuple[FlowFate, ...]:
    if not whole.flows:
        return ()
    states = (whole.cluster, question.proposal.applied(whole.cluster))
    old, new = (FlowJudge(cluster, cluster.compiled()) for cluster in states)
    return tuple(fates(whole.flows, old, new))


def _flows(whole: Whole, fated: tuple[FlowFate, ...]) -> Iterator[Finding]:
    if whole.flows is None:
        yield WHATIF_WITHOUT_FLOWS.finding(Outcome.UNKNOWN)
        return
    cut = sorted((fate.flow for fate in fated if fate.is_cut), key=lambda flow: -flow.count)
    for flow in cut[:MOST_OF_A_KIND]:
        weight = 1_000_000 + min(flow.count, 1_000_000)
        yield WHATIF_FLOW_CUT.finding(
            Outcome.PROBLEM,
            evidence=[Evidence("hubble", "", excerpt=str(flow))],
            weight=weight,
            flow=str(flow),
            count=flow.count,
        )
    if len(cut) > MOST_OF_A_KIND:
        yield WHATIF_MORE.finding(Outcome.PROBLEM, count=len(cut) - MOST_OF_A_KIND, kind="flows that are cut")
    yield WHATIF_FLOWS.finding(Outcome.FINE, weight=-1, count=len(whole.flows))


def _of_kind(kind: ChangeKind, changes: list[FlowChange]) -> Iterator[Finding]:
    said, outcome = _CODES[kind]
    for change in changes[:MOST_OF_A_KIND]:
        verdicts = f"{change.before} before, {change.after} after"
        yield said.finding(
            outcome,
            blocking=kind is ChangeKind.DOUBT,
            weight=min(change.pairs, 900_000),
            follow_up=_reach(change),
            evidence=[Evidence("computed", "", excerpt=f"{change.pairs} pairs: {verdicts}")],
            sources=names_of(change.sources),
            destinations=names_of(change.destinations),
            ports=tuple(map(str, change.ports)),
            verdicts=verdicts,
        )
    if len(changes) > MOST_OF_A_KIND:
        yield WHATIF_MORE.finding(outcome, count=len(changes) - MOST_OF_A_KIND, kind=str(kind))


def _reach(change: FlowChange) -> str:
    """Return the question that shows how things stand today, where one destination of pods is meant."""
    destination = change.destinations[0]
    is_one = len(change.destinations) == 1 and destination.pods and " " not in destination.title
    return f"reach {destination.title} from" if is_one else ""
