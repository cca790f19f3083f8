"""``config [KEY]``: what do agents go by, where do nodes differ, and which settings mean nothing?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, left_over, worst_first
from handlers.configuration.effective import ALIASES, OF_EACH_NODE, short, shown
from handlers.connection.node_options import Wanted, actual_on, agent_config, is_about, wanted_on
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence, Value
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.scope import Scope
from handlers.model.table import Cell, Table
from handlers.names.grammar import Fresh, Word, items, without_leads

USAGE = "config [KEY] [fresh]"
_MOST_AGENTS = 40
_MOST_COLUMNS = 6
_MOST_ROWS = 30


@dataclass(frozen=True, slots=True)
class Config:
    """What is set, and what are agents going by? Options whose name holds ``key``, all where it is empty."""

    key: str = ""

    def __str__(self) -> str:
        """Return the normal form."""
        return f"config {self.key}".strip()

    def scope(self, so_far: Facts) -> Scope:
        """Return the agents of the nodes, up to a bound."""
        nodes = attempt(lambda: tuple(node.name for node in so_far.nodes))
        return Scope(nodes=None if isinstance(nodes, Lacking) else nodes[:_MOST_AGENTS])


def parse(text: str) -> Config:
    """Read an optional option.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    match [item for item in without_leads(items(text)) if not isinstance(item, Fresh)]:
        case []:
            return Config()
        case [Word(text=key, port=None)] if short(key):
            return Config(key.lower())
        case odd:
            raise left_over(odd, USAGE)


def conclude(question: Config, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say what is not in force, or means nothing any more; what could not be read is not in force."""
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    doubts = [
        finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN) and finding.blocking
    ]
    found = attempt(lambda: _table(question, facts))
    tables = () if isinstance(found, Lacking) or not found.rows else (found,)
    values: dict[str, Value] = {"what": f"of {question.key} " if question.key else "", "count": len(problems)}
    if problems:
        claim = Sentence("{count} problem{count:|s} with Cilium's configuration, the worst", values)
        head = Headline(claim, reason=problems[0].because, remedy=problems[0].advice)
    elif doubts:
        claim = Sentence("whether agents go by what is set", lead=CANNOT_TELL)
        head = Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice)
    else:
        head = Headline(Sentence("Agents go by what is set, as far as it can be compared"))
    return Conclusion(head, tables=tables)


def _table(question: Config, facts: Facts) -> Table:
    nodes = [node for node in facts.nodes if agent_config(node.name, facts)]
    columns = nodes[:_MOST_COLUMNS]
    set_for = [wanted_on(node, facts) for node in nodes]
    options = facts.value(Part.CONFIG).options
    known = {short(ALIASES.get(option, option)) for option in options}
    names = [option for option in options if is_about(option, question.key)]
    for node in nodes:
        config = agent_config(node.name, facts)
        names += [
            name
            for name in (config.options if config else ())
            if short(name) not in known and is_about(name, question.key)
        ]
    rows: list[tuple[Cell, ...]] = []
    for name in dict.fromkeys(names):
        actual = {node.name: actual_on(node.name, name, facts) for node in nodes}
        if not question.key and not _is_odd(name, actual, set_for):
            continue
        wanted = options.get(name)
        cells = [None if (value := actual[node.name]) is None else shown(name, value) for node in columns]
        rows.append((name, None if wanted is None else shown(name, wanted), *cells))
    title = f"Options with {question.key}" if question.key else "Options that differ"
    heads = ("option", "cilium-config", *(node.name for node in columns))
    return Table(title, heads, tuple(rows[:_MOST_ROWS]), max(0, len(rows) - _MOST_ROWS))


def _is_odd(name: str, actual: Mapping[str, str | None], set_for: Iterable[Mapping[str, Wanted]]) -> bool:
    """Whether nodes differ in an option that is set, or that does not follow the node."""
    told = {value for value in actual.values() if value is not None}
    is_set = any(name in wanted for wanted in set_for)
    return len(told) > 1 and (is_set or short(ALIASES.get(name, name)) not in OF_EACH_NODE)


COMMAND = Command(
    name="config",
    usage=USAGE,
    summary="What do agents go by? Differences between nodes and from cilium-config, overrides, options that are gone.",
    examples=("config", "config routing-mode", "config bpf-ct"),
    question=Config,
    parse=parse,
    conclude=conclude,
    phrases=(
        "cilium config|configuration|settings",
        "effective config|configuration",
        "configmap drift|differs|force|applied",
        "config drift|differs|differ",
    ),
    arrange=worst_first,
    keep=timedelta(seconds=60),
)
