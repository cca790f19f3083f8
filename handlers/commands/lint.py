"""``lint``: which policies do not do what they look to do?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, Reading
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_namespace import typed_namespace
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import Headline
from handlers.model.question import AboutCluster
from handlers.model.scope import Scope
from handlers.names.lexicon import Cue
from handlers.sentence.subject import several, subjects_in
from handlers.sentence.tokens import Said
from handlers.whole_cluster import whole_scope

USAGE = "lint [NAMESPACE] [since 15m] [fresh]"


@dataclass(frozen=True, slots=True)
class LintPolicies(AboutCluster):
    """What is odd about the policies of ``namespace``, or of the whole cluster? ``since`` bounds the flows."""

    namespace: str | None = None
    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        since = "" if self.since == DEFAULT_SPAN else f"since {span_in_words(self.since)}"
        return " ".join(filter(None, ("lint", self.namespace, since)))

    def scope(self, so_far: Facts) -> Scope:
        """Return the whole cluster: a policy of one namespace means ends of all others."""
        return whole_scope(self, so_far, self.since)

    def concerns(self, namespace: str) -> bool:
        """Whether policies of this namespace are asked about; cluster-wide ones, of none, only with all."""
        return self.namespace in (None, namespace)


def parse(text: str) -> LintPolicies:
    """Read an optional namespace, and how far back flows are looked at.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    namespace, span = typed_namespace(text, USAGE)
    return LintPolicies(namespace, span or DEFAULT_SPAN)


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence about policies that are broken, unused or do nothing."""
    if not (sentence.has(Cue.POLICY) and sentence.has(Cue.ODD)):
        return None
    since = sentence.span.span if sentence.span else DEFAULT_SPAN
    subjects = [subject for subject in subjects_in(sentence) if subject.endpoint is None]
    asked = tuple(LintPolicies(subject.namespace, since) for subject in subjects)
    return Reading(asked, 3, several(len(asked))) if asked else None


def conclude(question: LintPolicies, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Count the problems, and clear the policies only where everything was read."""
    where = f"the policies of {question.namespace}" if question.namespace else "the policies of the cluster"
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    if problems:
        claim = Sentence("{count} problem{count:|s, the first} in {where}", {"count": len(problems), "where": where})
        return Conclusion(Headline(claim, reason=problems[0].sentence, remedy=problems[0].advice))
    if doubts:
        claim = Sentence("No problem found in {where}, and not everything could be checked", {"where": where})
        return Conclusion(Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice))
    return Conclusion(Headline(Sentence("No problem in {where}", {"where": where})))


COMMAND = Command(
    name="lint",
    usage=USAGE,
    summary="Which policies do not do what they look to do? Each with a flow of this cluster that shows it.",
    examples=("lint", "lint shop", "lint shop since 1h"),
    question=LintPolicies,
    parse=parse,
    phrase=phrase,
    conclude=conclude,
    keep=timedelta(seconds=60),
)
