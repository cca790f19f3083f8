"""``policies``: which policies select an endpoint or live in a namespace, and what each does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, Reading, left_over
from handlers.model.endpoint import Address, EndpointName, HostName
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.scope import PodQuery, Scope
from handlers.names.grammar import End, Fresh, Word, end_of, is_bare_name, items, without_leads
from handlers.names.lexicon import Cue
from handlers.names.resolve import End as Side
from handlers.names.resolve import resolve
from handlers.sentence.subject import Subject, several, subjects_in
from handlers.sentence.tokens import Said

USAGE = "policies A|NAMESPACE [fresh]"
_MOST_AGENTS = 6


@dataclass(frozen=True, slots=True)
class PoliciesOf:
    """Which policies select ``endpoint``, or the endpoints of ``namespace``? Exactly one of the two is set."""

    endpoint: EndpointName | None = None
    namespace: str | None = None

    def __str__(self) -> str:
        """Return the normal form."""
        return f"policies {self.endpoint or self.namespace}"

    def scope(self, so_far: Facts) -> Scope:
        """Return the policies of the namespace and of the whole cluster, and the agents that realise them."""
        namespace = self.namespace or getattr(self.endpoint, "namespace", None)
        return Scope(
            namespaces=(namespace,) if namespace else None,
            all_namespaces=namespace is None,
            pods=(PodQuery(namespace=namespace),),
            nodes=self._nodes(so_far),
            identities=(),
            policy_services=isinstance(self.endpoint, Address) or None,
        )

    def _nodes(self, so_far: Facts) -> tuple[str, ...] | None:
        pods = attempt(
            lambda: resolve(self.endpoint, so_far, Side.SOURCE, None, None).pods if self.endpoint else so_far.pods
        )
        if isinstance(pods, Lacking):
            return None
        return tuple(dict.fromkeys(pod.node for pod in pods if pod.node and pod.is_running))[:_MOST_AGENTS]


def parse(text: str) -> PoliciesOf:
    """Read an endpoint or a namespace.

    Raises:
        NotUnderstoodError: if nothing is named, or a word is left over.
    """
    found = [item for item in without_leads(items(text)) if not isinstance(item, Fresh)]
    match found:
        case []:
            raise NotUnderstoodError("Name one endpoint or one namespace.", USAGE)
        case [End(name=name, port=None), *odd] if not isinstance(name, HostName):
            question = PoliciesOf(endpoint=name)
        case [Word(text=text) as word, *odd] if word.port is None and (is_bare_name(word) or end_of(text)):
            entity = end_of(text)
            question = PoliciesOf(endpoint=entity) if entity else PoliciesOf(namespace=text.lower())
        case odd:
            pass
    if odd:
        raise left_over(odd, USAGE)
    return question


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence about the policies of something; those that are broken are for another question."""
    if not sentence.has(Cue.POLICY, Cue.LOOK_UP) or sentence.has(Cue.ODD, Cue.DROPS):
        return None
    subjects = [one for one in subjects_in(sentence) if one != Subject() and not isinstance(one.endpoint, HostName)]
    asked = tuple(PoliciesOf(subject.endpoint, subject.namespace) for subject in subjects)
    if not asked:
        return None
    if sentence.has(Cue.LOOK_UP):
        return Reading(asked[:1], 1, "Which name is looked up? Name it, or choose one of these.")
    is_a_guess = len(asked) == 1 and len(subjects_in(sentence)) > 1
    problem = f"Is “{asked[0].namespace}” a namespace?" if is_a_guess else several(len(asked))
    return Reading(asked, 3, problem)


def conclude(question: PoliciesOf, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say how many policies there are, and whether one of them is ill."""
    about = str(question.endpoint or question.namespace)
    ill = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    policies = {finding.evidence[0].ref for finding in findings if finding.evidence and finding.weight > 0}
    if doubts and not policies:
        claim = Sentence("for {about}", {"about": about}, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, reason=doubts[0].sentence, remedy=doubts[0].advice))
    if not policies:
        claim = Sentence("No policy selects {about}: everything is allowed both ways", {"about": about})
        return Conclusion(Headline(claim))
    claim = Sentence("{count} polic{count:y concerns|ies concern} {about}", {"count": len(policies), "about": about})
    return Conclusion(Headline(claim, more=tuple(finding.sentence for finding in ill[:1])))


def arrange(findings: Iterable[Finding]) -> list[Finding]:
    """Order by illness, then by the policy's name."""
    return sorted(findings, key=lambda finding: (finding.outcome is not Outcome.PROBLEM, -finding.weight, finding.text))


COMMAND = Command(
    name="policies",
    usage=USAGE,
    summary="Which policies select an endpoint, what each does in each direction, and whether it is in force.",
    examples=("policies shop/cart", "policies shop"),
    question=PoliciesOf,
    parse=parse,
    phrase=phrase,
    conclude=conclude,
    arrange=arrange,
    keep=timedelta(seconds=60),
    leave_out=frozenset({Part.AGENT_IDENTITIES, Part.AGENT_ADDRESSES, Part.FLOWS, Part.RELAY, Part.AGENT_NAMES}),
)
