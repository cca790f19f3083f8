"""``health``: is Cilium itself well, worst first?"""

import re
from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, Reading, left_over, worst_first
from handlers.connection.node_pairs import doubted_pairs, flows_between, pods_on
from handlers.model.endpoint import HostName, Kind, Named
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.question import AboutNodes
from handlers.model.scope import Scope
from handlers.model.snapshot import Gap, Known, Missing
from handlers.names.grammar import End, Fresh, Word, is_bare_name, items
from handlers.names.lexicon import Cue
from handlers.sentence.tokens import Said, Token

_WELL = frozenset("healthy unhealthy ok okay ready well sick".split())
_NODE_LIKE = re.compile(r"node|worker|master|control-?plane|^(?:ip|gke|aks|eks|k8s|k3s|kube)-|\.internal$")
"""What nodes are called: by kubeadm, kind and the clouds."""
_PROBLEMS = frozenset("problem problems issue issues trouble".split())
_NO_HEALTH = frozenset("version versions config configuration log logs kernel".split())
"""What may be asked of an agent beside its health."""
_ENDED = frozenset(
    "crash crashes crashing crashed crashlooping crashloopbackoff restart restarts restarting restarted "
    "died dies dead killed oom oomkilled".split()
)
"""What agents do that end; of one node ``agent NODE`` is asked, of nobody's in particular the health of all."""
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
        """Return every node's agent, up to a bound, and every policy; flows only where a health probe failed."""
        named = (self.node,) if self.node else None
        nodes = attempt(lambda: tuple(node.name for node in so_far.nodes if self.node in (None, node.name)))
        doubted = attempt(lambda: doubted_pairs(self, so_far))
        is_told = isinstance(so_far.look(Part.AGENT_STATUS), Known)
        pairs = None if isinstance(doubted, Lacking) or not is_told else doubted
        return Scope(
            all_namespaces=True,
            nodes=named if isinstance(nodes, Lacking) else nodes[:MOST_AGENTS],
            pods=None if pairs is None else pods_on(pairs),
            flows=flows_between(pairs, so_far) if pairs else None,
            is_without_flows=pairs == (),
        )


def how_to_ask(missing: Missing) -> str:
    """Return how to ask an agent that a run left out, nothing where it is missing for another reason."""
    if missing.gap is not Gap.NOT_ASKED:
        return ""
    return f"A run asks {MOST_AGENTS} agents; health NODE asks the agent of one node."


def parse(text: str) -> Health:
    """Read an optional node.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    found = [item for item in items(text) if not isinstance(item, Fresh)]
    match found:
        case []:
            return Health()
        case [Word(text=name) as word, *odd] if is_bare_name(word) and word.port is None:
            question = Health(name.lower())
        case [End(name=Named(kind=Kind.NODE, name=name), port=None), *odd]:
            question = Health(name)
        case [End(name=HostName(name=name), port=None), *odd]:
            question = Health(name)
        case odd:
            pass
    if odd:
        raise left_over(odd, USAGE)
    return question


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence about how Cilium, its agents or a node are."""
    if _NO_HEALTH & sentence.words:
        return None
    bare = [sentence.tokens[index].text.lower() for index in sentence.bare]
    is_of_all = not (sentence.ends or set(bare) - _ENDED or sentence.namespaces or sentence.span)
    if _ENDED & sentence.words and sentence.has(Cue.CILIUM) and is_of_all:
        return Reading((Health(),), 6, reads_odd=True)
    is_asked = _WELL & sentence.words or (sentence.has(Cue.HEALTH) and sentence.has(Cue.AT, Cue.PASSIVE, Cue.WHO))
    if len(bare) == 1 and not sentence.ends and not sentence.has(Cue.POLICY) and is_asked:
        if _NODE_LIKE.search(bare[0]):
            return Reading((Health(bare[0]),), 2)
        if "-" in bare[0] and _WELL & sentence.words:
            return Reading((Health(bare[0]), Health()), 2, f"Is {bare[0]} a node?")
    is_wrong = (
        (sentence.has(Cue.ODD) or _PROBLEMS & sentence.words)
        and sentence.has(Cue.CILIUM)
        and not sentence.has(Cue.POLICY)
    )
    nodes = [token.item.name for token in sentence.tokens if isinstance(token.item, End)]
    is_of_a_node = any(isinstance(name, Named) and name.kind is Kind.NODE for name in nodes)
    if not (sentence.has(Cue.HEALTH) or is_wrong) or not (
        sentence.has(Cue.CILIUM) or {"health", "node", "nodes"} & sentence.words or is_of_a_node
    ):
        return None
    places = [index for index in sentence.bare if index and _leads(sentence.tokens[index - 1])]
    words = [sentence.tokens[index].text.lower() for index in places] or list(filter(_NODE_LIKE.search, bare))
    if sentence.tokens[0].text.lower() == "health" and len(words) != len(sentence.bare):
        return None
    match nodes, words:
        case [], []:
            return Reading((Health(),), 2)
        case ([Named(kind=Kind.NODE, name=name)], _) | ([], [name]):
            return Reading((Health(name),), 2)
    return None


def _leads(token: Token) -> bool:
    return token.text.lower() == "node" or token.does(Cue.OF, Cue.AT, Cue.FOR, Cue.IN, Cue.FROM)


def conclude(question: Health, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say how many things are ill, and the worst; what could not be looked at is not well."""
    where = f"node {question.node}" if question.node else "the cluster"
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    unknown = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    if question.node and any(finding.code == "NODE_UNKNOWN" for finding in unknown):
        return Conclusion(Headline(unknown[0].sentence))
    doubts = [finding for finding in unknown if finding.blocking]
    if problems:
        claim = Sentence(
            "Cilium in {where} has {count} problem{count:|s, the worst}", {"where": where, "count": len(problems)}
        )
        more = tuple(doubt.because for doubt in doubts[:1])
        return Conclusion(Headline(claim, reason=problems[0].because, remedy=problems[0].advice, more=more))
    if doubts:
        claim = Sentence("how well Cilium in {where} is", {"where": where}, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice))
    return Conclusion(Headline(Sentence("Cilium in {where} is healthy", {"where": where})))


COMMAND = Command(
    name="health",
    usage=USAGE,
    summary="Is Cilium itself well? Agents, operator, relay, controllers, maps, refused policies; worst first.",
    examples=("health", "health worker-1"),
    question=Health,
    parse=parse,
    phrase=phrase,
    conclude=conclude,
    arrange=worst_first,
    keep=timedelta(seconds=30),
    leave_out=frozenset(
        {
            Part.AGENT_IDENTITIES,
            Part.AGENT_ADDRESSES,
            Part.AGENT_NAMES,
            Part.NAMED_PORTS,
            Part.FOREIGN_POLICIES,
            Part.POLICY_SERVICES,
        }
    ),
)
