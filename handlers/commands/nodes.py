"""``nodes [A [B]]``: do the nodes reach each other, and have they what pods need there?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, left_over, worst_first
from handlers.commands.since import age_in_words
from handlers.connection.node_pairs import (
    Pair,
    doubted_pairs,
    flows_between,
    nodes_of,
    pairs_of,
    path_from,
    peer_seen_by,
    pods_on,
    status_of_agent,
)
from handlers.model.endpoint import HostName, Kind, Named
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence, Value
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.question import BetweenNodes
from handlers.model.scope import Scope
from handlers.model.snapshot import Gap, Known
from handlers.model.table import Cell, Table
from handlers.names.grammar import End, Fresh, Item, Word, is_bare_name, items, without_leads

USAGE = "nodes [A [B]] [fresh]"
_MOST_AGENTS = 40
_MOST_ROWS = 20
_LONGEST_ANSWER = 60


@dataclass(frozen=True, slots=True)
class Nodes(BetweenNodes):
    """Do two nodes, or one and the others, or all, reach each other?"""

    def __str__(self) -> str:
        """Return the normal form."""
        return " ".join(filter(None, ("nodes", self.node, self.peer)))

    def scope(self, so_far: Facts) -> Scope:
        """Return the agents of these nodes, policies of nodes, and flows between two that are named or in doubt."""
        pairs = self._pairs(so_far)
        on = None if pairs is None else pods_on([*pairs, *((name, name) for name in nodes_of(self))])
        return Scope(
            all_namespaces=True,
            nodes=self._agents(so_far),
            pods=on,
            flows=flows_between(pairs, so_far) if pairs else None,
            is_without_flows=pairs == (),
        )

    def _agents(self, so_far: Facts) -> tuple[str, ...] | None:
        """Return the nodes whose agents are asked: those named, and the others where no second is."""
        named = nodes_of(self)
        if self.peer:
            return named
        nodes = attempt(lambda: tuple(node.name for node in so_far.nodes if node.name not in named))
        if isinstance(nodes, Lacking):
            return None if nodes.missing.gap is Gap.NOT_ASKED or not named else named
        return (*named, *nodes)[:_MOST_AGENTS]

    def _pairs(self, so_far: Facts) -> tuple[Pair, ...] | None:
        """Return the pairs whose flows are read, None before that can be told."""
        pairs = attempt(lambda: pairs_of(self, so_far) if self.peer else doubted_pairs(self, so_far))
        is_told = bool(self.peer) or isinstance(so_far.look(Part.AGENT_STATUS), Known)
        return None if isinstance(pairs, Lacking) or not is_told else pairs


def parse(text: str) -> Nodes:
    """Read up to two nodes.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    found = [item for item in without_leads(items(text)) if not isinstance(item, Fresh)]
    names = [_name_in(item) for item in found]
    odd = [item for item, name in zip(found, names, strict=True) if name is None] or found[2:]
    if odd:
        raise left_over(odd, USAGE)
    if len(names) == 2 and names[0] == names[1]:
        raise NotUnderstoodError("A node reaches itself; name another one.", USAGE)
    return Nodes(*names)


def _name_in(item: Item) -> str | None:
    match item:
        case Word(text=name, port=None) if is_bare_name(item):
            return name.lower()
        case End(name=Named(kind=Kind.NODE, name=name), port=None):
            return name
        case End(name=HostName(name=name), port=None):
            return name
    return None


def conclude(question: Nodes, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say how many things are wrong and the worst; what could not be looked at is not well."""
    values: dict[str, Value] = {"where": " and ".join(nodes_of(question)) or "the nodes"}
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    doubts = [
        finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN) and finding.blocking
    ]
    tables = attempt(lambda: _tables(question, facts))
    shown = () if isinstance(tables, Lacking) else tables
    if problems:
        claim = Sentence("{count} problem{count:|s} with {where}, the worst", {**values, "count": len(problems)})
        more = tuple(doubt.sentence for doubt in doubts[:1])
        head = Headline(claim, reason=problems[0].because, remedy=problems[0].advice, more=more)
        return Conclusion(head, tables=shown)
    if doubts:
        claim = Sentence("whether all is well with {where}", values, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice), tables=shown)
    return Conclusion(Headline(Sentence("All is well with {where}", values)), tables=shown)


def _tables(question: Nodes, facts: Facts) -> tuple[Table, ...]:
    return tuple(table for table in (_of_nodes(question, facts), _of_probes(question, facts)) if table.rows)


def _of_nodes(question: Nodes, facts: Facts) -> Table:
    named = nodes_of(question)
    nodes = [node for node in facts.nodes if not named or question.peer is None or node.name in named]
    nodes.sort(key=lambda node: (node.name not in named, node.name))
    rows: list[tuple[Cell, ...]] = []
    for node in nodes[:_MOST_ROWS]:
        status = status_of_agent(node.name, facts)
        path = path_from(node.name, facts)
        pools = status.pools if status else ()
        rows.append(
            (
                node.name,
                {True: "ready", False: "not ready", None: None}[node.ready],
                ", ".join(node.tunnel_ips or node.ips) or None,
                ", ".join(node.pod_cidrs) or None,
                ", ".join(f"{pool.given}/{pool.size}" for pool in pools) or None,
                str(path) if path else None,
                status.encryption.mode if status and status.encryption else None,
            )
        )
    columns = ("node", "state", "address", "pod range", "addresses given", "path to others", "encryption")
    return Table("Nodes", columns, tuple(rows), max(0, len(nodes) - _MOST_ROWS))


def _of_probes(question: Nodes, facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for node, peer in pairs_of(question, facts):
        seen = peer_seen_by(node, peer, facts)
        for probe in seen.probes if seen else ():
            rows.append(
                (
                    node,
                    peer,
                    "health endpoint" if probe.of_endpoint else "node",
                    probe.way.value,
                    None if probe.seconds is None else round(probe.seconds * 1000, 2),
                    probe.error[:_LONGEST_ANSWER] or "ok",
                    age_in_words(probe.at, facts.now),
                )
            )
    rows.sort(key=lambda row: row[5] == "ok")
    columns = ("from", "to", "what", "way", "ms", "answer", "probed")
    return Table("Health probes", columns, tuple(rows[:_MOST_ROWS]), max(0, len(rows) - _MOST_ROWS))


COMMAND = Command(
    name="nodes",
    usage=USAGE,
    summary="Do the nodes reach each other? Health probes, tunnel, encryption, host firewall, addresses left for pods.",
    examples=("nodes", "nodes worker-1", "nodes worker-1 worker-2"),
    question=Nodes,
    parse=parse,
    conclude=conclude,
    phrases=(
        "nodes reach each|other",
        "nodes connected",
        "between nodes -pods",
        "node|nodes ready",
        "tunnel broken|down|blocked",
        "node|nodes address* left|exhausted|full",
        "ipam",
        "list|show nodes",
    ),
    arrange=worst_first,
    keep=timedelta(seconds=30),
    leave_out=frozenset(
        {
            *(Part.AGENT_IDENTITIES, Part.AGENT_ADDRESSES, Part.AGENT_NAMES, Part.AGENT_ENDPOINTS),
            *(Part.NAMED_PORTS, Part.POLICY_SERVICES, Part.CILIUM_ENDPOINTS, Part.RELAY),
        }
    ),
)
