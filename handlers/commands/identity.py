"""``identity``: what a numeric identity is, who carries it, and which policies select it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, Reading, left_over
from handlers.connection.scope import name_scope
from handlers.model.endpoint import EndpointName, Entity
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, prose
from handlers.model.headline import Headline
from handlers.model.labels import NAMESPACE_LABEL, LabelSet
from handlers.model.parts import Part
from handlers.model.reserved import FIRST_ALLOCATED, LOCAL_SCOPE
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import Missing
from handlers.names.grammar import End, Fresh, Item, PortAsked, Word, end_of, items
from handlers.names.lexicon import Cue
from handlers.names.resolve import End as Side
from handlers.names.resolve import resolve
from handlers.sentence.subject import subjects_in
from handlers.sentence.tokens import Said

USAGE = "identity NUMBER|A [fresh]"

LARGEST = (1 << 32) - 1
"""Numeric identities have 32 bits (Cilium, pkg/identity/numericidentity.go)."""


_NO_OBJECT = (0,)
"""The number of an identity that is no object of the cluster, where none of those has to be read."""


@dataclass(frozen=True, slots=True)
class IdentityOf:
    """What is identity ``number``, or which identities has ``endpoint``? Exactly one of the two is set."""

    number: int | None = None
    endpoint: EndpointName | None = None

    def __str__(self) -> str:
        """Return the normal form."""
        return f"identity {self.number if self.number is not None else self.endpoint}"

    def scope(self, so_far: Facts) -> Scope:
        """Return who may carry the identity and select it, and each node's own view where the number is node-local.

        All carriers are in the namespace that the identity's labels name, and only its policies, and those of the whole
        cluster, select it.
        """
        if self.endpoint is not None and not isinstance(self.endpoint, Entity):
            return replace(name_scope(self.endpoint, so_far), identities=self._identities(so_far), nodes=())
        number = self.number
        if number is not None and FIRST_ALLOCATED <= number < LOCAL_SCOPE:
            return _scope_of_number(number, so_far)
        nodes = attempt(lambda: tuple(node.name for node in so_far.nodes) if self.is_node_local else ())
        return Scope(namespaces=(), pods=(), identities=_NO_OBJECT, nodes=None if isinstance(nodes, Lacking) else nodes)

    def _identities(self, so_far: Facts) -> tuple[int, ...] | None:
        numbers = attempt(lambda: self.numbers(so_far))
        return None if isinstance(numbers, Lacking) else tuple(sorted(numbers)) or _NO_OBJECT

    def numbers(self, facts: Facts) -> frozenset[int]:
        """Return the numbers that are asked about: the one named, or those that the pods of the endpoint have.

        Raises:
            PartMissingError: if a part that tells them was not read.
        """
        if self.number is not None:
            return frozenset((self.number,))
        if self.endpoint is None:
            return frozenset()
        pods = resolve(self.endpoint, facts, Side.SOURCE, None, None).pods
        names = {(pod.namespace, pod.name) for pod in pods}
        found = (entry.identity for entry in facts.cilium_endpoints if (entry.namespace, entry.name) in names)
        return frozenset(number for number in found if number is not None)

    @property
    def is_node_local(self) -> bool:
        """Whether the number means another thing on every node."""
        return self.number is not None and self.number >= LOCAL_SCOPE


def _scope_of_number(number: int, so_far: Facts) -> Scope:
    """Return the namespace that the labels name once they are read; without such labels anybody may be a carrier."""
    look = so_far.look(Part.IDENTITIES)
    if isinstance(look, Missing):
        return Scope(identities=(number,), nodes=())
    labels = next((entry.labels for entry in look.value if entry.number == number), ())
    label = LabelSet.parse(labels).find("k8s", NAMESPACE_LABEL)
    if label is None:
        return Scope(all_namespaces=True, pods=(), identities=(number,), nodes=())
    pods = (PodQuery(namespace=label.value),)
    return Scope(namespaces=(label.value,), pods=pods, identities=(number,), nodes=())


def parse(text: str) -> IdentityOf:
    """Read a number or an endpoint.

    Raises:
        NotUnderstoodError: if nothing is named, or a word is left over.
    """
    found = [item for item in items(text) if not isinstance(item, Fresh)]
    if not found:
        raise NotUnderstoodError("Name one identity by number, or one endpoint.", USAGE)
    question = _question(found[0])
    if question is None or len(found) > 1:
        raise left_over(found[1:] if question else found, USAGE)
    return question


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence that asks for an identity by its number, or for that of an endpoint."""
    if not sentence.has(Cue.IDENTITY):
        return None
    numbers = [int(token.text) for token in sentence.tokens if token.does(Cue.IDENTITY) and token.text.isdecimal()]
    if any(number > LARGEST for number in numbers):
        return None
    subjects = subjects_in(sentence)
    if len(numbers) == 1:
        return Reading((IdentityOf(number=numbers[0]),), 3)
    if len(subjects) == 1 and subjects[0].endpoint and not numbers:
        return Reading((IdentityOf(endpoint=subjects[0].endpoint),), 3)
    return None


def _question(item: Item) -> IdentityOf | None:
    match item:
        case End(name=name, port=None):
            return IdentityOf(endpoint=name)
        case PortAsked(port=int(number), protocol=None):
            return IdentityOf(number=number)
        case Word(text=text) if text.isascii() and text.isdigit() and int(text[:11]) <= LARGEST:
            return IdentityOf(number=int(text[:11]))
        case Word(text=text) if entity := end_of(text):
            return IdentityOf(endpoint=entity)
    return None


def conclude(_question: IdentityOf, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Let the first finding speak: it says what the identity is."""
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    first = next((finding for finding in findings if finding.outcome is Outcome.FINE), None) or next(iter(doubts), None)
    return Conclusion(Headline(first.sentence if first else prose("Nothing is known of this identity")))


def arrange(findings: Iterable[Finding]) -> list[Finding]:
    """Keep the order in which the probes speak: what it is, who carries it, what selects it."""
    return sorted(findings, key=lambda finding: -finding.weight)


COMMAND = Command(
    name="identity",
    usage=USAGE,
    summary="What a numeric identity is: its labels, who carries it now, which policies select it.",
    examples=("identity 50404", "identity shop/frontend", "identity 16777217"),
    question=IdentityOf,
    parse=parse,
    phrase=phrase,
    conclude=conclude,
    arrange=arrange,
    keep=timedelta(seconds=60),
    leave_out=frozenset(
        {Part.FLOWS, Part.RELAY, Part.AGENT_NAMES, Part.AGENT_ENDPOINTS, Part.NAMED_PORTS, Part.FOREIGN_POLICIES}
    ),
)
