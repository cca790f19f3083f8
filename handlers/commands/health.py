"""``health``: is Cilium itself well, worst first?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, worst_first
from handlers.model.endpoint import Kind, Named
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import Headline
from handlers.model.parts import Part
from handlers.model.question import AboutNodes
from handlers.model.scope import Scope
from handlers.names.grammar import End, Fresh, Word, items

USAGE = "health [NODE] [fresh]"

MOST_AGENTS = 40
"""Agents asked in one run; the others are named as not asked."""


@dataclass(frozen=True, slots=True)
class Health(AboutNodes):
    """Is Cilium well: on one node, or everywhere where ``node`` is None?"""

    def __str__(self) -> str:
        """Return the normal form."""
        return f"health {self.node}" if self.node else "health"

    def scope(self, so_far: Facts) -> Scope:
        """Return every node's agent, up to a bound, and every policy."""
        named = (self.node,) if self.node else None
        nodes = attempt(lambda: tuple(node.name for node in so_far.nodes if self.node in (None, node.name)))
        return Scope(
            all_namespaces=True,
            nodes=named if isinstance(nodes, Lacking) else nodes[:MOST_AGENTS],
        )


def parse(text: str) -> Health:
    """Read an optional node.

    Raises:
        NotUnderstoodError: if more than one node is named.
    """
    found = [item for item in items(text) if not isinstance(item, Fresh)]
    match found:
        case []:
            return Health()
        case [Word(text=name)]:
            return Health(name.lower())
        case [End(name=Named(kind=Kind.NODE, name=name))]:
            return Health(name)
    raise NotUnderstoodError("Name one node, or none for the whole cluster.", USAGE, ("health",))


def conclude(question: Health, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say how many things are ill, and the worst."""
    where = f"node {question.node}" if question.node else "the cluster"
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    unknown = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    if question.node and any(finding.code == "NODE_UNKNOWN" for finding in unknown):
        return Conclusion(Headline(unknown[0].sentence))
    if problems:
        claim = Sentence(
            "Cilium in {where} has {count} problem{count:|s, the worst}", {"where": where, "count": len(problems)}
        )
        return Conclusion(Headline(claim, reason=problems[0].sentence, remedy=problems[0].advice))
    if unknown:
        claim = Sentence(
            "Nothing ill was found in {where}, but {count} check{count:|s} could not be made",
            {"where": where, "count": len(unknown)},
        )
        return Conclusion(Headline(claim))
    return Conclusion(Headline(Sentence("Cilium in {where} is healthy", {"where": where})))


COMMAND = Command(
    name="health",
    usage=USAGE,
    summary="Is Cilium itself well? Agents, operator, relay, controllers, maps, refused policies; worst first.",
    examples=("health", "health worker-1"),
    question=Health,
    parse=parse,
    conclude=conclude,
    arrange=worst_first,
    keep=timedelta(seconds=30),
    leave_out=frozenset(
        {
            Part.AGENT_IDENTITIES,
            Part.AGENT_ADDRESSES,
            Part.FLOWS,
            Part.AGENT_NAMES,
            Part.NAMED_PORTS,
            Part.POLICY_SERVICES,
        }
    ),
)
