"""Who reaches whom is known for every pair of ends."""

from collections.abc import Iterator

from handlers.commands.matrix import MatrixOf
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, code
from handlers.probes.probe import probe
from handlers.reach.bits import bit_set, members
from handlers.reach.state import State
from handlers.whole_cluster import CLUSTER_PARTS, MOST_NAMES, names_of, state_of

MATRIX = code(
    "MATRIX",
    meaning="How many ordered pairs of ends were decided, each on every kind of port that policies distinguish.",
    template="{every} of {pairs} pair{pairs:|s} of ends are open on every port, {some} on some, {none} on none",
)
MATRIX_ROW = code(
    "MATRIX_ROW",
    meaning="Whom one end reaches on some ports; pairs that are open on the same ports stand together.",
    template="{source} can reach {destinations} on {ports}",
)
MATRIX_UNKNOWN = code(
    "MATRIX_UNKNOWN",
    meaning="Whether an end reaches another depends on something that was not read.",
    template="Cannot tell of {pairs} pair{pairs:|s} of ends on some ports: not everything was read",
)
MATRIX_MORE = code(
    "MATRIX_MORE",
    meaning="There are more rows than a report holds.",
    template="{count} more rows are left out; ask about one namespace, or reach END",
)
NAMESPACE_WITHOUT_ENDS = code(
    "NAMESPACE_WITHOUT_ENDS",
    meaning="The namespace that was asked about has no running pod, or is not in the cluster.",
    template="No pod runs in a namespace {namespace}",
    advice="Name a namespace with pods, or none for the whole cluster.",
)

MOST_ROWS = 300
"""Rows in a report; the others are counted."""


@probe(
    answers=(MatrixOf,),
    codes=(MATRIX, MATRIX_ROW, MATRIX_UNKNOWN, MATRIX_MORE, NAMESPACE_WITHOUT_ENDS),
    uses=CLUSTER_PARTS,
    blocking=True,
)
def pairs_are_known(question: MatrixOf, facts: Facts) -> Iterator[Finding]:
    """Count the pairs, and say whom each end reaches."""
    state = state_of(question, facts)
    ends = state.roster.ends
    asked = bit_set(n for n, end in enumerate(ends) if question.namespace in (None, end.namespace))
    if question.namespace and not asked:
        yield NAMESPACE_WITHOUT_ENDS.finding(Outcome.UNKNOWN, blocking=True, namespace=question.namespace)
        return
    pairs = [_asked_of(source, asked, len(ends)) for source in range(len(ends))]
    open_on = [_open_on(state, source, wanted) for source, wanted in enumerate(pairs)]
    unknown = sum(_unknown(state, source, wanted).bit_count() for source, wanted in enumerate(pairs))
    if unknown:
        yield MATRIX_UNKNOWN.finding(Outcome.UNKNOWN, blocking=True, pairs=unknown)
    total = sum(wanted.bit_count() for wanted in pairs)
    every = sum(bits.bit_count() for row in open_on for ports, bits in row.items() if len(ports) == len(state.classes))
    some = sum(bits.bit_count() for row in open_on for bits in row.values()) - every
    yield MATRIX.finding(Outcome.FINE, weight=2, pairs=total, every=every, some=some, none=total - every - some)
    rows = [_row(state, source, ports, bits) for source, row in enumerate(open_on) for ports, bits in row.items()]
    yield from rows[:MOST_ROWS]
    if len(rows) > MOST_ROWS:
        yield MATRIX_MORE.finding(Outcome.FINE, weight=-1, count=len(rows) - MOST_ROWS)


def _asked_of(source: int, asked: int, count: int) -> int:
    """Return the destinations of a source that the question is about; an end is not its own peer."""
    everybody = (1 << count) - 1
    return (everybody if asked >> source & 1 else asked) & ~(1 << source)


def _open_on(state: State, source: int, wanted: int) -> dict[tuple[int, ...], int]:
    """Return the destinations that a source reaches, by the numbers of the port classes on which it does."""
    found: dict[tuple[int, ...], int] = {(): wanted}
    for number, ports in enumerate(state.classes):
        allowed = state.on(ports).both[source].allowed
        cut: dict[tuple[int, ...], int] = {}
        for open_so_far, bits in found.items():
            for classes, part in (((*open_so_far, number), bits & allowed), (open_so_far, bits & ~allowed)):
                if part:
                    cut[classes] = part
        found = cut
    found.pop((), None)
    return found


def _unknown(state: State, source: int, wanted: int) -> int:
    unknown = 0
    for ports in state.classes:
        unknown |= state.on(ports).both[source].unknown & wanted
    return unknown


def _row(state: State, source: int, ports: tuple[int, ...], bits: int) -> Finding:
    ends = state.roster.ends
    title = ends[source].title
    is_every = len(ports) == len(state.classes)
    return MATRIX_ROW.finding(
        Outcome.FINE,
        weight=0 if is_every else 1,
        follow_up=f"reach {title} to" if ends[source].pods and " " not in title else "",
        source=title,
        destinations=names_of((ends[number] for number in members(bits, MOST_NAMES)), bits.bit_count()),
        ports=("every port",) if is_every else tuple(str(state.classes[number]) for number in ports),
    )
