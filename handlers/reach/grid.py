"""Who reaches whom as a table, for as few ends as a person can read side by side."""

from handlers.model.table import Cell, Table
from handlers.reach.ends import ClusterEnd
from handlers.reach.state import State

MOST_ENDS = 15
_MOST_PORTS = 2
_NOBODY, _EVERY = "·", "all"


def grid(state: State, namespace: str | None = None) -> Table | None:
    """Return the ports on which pods reach those of ``namespace``, or each other; None for more than can be read.

    ``all`` is every port, ``?`` what is not known for lack of reading.
    """
    ends = state.roster.ends
    pods = [number for number, end in enumerate(ends) if end.pods and " " not in end.title]
    shown = [number for number in pods if namespace in (None, ends[number].namespace)]
    others = [number for number in pods if number not in shown]
    if not shown or len(pods) > MOST_ENDS:
        others = []
    if not shown or len(shown) > MOST_ENDS:
        return None
    rows = tuple(
        (ends[source].title, *(_cell(state, source, destination) for destination in shown))
        for source in (*shown, *others)
    )
    return Table(
        "Ports that are open, from the left to the top", ("from \\ to", *(_short(ends[one]) for one in shown)), rows
    )


def _cell(state: State, source: int, destination: int) -> Cell:
    if source == destination:
        return ""
    bit = 1 << destination
    rows = [(ports, state.on(ports).both[source]) for ports in state.classes]
    if any(row.unknown & bit for _, row in rows):
        return None
    found = [str(ports) for ports, row in rows if row.allowed & bit]
    if len(found) == len(rows):
        return _EVERY
    more = f" +{len(found) - _MOST_PORTS}" if len(found) > _MOST_PORTS else ""
    return (", ".join(found[:_MOST_PORTS]) + more) or _NOBODY


def _short(end: ClusterEnd) -> str:
    """Name the head of a column without its namespace, where the row of the same end has it."""
    return end.title.rpartition("/")[2]
