"""Whole-cluster answers as text, JSON and DOT."""

import json
from collections.abc import Iterable, Sequence

from bot.render.clean import one_line
from handlers.model.decision import Verdict
from handlers.reach.bits import members
from handlers.reach.compare import ChangeKind, Comparison, FlowChange
from handlers.reach.contacts import Contact, Passage, Reach
from handlers.reach.ends import ClusterEnd
from handlers.reach.observed import FlowFate
from handlers.reach.port_classes import PortClass
from handlers.reach.state import State

MOST_COLUMNS = 60
"""Ends that a table shows side by side; a larger cluster is written as one line for each source."""
_MOST_NAMES = 6
_MOST_CHANGES = 60


def as_table(state: State) -> str:
    """Draw the matrix: for each source and destination the number of a legend, which lists the open ports."""
    ends = state.roster.ends
    ports_of = _open_ports(state)
    legend: dict[tuple[int, ...], int] = {(): 0}
    for source in range(len(ends)):
        for found in ports_of[source].values():
            legend.setdefault(found, len(legend))
    lines = ["Open ports by number; . is nothing.", ""]
    if len(ends) <= MOST_COLUMNS:
        lines += _grid(ends, ports_of, legend)
    else:
        lines += _by_source(ends, ports_of, legend)
    lines += ["", *(f"{number:3}  {_ports_in_words(state, found)}" for found, number in legend.items() if found)]
    return "\n".join(lines) + "\n"


_Open = dict[int, tuple[int, ...]]


def _open_ports(state: State) -> list[_Open]:
    """Give for each source the destinations with the numbers of their open port classes."""
    found: list[dict[int, list[int]]] = [{} for _ in state.roster.ends]
    for number, ports in enumerate(state.classes):
        for source, row in enumerate(state.on(ports).both):
            of_source = found[source]
            for destination in members(row.allowed):
                of_source.setdefault(destination, []).append(number)
    return [{key: tuple(value) for key, value in of_source.items()} for of_source in found]


def _ports_in_words(state: State, numbers: tuple[int, ...]) -> str:
    if len(numbers) == len(state.classes):
        return "every port"
    return ", ".join(str(state.classes[number]) for number in numbers)


def _grid(ends: Sequence[ClusterEnd], ports_of: list[_Open], legend: dict[tuple[int, ...], int]) -> list[str]:
    width = max(len(one_line(end.title)) for end in ends)
    head = " " * (width + 5) + "".join(f"{number:4}" for number in range(len(ends)))
    rows = [
        f"{source:3}  {one_line(end.title):{width}}"
        + "".join(
            f"{legend[found]:4}" if (found := ports_of[source].get(destination)) else "   ."
            for destination in range(len(ends))
        )
        for source, end in enumerate(ends)
    ]
    return [head, *rows]


def _by_source(ends: Sequence[ClusterEnd], ports_of: list[_Open], legend: dict[tuple[int, ...], int]) -> list[str]:
    lines = []
    for source, end in enumerate(ends):
        grouped: dict[int, list[int]] = {}
        for destination, found in ports_of[source].items():
            grouped.setdefault(legend[found], []).append(destination)
        told = "; ".join(
            f"{number}: {_names(ends[destination] for destination in destinations)}"
            for number, destinations in sorted(grouped.items())
        )
        lines.append(f"{one_line(end.title)} -> {told or 'nobody'}")
    return lines


def as_json(state: State) -> str:
    """Write the matrix: ends, port classes, and for each class the destinations of each source by number."""
    ends = [
        {
            "title": end.title,
            "kind": str(end.party.kind),
            "labels": list(end.party.labels.strings()),
            "pods": [str(pod) for pod in end.pods],
        }
        for end in state.roster.ends
    ]
    classes = []
    for ports in state.classes:
        reached = state.on(ports)
        classes.append(
            {
                **_ports_json(ports),
                "allowed": {number: members(row.allowed) for number, row in enumerate(reached.both) if row.allowed},
                "proxied": {
                    number: members(row.redirected) for number, row in enumerate(reached.both) if row.redirected
                },
                "unknown": {number: members(row.unknown) for number, row in enumerate(reached.both) if row.unknown},
                "error": {
                    number: members(row.conflicting) for number, row in enumerate(reached.both) if row.conflicting
                },
            }
        )
    whole = {"ends": ends, "classes": classes, "assumptions": list(state.cluster.assumptions)}
    return json.dumps(whole, ensure_ascii=False) + "\n"


def _ports_json(ports: PortClass) -> dict[str, object]:
    return {
        "ports": str(ports),
        "spans": [[str(span.protocol), span.first, span.last] for span in ports.spans],
        "rest": ports.is_rest,
    }


