"""``maps [NODE]``: how full are the maps of the datapath, and does a full one cost anything?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, left_over, worst_first
from handlers.connection.datapath_maps import maps_on
from handlers.model.endpoint import HostName, Kind, Named
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence, Value
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.question import AboutMaps
from handlers.model.scope import FlowMatch, FlowQuery, Scope
from handlers.model.table import Cell, Table
from handlers.names.grammar import End, Fresh, Word, is_bare_name, items, without_leads

USAGE = "maps [NODE] [fresh]"
_MOST_AGENTS = 40
_MOST_ROWS = 30
_SPAN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Maps(AboutMaps):
    """How full are the maps: on one node, or on all where ``node`` is None?"""

    def __str__(self) -> str:
        """Return the normal form."""
        return f"maps {self.node}" if self.node else "maps"

    def scope(self, so_far: Facts) -> Scope:
        """Return the agents of the nodes, up to a bound, what was dropped lately, and for all of them identities."""
        nodes = attempt(lambda: tuple(node.name for node in so_far.nodes if self.node in (None, node.name)))
        return Scope(
            nodes=None if isinstance(nodes, Lacking) else nodes[:_MOST_AGENTS],
            identities=() if self.node is None else None,
            flows=FlowQuery((FlowMatch(verdicts=("DROPPED",)),), so_far.now - _SPAN, so_far.now),
        )


def parse(text: str) -> Maps:
    """Read an optional node.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    match [item for item in without_leads(items(text)) if not isinstance(item, Fresh)]:
        case []:
            return Maps()
        case [Word(text=name, port=None) as word] if is_bare_name(word):
            return Maps(name.lower())
        case [End(name=Named(kind=Kind.NODE, name=name) | HostName(name=name), port=None)]:
            return Maps(name)
        case odd:
            raise left_over(odd, USAGE)


def conclude(question: Maps, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say which maps are too full; what could not be read is not roomy."""
    values: dict[str, Value] = {"where": f"node {question.node}" if question.node else "every node"}
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    open_ = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    doubts = [finding for finding in open_ if finding.blocking]
    table = attempt(lambda: _table(question, facts))
    tables = () if isinstance(table, Lacking) or not table.rows else (table,)
    if problems:
        claim = Sentence("{count} problem{count:|s} with the datapath's maps, the worst", {"count": len(problems)})
        head = Headline(claim, reason=problems[0].because, remedy=problems[0].advice)
    elif doubts:
        claim = Sentence("whether the maps on {where} have room", values, lead=CANNOT_TELL)
        head = Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice)
    else:
        more = tuple(finding.sentence for finding in open_[:1])
        head = Headline(Sentence("The maps on {where} have room, as far as they tell", values), more=more)
    return Conclusion(head, tables=tables)


def _table(question: Maps, facts: Facts) -> Table:
    nodes = [node.name for node in facts.nodes if question.node in (None, node.name)]
    uses = [use for node in nodes for use in maps_on(node, facts)]
    uses.sort(key=lambda use: -(use.share or -1))
    rows: list[tuple[Cell, ...]] = [
        (use.node, use.name, use.kind.title if use.kind else None, use.used, use.limit, use.percent)
        for use in uses[:_MOST_ROWS]
    ]
    columns = ("node", "map", "holds", "used", "limit", "%")
    return Table("Maps of the datapath", columns, tuple(rows), max(0, len(uses) - _MOST_ROWS))


COMMAND = Command(
    name="maps",
    usage=USAGE,
    summary="How full are the datapath's maps? Connection tracking, NAT, policy and Services against their limits.",
    examples=("maps", "maps worker-1"),
    question=Maps,
    parse=parse,
    conclude=conclude,
    phrases=(
        "bpf map|maps",
        "map pressure",
        "conntrack|ct full|pressure|table|map|exhausted",
        "connection tracking",
        "nat table|map full|pressure|exhausted",
    ),
    arrange=worst_first,
    keep=timedelta(seconds=30),
)