def as_dot(state: State) -> str:
    """Write the matrix as a DOT graph: an edge for each open pair, with its ports; pairs that are fully open are bold.

    Ends that everybody reaches on every port get no edges, to keep the picture readable: they are drawn dashed.
    """
    ends = state.roster.ends
    ports_of = _open_ports(state)
    every = tuple(range(len(state.classes)))
    open_to_all = {
        number
        for number in range(len(ends))
        if all(ports_of[source].get(number) == every for source in range(len(ends)) if source != number)
    }
    lines = ["digraph reachability {", "  rankdir=LR;", "  node [shape=box];"]
    for number, end in enumerate(ends):
        style = ", style=dashed" if number in open_to_all else ""
        lines.append(f"  n{number} [label={_quoted(end.title)}{style}];")
    for source, of_source in enumerate(ports_of):
        for destination, found in sorted(of_source.items()):
            if destination == source or destination in open_to_all:
                continue
            style = "style=bold" if found == every else f"label={_quoted(_ports_in_words(state, found))}"
            lines.append(f"  n{source} -> n{destination} [{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    """Quote a DOT string; only quotes and backslashes mean anything inside, and control characters go."""
    clean = "".join(character if character.isprintable() else " " for character in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def reach_text(found: Iterable[Reach]) -> str:
    """Write who reaches an end and whom it reaches."""
    lines = []
    for one in found:
        pods = f" ({_names(one.end.pods)})" if len(one.end.pods) > 1 else ""
        lines.append(f"{one_line(one.end.title)}{pods}")
        for way, contacts in one.ways:
            lines.append(f"  {way}:" if contacts else f"  {way}: nobody")
            for contact in contacts:
                lines.append(f"    {_names(contact.peers)}")
                lines += [f"      {_passage(passage)}" for passage in contact.passages]
    return "\n".join(lines) + "\n"


def _passage(passage: Passage) -> str:
    text = "every port" if passage.is_every_port else ", ".join(str(ports) for ports in passage.ports)
    if passage.verdict is Verdict.UNKNOWN:
        text += " (not certain: not everything was read)"
    if passage.through_proxy:
        text += " (through a proxy: application rules apply)"
    return text + (f" by {one_line('; '.join(passage.because))}" if passage.because else "")


def reach_json(found: Iterable[Reach]) -> str:
    """Write the same as JSON."""
    rows = [
        {
            "end": one.end.title,
            "pods": [str(pod) for pod in one.end.pods],
            **{way.name.lower(): [_contact_json(contact) for contact in contacts] for way, contacts in one.ways},
        }
        for one in found
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _contact_json(contact: Contact) -> dict[str, object]:
    return {
        "peers": [peer.title for peer in contact.peers],
        "passages": [
            {
                "ports": [_ports_json(ports) for ports in passage.ports],
                "verdict": str(passage.verdict),
                "through_proxy": passage.through_proxy,
                "because": list(passage.because),
            }
            for passage in contact.passages
        ],
    }


_HEADINGS = {
    ChangeKind.CUT: "Would be cut",
    ChangeKind.OPENED: "Would be opened",
    ChangeKind.REQUESTS: "Would have other application rules",
    ChangeKind.DOUBT: "Cannot be told",
}


def comparison_text(compared: Comparison, fated: Sequence[FlowFate], flows: int | None) -> str:
    """Write what a change does: refused policies, observed flows first, then all pairs."""
    lines = [one_line(f"{status.policy} would be refused: {status.reason}") for status in compared.refused]
    cut = [fate for fate in fated if fate.is_cut]
    if flows is None:
        lines.append("No flows were looked at.")
    elif not cut:
        lines.append(f"None of {flows} kinds of observed flows would be cut.")
    else:
        kinds = "observed flow" if len(cut) == 1 else "observed flows"
        lines.append(f"{len(cut)} {kinds} would be cut:")
        lines += [f"  {one_line(str(fate.flow))} (seen {fate.flow.count} times)" for fate in cut]
    for kind, heading in _HEADINGS.items():
        changes = sorted(compared.of_kind(kind), key=lambda one: -one.pairs)
        if changes:
            lines.append(f"{heading}:")
            lines += [f"  {_change(change)}" for change in changes[:_MOST_CHANGES]]
        if len(changes) > _MOST_CHANGES:
            lines.append(f"  and {len(changes) - _MOST_CHANGES} more groups")
    lines += [f"Not compared: {one_line(gap)}." for gap in compared.gaps]
    if compared.is_nothing and not compared.refused:
        lines.append("No verdict changes.")
    return "\n".join(lines) + "\n"


def _change(change: FlowChange) -> str:
    ports = ", ".join(str(one) for one in change.ports)
    verdicts = f" ({change.before} -> {change.after})" if change.kind is ChangeKind.DOUBT else ""
    return f"{_names(change.sources)} -> {_names(change.destinations)} on {ports}{verdicts}"


def comparison_json(compared: Comparison, fated: Sequence[FlowFate], flows: int | None) -> str:
    """Write the same as JSON, whole."""
    whole = {
        "refused": [{"policy": str(one.policy), "reason": one.reason} for one in compared.refused],
        "flows_seen": flows,
        "flows": [
            {
                "source": fate.flow.source,
                "destination": fate.flow.destination,
                "traffic": str(fate.flow.traffic),
                "count": fate.flow.count,
                "before": str(fate.before),
                "after": str(fate.after),
                "cut": fate.is_cut,
            }
            for fate in fated
        ],
        "changes": [
            {
                "kind": str(change.kind),
                "before": str(change.before),
                "after": str(change.after),
                "sources": [end.title for end in change.sources],
                "destinations": [end.title for end in change.destinations],
                "ports": [_ports_json(ports) for ports in change.ports],
            }
            for change in compared.changes
        ],
        "gaps": list(compared.gaps),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _names(ends: Iterable[object]) -> str:
    titles = [one_line(str(end)) for end in ends]
    shown = ", ".join(titles[:_MOST_NAMES])
    return shown if len(titles) <= _MOST_NAMES else f"{shown} and {len(titles) - _MOST_NAMES} more"
